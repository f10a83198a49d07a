"""The cover in the structure tree of a tagged document, so that a screen reader says once whose copy it is."""

from __future__ import annotations

from collections.abc import Sequence

import pikepdf
from pikepdf import Array, Dictionary, Name, NumberTree, String


def is_tagged(pdf: pikepdf.Pdf) -> bool:
    """Whether the document has a structure tree."""
    return isinstance(pdf.Root.get("/StructTreeRoot"), pikepdf.Dictionary)


def add_to_structure(pdf: pikepdf.Pdf, page: pikepdf.Object, roles: Sequence[str], language: str) -> None:
    """Puts the marked content of ``page`` first in the structure tree.

    The n-th role belongs to the marked content with MCID n. Everything that was in the tree stays as it was.
    """
    root = pdf.Root.StructTreeRoot
    if not root.is_indirect:
        root = pdf.Root.StructTreeRoot = pdf.make_indirect(root)
    holder = _document_element(pdf, root)
    section = pdf.make_indirect(
        Dictionary(
            Type=Name.StructElem, S=Name.Sect, P=holder, Pg=page, Lang=String("zh-CN" if language == "zh" else "en")
        )
    )
    elements = [
        pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name(f"/{role}"), P=section, Pg=page, K=index))
        for index, role in enumerate(roles)
    ]
    section.K = Array(elements)
    holder.K = Array([section, *_kids(holder)])
    page.StructParents = _enter(pdf, root, _parent_tree(pdf, root), elements)


def _enter(
    pdf: pikepdf.Pdf, root: pikepdf.Object, parents: NumberTree, elements: Sequence[pikepdf.Object]
) -> int:  # fmt: skip
    """Enter the elements of one stream's marked content into the parent tree; the key that they get."""
    key = _next_key(pdf, root, parents)
    try:
        parents[key] = Array(elements)
    except pikepdf.PdfError:  # a tree that takes no entry ties nothing together
        parents = NumberTree.new(pdf)
        parents[key] = Array(elements)
    root.ParentTree = parents.obj
    root.ParentTreeNextKey = key + 1
    return key


def tie_content(
    pdf: pikepdf.Pdf, page: pikepdf.Object, stream: pikepdf.Object, annotations: Sequence[pikepdf.Object]
) -> list[bytes]:
    """Let the elements that hold these annotations hold marked content of ``stream``, which ``page`` paints, instead.

    Returns the opening of each annotation's marked content; b"" for all in a document that is not tagged.
    """
    if not is_tagged(pdf):
        return [b""] * len(annotations)
    root = pdf.Root.StructTreeRoot
    parents = _parent_tree(pdf, root)
    elements: list[pikepdf.Object] = []
    marks = []
    for annotation in annotations:
        element, reference = _holder(parents, annotation)
        if element is None or reference is None:
            marks.append(b"/Artifact BMC")
            continue
        del reference.Obj
        reference.Type, reference.Pg, reference.Stm, reference.MCID = Name.MCR, page, stream, len(elements)
        marks.append(b"/Form <</MCID %d>> BDC" % len(elements))
        elements.append(element)
    if elements:
        stream.StructParents = _enter(pdf, root, parents, elements)
    return marks


def move_content(pdf: pikepdf.Pdf, page: pikepdf.Object, stream: pikepdf.Object) -> None:
    """Let the elements that hold marked content of ``page`` hold it in ``stream``, which has all of the page's content now."""
    key: object = page.get("/StructParents")
    if not is_tagged(pdf) or not isinstance(key, int):
        return
    parents = _parent_tree(pdf, pdf.Root.StructTreeRoot)
    try:
        held = parents.get(key)
    except (pikepdf.PdfError, RuntimeError):
        return
    for element in held if isinstance(held, pikepdf.Array) else ():
        if isinstance(element, pikepdf.Dictionary):
            here = "/Pg" not in element or element.Pg.objgen == page.objgen
            kids = [_moved(kid, page, stream, here=here) for kid in _kids(element)]
            element.K = Array(kids) if isinstance(element.get("/K"), pikepdf.Array) or not kids else kids[0]
    stream.StructParents = key
    del page["/StructParents"]


def _moved(kid: object, page: pikepdf.Object, stream: pikepdf.Object, *, here: bool) -> object:
    """A kid that names marked content of the page, by its number alone or more fully, as content of the stream."""
    if isinstance(kid, int) and here:
        return Dictionary(Type=Name.MCR, Pg=page, Stm=stream, MCID=kid)
    if isinstance(kid, pikepdf.Dictionary) and kid.get("/Type") == Name.MCR and "/Stm" not in kid:
        own = kid.get("/Pg")
        if here if own is None else own.objgen == page.objgen:
            kid.Pg, kid.Stm = page, stream
    return kid


def _holder(
    parents: NumberTree, annotation: pikepdf.Object
) -> tuple[pikepdf.Object | None, pikepdf.Object | None]:  # fmt: skip
    """The element of an annotation, and its reference to the annotation (ISO 32000-2, 14.7.5.3)."""
    key: object = annotation.get("/StructParent")
    try:
        element = parents[key] if isinstance(key, int) and key in parents else None
    except (pikepdf.PdfError, RuntimeError):
        return None, None
    for kid in _kids(element) if isinstance(element, pikepdf.Dictionary) else ():
        if isinstance(kid, pikepdf.Dictionary) and kid.get("/Type") == Name.OBJR:
            target = kid.get("/Obj")
            if isinstance(target, pikepdf.Object) and target.is_indirect and target.objgen == annotation.objgen:
                return element, kid
    return None, None


def _document_element(pdf: pikepdf.Pdf, root: pikepdf.Object) -> pikepdf.Object:
    """The one Document element at the top, or the root itself. It is an object of its own, for what it holds refers to it."""
    kids = _kids(root)
    if len(kids) == 1 and isinstance(kids[0], pikepdf.Dictionary) and kids[0].get("/S") == Name.Document:
        if not kids[0].is_indirect:
            whole = root.K = pdf.make_indirect(kids[0])
            return whole
        return kids[0]
    return root


def _kids(holder: pikepdf.Object) -> list[pikepdf.Object]:
    kids = holder.get("/K")
    if kids is None:
        return []
    return list(kids) if isinstance(kids, pikepdf.Array) else [kids]


def _parent_tree(pdf: pikepdf.Pdf, root: pikepdf.Object) -> NumberTree:
    tree = root.get("/ParentTree")
    if isinstance(tree, pikepdf.Dictionary):
        return NumberTree(tree if tree.is_indirect else pdf.make_indirect(tree))
    return NumberTree.new(pdf)


def _next_key(pdf: pikepdf.Pdf, root: pikepdf.Object, parents: NumberTree) -> int:
    used = [-1, *(int(key) for key in parents)]
    announced: object = root.get("/ParentTreeNextKey")
    if isinstance(announced, int):
        used.append(announced - 1)
    for page in pdf.pages:
        own: object = page.obj.get("/StructParents")
        if isinstance(own, int):
            used.append(own)
    return max(used) + 1
