"""PDF files written by hand, so that anything in them can be wrong; and the shape of one entry of the catalogue."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

DELIVERED = "delivered"
MARK = "marker-of-what-must-go"
CANARY_HOST = "127.0.0.1"
CANARY_PORT = 47_613
"""Where the files tell a program to call; a test listens there and must not be called."""

CANARY = f"http://{CANARY_HOST}:{CANARY_PORT}/{MARK}".encode()
Maker = Callable[[], bytes]


@dataclass(frozen=True)
class Hostile:
    """One file: its name and class, how it is made, and which outcomes are right: ``delivered`` or codes.

    ``pages`` is how many pages a delivered copy has of the file; None where readers may differ. ``unclean`` says that the pages' own
    content stays as broken as it was, so that a strict reader may complain of that.
    """

    name: str
    kind: str
    make: Maker
    right: frozenset[str]
    pages: int | None = 2
    unclean: bool = False


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """The body of a stream object."""
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (entries, len(data), data)


def packed(data: bytes, times: int = 1) -> bytes:
    """Data deflated again and again."""
    for _ in range(times):
        data = zlib.compress(data, 9)
    return data


def line(number: int) -> bytes:
    """Content that shows one line."""
    return b"BT /F1 12 Tf 72 700 Td (Article page %d) Tj ET\n" % number


def objects(
    *,
    catalogue: bytes = b"",
    pages: bytes = b"",
    page: bytes = b"",
    box: bytes = b"/MediaBox[0 0 595 842]",
    resources: bytes = b"/Resources<</Font<</F1 7 0 R>>>>",
    content: bytes | None = None,
    changed: Mapping[int, bytes] | None = None,
    more: Mapping[int, bytes] | None = None,
) -> dict[int, bytes]:
    """The objects of a plain document of two pages; what is given is added or put in place.

    1 catalogue, 2 page tree, 3 and 4 pages, 5 and 6 their content, 7 font; 8 and up are free. ``page``, ``box`` and ``content`` are those of
    the first page.
    """
    plain = {
        1: b"<</Type/Catalog/Pages 2 0 R%b>>" % catalogue,
        2: b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2%b>>" % pages,
        3: b"<</Type/Page/Parent 2 0 R/Contents 5 0 R%b%b%b>>" % (box, resources, page),
        4: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 6 0 R/Resources<</Font<</F1 7 0 R>>>>>>",
        5: stream(line(1) if content is None else content),
        6: stream(line(2)),
        7: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    }
    return {**plain, **(changed or {}), **(more or {})}


def written(
    bodies: Mapping[int, bytes],
    *,
    trailer: bytes = b"/Root 1 0 R",
    size: int | None = None,
    shift: int = 0,
    head: bytes = b"%PDF-1.7\n",
) -> bytes:
    """A file of these objects with a cross-reference table; ``size`` and ``shift`` make its numbers lie."""
    data, places = bytearray(head), {}
    for number, body in bodies.items():
        places[number] = len(data)
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start, last = len(data), max(bodies)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (last + 1)
    for number in range(1, last + 1):
        data += b"%010d 00000 n \n" % (places[number] + shift) if number in places else b"0000000000 00000 f \n"
    end = b"trailer\n<</Size %d%b>>\nstartxref\n%d\n%%%%EOF\n"
    return bytes(data) + end % (last + 1 if size is None else size, trailer, start + shift)


def paper(*, trailer: bytes = b"/Root 1 0 R", **parts: object) -> bytes:
    """A plain document of two pages with the changes that ``objects`` takes."""
    return written(objects(**parts), trailer=trailer)  # type: ignore[arg-type]  # the names are those of objects()


def update(data: bytes, bodies: Mapping[int, bytes], size: int, previous: int | None = None) -> bytes:
    """The file with an incremental update of these objects."""
    prev = int(data[data.rindex(b"startxref") :].split()[1]) if previous is None else previous
    places, tail = {}, bytearray()
    for number, body in bodies.items():
        places[number] = len(data) + len(tail)
        tail += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(data) + len(tail)
    tail += b"xref\n" + b"".join(b"%d 1\n%010d 00000 n \n" % (number, places[number]) for number in bodies)
    return (
        data + bytes(tail) + b"trailer\n<</Size %d/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (size, prev, start)
    )


def cross_stream(bodies: Mapping[int, bytes], *, inside: Mapping[int, bytes] | None = None, **lies: bytes) -> bytes:
    """A file with a cross-reference stream, and an object stream for the objects ``inside``.

    ``lies`` put other values for Index, W, Size, First, N, rows and body of the object stream.
    """
    inside = inside or {}
    data, rows, last = bytearray(b"%PDF-1.7\n"), {0: (0, 0, 65535)}, max({**bodies, **inside}) + 2
    for number, body in bodies.items():
        rows[number] = (1, len(data), 0)
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    if inside:
        pairs, place = [], 0
        for position, (number, body) in enumerate(inside.items()):
            pairs.append(b"%d %d" % (number, place))
            place += len(body) + 1
            rows[number] = (2, last - 1, position)
        head = b" ".join(pairs) + b" "
        rows[last - 1] = (1, len(data), 0)
        inner = lies.get("body", packed(head + b" ".join(inside.values())))
        entries = b"/Type/ObjStm/N %b/First %b/Filter/FlateDecode%b" % (
            lies.get("N", b"%d" % len(inside)),
            lies.get("First", b"%d" % len(head)),
            lies.get("extends", b""),
        )
        data += b"%d 0 obj\n%b\nendobj\n" % (last - 1, stream(inner, entries))
    rows[last] = (1, len(data), 0)
    table = b"".join(
        bytes([kind]) + place.to_bytes(4, "big") + more.to_bytes(2, "big")
        for kind, place, more in (rows.get(number, (0, 0, 0)) for number in range(last + 1))
    )
    entries = b"/Type/XRef/Size %b/W%b%b/Root 1 0 R/Filter/FlateDecode" % (
        lies.get("Size", b"%d" % (last + 1)),
        lies.get("W", b"[1 4 2]"),
        b"/Index" + lies["Index"] if "Index" in lies else b"",
    )
    start = len(data)
    data += b"%d 0 obj\n%b\nendobj\n" % (last, stream(lies.get("rows", packed(table)), entries))
    return bytes(data) + b"startxref\n%d\n%%%%EOF\n" % start


Table = dict[str, tuple[object, str]]
"""Files by name: what makes each, and the outcomes that are right for it, in one string."""


def files(kind: str, entries: Mapping[str, tuple[object, str]], **more: object) -> list[Hostile]:
    """Entries of one class, given as name: (maker, right outcomes in one string)."""
    return [
        Hostile(name, kind, make, frozenset(right.split()), **more)  # type: ignore[arg-type]  # fields of Hostile
        for name, (make, right) in entries.items()
    ]
