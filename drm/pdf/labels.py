"""Page labels and page-number destinations, kept true after a cover has come before the first page."""

from __future__ import annotations

from collections.abc import Iterator

import pikepdf
from pikepdf import Dictionary, Name, NumberTree, String

COVER_LABEL = "cover"


def shift_labels(pdf: pikepdf.Pdf) -> None:
    """Labels the first page ``cover`` and lets every other page keep the label it had before."""
    old = _entries(pdf.Root.get("/PageLabels"))
    labels = NumberTree.new(pdf)
    labels[0] = Dictionary(P=String(COVER_LABEL))
    if 0 not in old:
        labels[1] = Dictionary(S=Name.D)
    for index, label in sorted(old.items()):
        if index >= 0:
            labels[index + 1] = label
    pdf.Root.PageLabels = labels.obj


def _entries(tree: object) -> dict[int, pikepdf.Object]:
    if not isinstance(tree, pikepdf.Dictionary):
        return {}
    try:
        entries: list[tuple[int, object]] = list(NumberTree(tree).items())
        return {int(index): label for index, label in entries if isinstance(label, pikepdf.Dictionary)}
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError):
        return {}


def resolve_page_numbers(pdf: pikepdf.Pdf) -> None:
    """Turns destinations that give a page by number into references; call it before a page is inserted.

    Numbers belong to links into other files only, but readers honour them inside a document too.
    """
    for destination in _destinations(pdf):
        index: object = destination[0] if len(destination) else None
        if isinstance(index, int) and 0 <= index < len(pdf.pages):
            destination[0] = pdf.pages[index].obj


def _destinations(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Array]:
    root = pdf.Root
    yield from _of_value(root.get("/OpenAction"))
    named = root.get("/Dests")
    if isinstance(named, pikepdf.Dictionary):
        for value in named.values():
            yield from _of_value(value)
    names = root.get("/Names")
    if isinstance(names, pikepdf.Dictionary):
        yield from _of_tree(names.get("/Dests"))
    outlines = root.get("/Outlines")
    if isinstance(outlines, pikepdf.Dictionary):
        yield from _of_outline(outlines.get("/First"))
    for page in pdf.pages:
        notes = page.obj.get("/Annots")
        for note in notes if isinstance(notes, pikepdf.Array) else ():
            yield from _of_holder(note)


def _of_value(value: object) -> Iterator[pikepdf.Array]:
    if isinstance(value, pikepdf.Array):
        yield value
    elif isinstance(value, pikepdf.Dictionary):
        target = value.get("/D")
        if isinstance(target, pikepdf.Array) and value.get("/S", Name.GoTo) == Name.GoTo:
            yield target


def _of_holder(holder: object) -> Iterator[pikepdf.Array]:
    if isinstance(holder, pikepdf.Dictionary):
        for key in ("/Dest", "/A"):
            if key in holder:
                yield from _of_value(holder.get(key))


def _of_tree(top: object) -> Iterator[pikepdf.Array]:
    seen: set[tuple[int, int]] = set()
    waiting = [top]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, pikepdf.Dictionary) or (node.is_indirect and node.objgen in seen):
            continue
        seen.add(node.objgen)
        names, kids = node.get("/Names"), node.get("/Kids")
        for index, value in enumerate(names if isinstance(names, pikepdf.Array) else ()):
            if index % 2:
                yield from _of_value(value)
        waiting += list(kids) if isinstance(kids, pikepdf.Array) else []


def _of_outline(first: object) -> Iterator[pikepdf.Array]:
    seen: set[tuple[int, int]] = set()
    waiting = [first]
    while waiting:
        item = waiting.pop()
        if not isinstance(item, pikepdf.Dictionary) or (item.is_indirect and item.objgen in seen):
            continue
        seen.add(item.objgen)
        yield from _of_holder(item)
        waiting += [item.get("/Next"), item.get("/First")]
