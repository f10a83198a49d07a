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
    holder = _document_element(root)
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
    parents = _parent_tree(pdf, root)
    key = _next_key(pdf, root, parents)
    try:
        parents[key] = Array(elements)
    except pikepdf.PdfError:  # a tree that takes no entry ties nothing together
        parents = NumberTree.new(pdf)
        parents[key] = Array(elements)
    root.ParentTree = parents.obj
    root.ParentTreeNextKey = key + 1
    page.StructParents = key


def _document_element(root: pikepdf.Object) -> pikepdf.Object:
    """The one Document element at the top, or the root itself."""
    kids = _kids(root)
    if len(kids) == 1 and isinstance(kids[0], pikepdf.Dictionary) and kids[0].get("/S") == Name.Document:
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
