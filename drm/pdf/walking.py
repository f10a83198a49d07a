"""Goes through every dictionary of a document: those of indirect objects, and those nested in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream, String

from drm.pdf.watched import is_watched

DEEPEST = 200
TABLES = frozenset(
    [
        *("/XObject", "/Font", "/ExtGState", "/ColorSpace", "/Pattern", "/Shading", "/Properties", "/CharProcs"),
        *("/Colorants", "/Dests", "/RoleMap", "/ClassMap"),
    ]
)
"""Keys whose dictionaries have names that their author chose: resources, glyphs, destinations, roles."""

NAMING, COLOURS = ("/Type", "/Subtype", "/S", "/FT"), re.compile("Device|Cal|Pattern|Lab")
"""Keys whose names make a dictionary an object of some kind, wherever it hangs; what else a name in a table of resources can be."""


class Walk:
    """Every dictionary of a document with the key under which it is nested, "" for one met as an object of its own."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._pdf = pdf
        self._tables: set[tuple[int, int]] | None = None

    def __iter__(self) -> Iterator[tuple[Object, str]]:
        """Those in which something may stand that is removed from documents. RecursionError for what is nested too deeply."""
        return self._of(filter(is_watched, self._pdf.objects))

    def all(self) -> Iterator[tuple[Object, str]]:
        """All of them, which takes much longer."""
        return self._of(self._pdf.objects)

    def _of(self, objects: Iterable[Object]) -> Iterator[tuple[Object, str]]:
        for top in objects:
            waiting: list[tuple[Object, str, int]] = [(top, "", 0)]
            while waiting:
                value, key, depth = waiting.pop()
                if depth > DEEPEST:
                    raise RecursionError("nested too deeply")
                if isinstance(value, Stream | Dictionary):
                    yield value, key
                    inside = list(value.items())
                elif isinstance(value, Array):
                    inside = [("", child) for child in value]
                else:
                    continue
                waiting += [
                    (child, name, depth + 1)
                    for name, child in inside
                    if isinstance(child, Object) and not child.is_indirect
                ]

    def is_table(self, holder: Object, key: str) -> bool:
        """Whether the keys of this dictionary are names that somebody chose, so that they mean nothing to us."""
        if isinstance(holder, Stream) or _is_of_a_kind(holder):
            return False
        return key in TABLES or (holder.is_indirect and holder.objgen in self._indirect_tables())

    def _indirect_tables(self) -> set[tuple[int, int]]:
        """Looked for only once somebody asks, which few documents give a reason to."""
        if self._tables is None:
            values = (holder.get(name) for holder, _ in self.all() for name in TABLES if name in holder)
            self._tables = {value.objgen for value in values if isinstance(value, Dictionary) and value.is_indirect}
        return self._tables


def _is_of_a_kind(holder: Object) -> bool:
    """Whether a dictionary says of itself what it is. A resource may have any name, also one of these keys, but no such value."""
    named = (holder.get(name) for name in NAMING)
    if any(isinstance(value, Name) and not COLOURS.match(str(value)[1:]) for value in named):
        return True
    above = holder.get("/Parent")
    return (
        isinstance(holder.get("/T"), String)
        or isinstance(holder.get("/Rect"), Array)
        or (isinstance(above, Dictionary) and not isinstance(above, Stream))
    )
