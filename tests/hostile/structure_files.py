"""Broken cross-references, trailers, catalogues and page trees; cut files; junk around them; and what is no PDF."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from functools import partial

from tests.hostile.drafts import (
    DELIVERED,
    Hostile,
    Table,
    cross_stream,
    files,
    line,
    objects,
    packed,
    paper,
    stream,
    update,
    written,
)

TAKEN, EITHER = DELIVERED, f"{DELIVERED} damaged"


def _without_start() -> bytes:
    return paper().replace(b"startxref", b"startyref")


def _loop() -> bytes:
    data = paper()
    start = int(data[data.rindex(b"startxref") :].split()[1])
    return data.replace(b"/Root 1 0 R>>", b"/Root 1 0 R/Prev %d>>" % start)


def _two_sections_in_a_loop() -> bytes:
    data = update(paper(), {5: stream(line(1))}, 8)
    last = int(data[data.rindex(b"startxref") :].split()[1])
    return data.replace(b"/Root 1 0 R>>\n", b"/Root 1 0 R/Prev %d>>\n" % last, 1)


def _hybrid(table: bytes = b"") -> bytes:
    """A classic table whose trailer names a cross-reference stream (ISO 32000-2, 7.5.8.4); ``table`` replaces that stream's rows."""
    bodies = objects()
    hidden = bodies.pop(7)
    inner = stream(packed(b"7 0 " + hidden), b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode")
    data = written({**bodies, 8: inner})
    rows = table or bytes([2, 0, 0, 0, 8, 0, 0])
    place = data.rindex(b"xref\n0 ")
    extra = b"9 0 obj\n%b\nendobj\n" % stream(rows, b"/Type/XRef/Size 10/W[1 4 2]/Index[7 1]")
    data = data[:place] + extra + data[place:]
    data = data.replace(b"/Root 1 0 R>>", b"/Root 1 0 R/XRefStm %d>>" % place)
    start = data.rindex(b"startxref")
    return data[:start] + b"startxref\n%d\n%%%%EOF\n" % (place + len(extra))


def _table(change: tuple[bytes, bytes]) -> bytes:
    return paper().replace(*change)


def _tables() -> Table:
    return {
        name: (partial(_table, change), EITHER)
        for name, change in {
            "size far too large in the table head": (b"xref\n0 8", b"xref\n0 99999999"),
            "no subsection": (b"xref\n0 8\n", b"xref\n"),
            "a subsection from one on": (b"xref\n0 8", b"xref\n1 8"),
            "a negative subsection": (b"xref\n0 8", b"xref\n0 -8"),
            "letters in a row": (b" 00000 n ", b" 0000x n "),
            "rows with one blank less": (b" n \n", b" n\n"),
            "every row free": (b" n \n", b" f \n"),
            "generations that are not there": (b" 00000 n ", b" 00007 n "),
        }.items()
    }


def _offsets_and_sizes() -> Table:
    offsets: Table = {
        f"offsets {shift:+}": (partial(written, objects(), shift=shift), TAKEN)
        for shift in (-9, -1, 1, 2, 7, 5_000, 10**9)
    }
    sizes: Table = {
        f"/Size {size}": (partial(written, objects(), size=size), TAKEN) for size in (0, 1, 3, 7, 9, 2**31 - 1, -5)
    }
    return offsets | sizes


def _cross_streams() -> Table:
    bodies = objects()
    packed_in = {number: bodies.pop(number) for number in (1, 2, 7)}
    cross = partial(cross_stream, bodies, inside=packed_in)
    return {
        "/Index far too long": (partial(cross, Index=b"[0 4000000000]"), EITHER),
        "/Index backwards": (partial(cross, Index=b"[9 -3]"), EITHER),
        "/Index odd": (partial(cross, Index=b"[0 3 4]"), EITHER),
        "/W of zeros": (partial(cross, W=b"[0 0 0]"), EITHER),
        "/W huge": (partial(cross, W=b"[1 999999999 2]"), EITHER),
        "/W of two": (partial(cross, W=b"[1 4]"), EITHER),
        "/W negative": (partial(cross, W=b"[1 -4 2]"), EITHER),
        "/Size too small": (partial(cross, Size=b"3"), EITHER),
        "rows are noise": (partial(cross, rows=random.Random(3).randbytes(70)), EITHER),
        "rows are cut": (partial(cross, rows=packed(b"\1\0\0")), EITHER),
    }


def _sections() -> Table:
    return {
        "no startxref": (_without_start, TAKEN),
        "startxref beyond the end": (lambda: paper().replace(b"startxref\n", b"startxref\n9"), TAKEN),
        "startxref is a word": (lambda: paper().replace(b"startxref\n", b"startxref\nnowhere"), TAKEN),
        "the section before is this one": (_loop, TAKEN),
        "two sections name each other": (_two_sections_in_a_loop, TAKEN),
        "/Prev beyond the end": (lambda: paper(trailer=b"/Root 1 0 R/Prev 99999999"), TAKEN),
        "/Prev negative": (lambda: paper(trailer=b"/Root 1 0 R/Prev -1"), TAKEN),
        "/Prev is a name": (lambda: paper(trailer=b"/Root 1 0 R/Prev/Back"), TAKEN),
        "hybrid": (_hybrid, TAKEN),
        "hybrid with rows of noise": (partial(_hybrid, bytes([2, 255, 255, 255, 255, 255, 255])), TAKEN),
        "hybrid whose stream is not there": (lambda: paper(trailer=b"/Root 1 0 R/XRefStm 3"), TAKEN),
        "hybrid whose stream is the table": (lambda: paper(trailer=b"/Root 1 0 R/XRefStm -3"), TAKEN),
        "an update": (lambda: update(paper(), {5: stream(line(1))}, 8), TAKEN),
        "an update of an update of an update": (
            lambda: update(
                update(update(paper(), {5: stream(b"q")}, 8), {5: stream(b"Q")}, 8), {5: stream(line(1))}, 8
            ),
            TAKEN,
        ),
        "an update that frees the pages": (lambda: update(paper(), {2: b"null"}, 8), "damaged zero-pages"),
    }


def cross_references() -> list[Hostile]:
    """Tables and streams that lie."""
    groups = (_offsets_and_sizes(), _tables(), _cross_streams(), _sections())
    return [one for group in groups for one in files("cross-reference", group)]


def _tree(**changed: bytes) -> bytes:
    return paper(changed={int(number[1:]): body for number, body in changed.items()})


def _pages_and_counts() -> Table:
    return {
        "a page twice": (lambda: _tree(_2=b"<</Type/Pages/Kids[3 0 R 3 0 R]/Count 2>>"), EITHER),
        "a page and a hole": (lambda: _tree(_2=b"<</Type/Pages/Kids[3 0 R null 4 0 R]/Count 2>>"), EITHER),
        "a page that is not there": (lambda: _tree(_2=b"<</Type/Pages/Kids[3 0 R 4 0 R 99 0 R]/Count 3>>"), EITHER),
        "a page that is a number": (lambda: _tree(_2=b"<</Type/Pages/Kids[3 0 R 4 0 R 77]/Count 3>>"), EITHER),
        "direct pages": (
            lambda: _tree(_2=b"<</Type/Pages/Kids[<</Type/Page/MediaBox[0 0 500 500]>> 4 0 R]/Count 2>>"),
            EITHER,
        ),
        "count too high": (lambda: _tree(_2=b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 5>>"), EITHER),
        "count too low": (lambda: _tree(_2=b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 1>>"), EITHER),
        "count negative": (lambda: _tree(_2=b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count -2>>"), EITHER),
        "count huge": (lambda: _tree(_2=b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2147483647>>"), EITHER),
        "count is a name": (lambda: _tree(_2=b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count/Two>>"), EITHER),
        "no count": (lambda: _tree(_2=b"<</Type/Pages/Kids[3 0 R 4 0 R]>>"), EITHER),
        "tree without type": (lambda: _tree(_2=b"<</Kids[3 0 R 4 0 R]/Count 2>>"), TAKEN),
        "tree of another type": (lambda: _tree(_2=b"<</Type/Font/Kids[3 0 R 4 0 R]/Count 2>>"), EITHER),
        "pages without type": (lambda: _tree(_3=b"<</Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R>>"), TAKEN),
        "page that calls itself a tree": (
            lambda: _tree(_3=b"<</Type/Pages/Parent 2 0 R/MediaBox[0 0 595 842]>>"),
            EITHER,
        ),
    }


def _parents_and_roots() -> Table:
    deep = {
        number: b"<</Type/Pages/Kids[%d 0 R]/Count 2/Parent %d 0 R>>" % (number + 1, number - 1)
        for number in range(9, 40)
    }
    return {
        "parents of a generation that is not there": (
            lambda: paper().replace(b"/Parent 2 0 R", b"/Parent 2 1 R"),
            TAKEN,
        ),
        "a piece of content of a generation that is not there": (
            lambda: paper().replace(b"/Contents 5 0 R", b"/Contents[5 0 R 2 1 R]"),
            TAKEN,
        ),
        "kids of generations that are not there": (
            lambda: _tree(_2=b"<</Type/Pages/Kids[3 0 R 5 1 R 2 3 R 4 0 R]/Count 2>>"),
            TAKEN,
        ),
        "a destination on a page of a generation that is not there": (
            partial(paper, catalogue=b"/Dests<</x[3 10 R/Fit]/y[4 0 R/Fit]>>"),
            TAKEN,
        ),
        "a page's number anew in a generation that nobody names": (
            lambda: paper().replace(b"xref", b"3 2 obj<</Type/Page/Parent 2 0 R>>endobj\nxxxx", 1),
            TAKEN,
        ),
        "a list of what has other generations": (partial(paper, page=b"/X[3 0 R 2 9 R 7 65535 R 1 1 R]"), TAKEN),
        "no parents": (lambda: paper().replace(b"/Parent 2 0 R", b"/Parant 2 0 R"), TAKEN),
        "parent is itself": (lambda: paper().replace(b"/Parent 2 0 R", b"/Parent 3 0 R"), EITHER),
        "parents in a loop": (lambda: paper(pages=b"/Parent 2 0 R", box=b""), EITHER),
        "no MediaBox anywhere": (lambda: paper(box=b""), TAKEN),
        "MediaBox and Rotate inherited": (lambda: paper(box=b"", pages=b"/MediaBox[0 0 400 600]/Rotate 90"), TAKEN),
        "inherited rubbish": (lambda: paper(pages=b"/MediaBox/X/CropBox 7/Rotate(up)/Resources[1 2]"), TAKEN),
        "a tree forty deep": (
            lambda: paper(
                changed={2: b"<</Type/Pages/Kids[9 0 R]/Count 2>>"},
                more={**deep, 40: b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2/Parent 39 0 R>>"},
            ),
            TAKEN,
        ),
        "catalogue without type": (lambda: _tree(_1=b"<</Pages 2 0 R>>"), TAKEN),
        "catalogue of another type": (lambda: _tree(_1=b"<</Type/Page/Pages 2 0 R>>"), EITHER),
        "the root is not named": (lambda: paper(trailer=b""), EITHER),
        "the root is the page tree": (lambda: paper(trailer=b"/Root 2 0 R"), EITHER),
        "the root is direct": (lambda: paper(trailer=b"/Root<</Type/Catalog/Pages 2 0 R>>"), EITHER),
        "trailer with odd keys": (lambda: paper(trailer=b"/Root 1 0 R/Info 99 0 R/ID[(a)]/#00x 1/ 2"), TAKEN),
        "ID of numbers": (lambda: paper(trailer=b"/Root 1 0 R/ID[1 2]"), TAKEN),
        "Info is the catalogue": (lambda: paper(trailer=b"/Root 1 0 R/Info 1 0 R"), TAKEN),
        "Info is a number": (lambda: paper(trailer=b"/Root 1 0 R/Info 5"), TAKEN),
        "version from the future": (lambda: paper(catalogue=b"/Version/9.9"), TAKEN),
        "version is rubbish": (lambda: paper(catalogue=b"/Version(1.7\000)"), TAKEN),
        "extensions are rubbish": (lambda: paper(catalogue=b"/Extensions[<</BaseVersion 3>> 7]"), TAKEN),
    }


def _without_pages() -> Table:
    return {
        "tree in itself": (lambda: _tree(_2=b"<</Type/Pages/Kids[2 0 R]/Count 1>>"), "damaged zero-pages"),
        "tree and pages in a loop": (lambda: _tree(_2=b"<</Type/Pages/Kids[3 0 R 2 0 R]/Count 2>>"), EITHER),
        "two trees in each other": (
            lambda: paper(
                changed={2: b"<</Type/Pages/Kids[8 0 R]/Count 1>>"},
                more={8: b"<</Type/Pages/Kids[2 0 R]/Count 1>>"},
            ),
            "damaged zero-pages",
        ),
        "kids is a page": (lambda: _tree(_2=b"<</Type/Pages/Kids 3 0 R/Count 1>>"), f"{EITHER} zero-pages"),
        "kids is a number": (lambda: _tree(_2=b"<</Type/Pages/Kids 3/Count 1>>"), "damaged zero-pages"),
        "kids is empty": (lambda: _tree(_2=b"<</Type/Pages/Kids[]/Count 0>>"), "zero-pages"),
        "no kids": (lambda: _tree(_2=b"<</Type/Pages/Count 2>>"), "damaged zero-pages"),
        "only holes": (lambda: _tree(_2=b"<</Type/Pages/Kids[null null]/Count 2>>"), "damaged zero-pages"),
        "no page tree": (lambda: _tree(_1=b"<</Type/Catalog>>"), f"{EITHER} zero-pages"),
        "the page tree is a page": (lambda: _tree(_1=b"<</Type/Catalog/Pages 3 0 R>>"), f"{EITHER} zero-pages"),
        "the page tree is a number": (lambda: _tree(_1=b"<</Type/Catalog/Pages 9>>"), f"{EITHER} zero-pages"),
        "the root is not there": (lambda: paper(trailer=b"/Root 88 0 R"), EITHER),
        "the root is null": (lambda: paper(trailer=b"/Root null"), EITHER),
        "the root is a stream": (lambda: paper(trailer=b"/Root 5 0 R"), f"{EITHER} zero-pages"),
    }


def trees() -> list[Hostile]:
    """Trailers, catalogues and page trees that are not what they should be."""
    return files("page tree", _pages_and_counts() | _parents_and_roots() | _without_pages(), pages=None)


def cut() -> list[Hostile]:
    """A file cut at many places, and files with something before, behind or between."""
    whole = update(paper(), {5: stream(line(1))}, 8)
    shares = {
        f"cut at {share} of 20": (partial(_cut, whole, share), f"{EITHER} zero-pages not-a-pdf")
        for share in range(1, 20)
    }
    tail = {f"{count} bytes short": (lambda count=count: paper()[:-count], TAKEN) for count in (1, 3, 7, 20)}
    junk = {
        "1000 bytes before": (lambda: b"\r\n" * 500 + paper(), TAKEN),
        "5000 bytes before": (lambda: b"\r\n" * 2_500 + paper(), f"{DELIVERED} not-a-pdf"),
        "a mail around it": (lambda: b"Content-Type: application/pdf\r\n\r\n" + paper() + b"\r\n--x--\r\n", TAKEN),
        "a script before": (lambda: b"<script>alert(1)</script>\n" + paper(), TAKEN),
        "a second head": (lambda: b"%PDF-1.4\n%PDF-1.7\n" + paper(), TAKEN),
        "two files": (lambda: paper() + paper(), TAKEN),
        "zeros behind": (lambda: paper() + bytes(5_000), TAKEN),
        "noise behind": (lambda: paper() + random.Random(5).randbytes(3_000), TAKEN),
        "an archive behind": (lambda: paper() + _archive(), TAKEN),
        "line ends turned": (lambda: paper().replace(b"\n", b"\r\n"), TAKEN),
        "line ends dropped": (lambda: paper().replace(b"\n", b"\r"), TAKEN),
        "high bits cut": (lambda: bytes(byte & 127 for byte in paper(content=bytes(range(256)))), EITHER),
        "head without version": (lambda: paper().replace(b"%PDF-1.7", b"%PDF-"), TAKEN),
        "head of version nine": (lambda: paper().replace(b"%PDF-1.7", b"%PDF-9.7"), TAKEN),
        "head with a word": (lambda: paper().replace(b"%PDF-1.7", b"%PDF-one"), TAKEN),
    }
    return files("cut", shares, pages=None) + files("cut", tail) + files("junk around", junk, pages=None)


def _cut(data: bytes, share: int) -> bytes:
    return data[: len(data) * share // 20]


def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("paper.pdf", b"none")
    return buffer.getvalue()


def _picture() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def no_pdfs() -> list[Hostile]:
    """Other things under the name of a PDF."""
    return files(
        "no PDF",
        {
            "empty": (lambda: b"", "not-a-pdf"),
            "one byte": (lambda: b"%", "not-a-pdf"),
            "archive": (_archive, "not-a-pdf"),
            "picture": (_picture, "not-a-pdf"),
            "web page": (lambda: b"<!DOCTYPE html><title>Sign in</title><p>Your session has ended.", "not-a-pdf"),
            "web page about PDF": (lambda: b"<!DOCTYPE html><p>Files begin with %PDF-1.7</p>", "damaged not-a-pdf"),
            "text": (lambda: "Ceci n’est pas un PDF. 这不是PDF。".encode() * 50, "not-a-pdf"),
            "PostScript": (lambda: b"%!PS-Adobe-3.0\nshowpage\n", "not-a-pdf"),
            "form data": (
                lambda: b"%FDF-1.2\n1 0 obj<</FDF<</Fields[]>>>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
                "not-a-pdf",
            ),
            "zeros": (lambda: bytes(10_000), "not-a-pdf"),
            "noise": (lambda: random.Random(8).randbytes(10_000), "not-a-pdf"),
            "a head alone": (lambda: b"%PDF-1.7\n", "damaged"),
            "a head and noise": (lambda: b"%PDF-1.7\n" + random.Random(9).randbytes(9_000), "damaged"),
            "a head and an end": (lambda: b"%PDF-1.7\n%%EOF\n", "damaged"),
            "a head and empty trailer": (lambda: b"%PDF-1.7\ntrailer<<>>\nstartxref\n0\n%%EOF\n", "damaged"),
            "wide characters": (lambda: paper().decode("latin-1").encode("utf-16"), "not-a-pdf"),
            "base64": (lambda: __import__("base64").b64encode(paper()), "not-a-pdf"),
        },
    )


def structure_files() -> list[Hostile]:
    """All of this file."""
    return [*cross_references(), *trees(), *cut(), *no_pdfs()]
