"""Files made to take time and memory. Each must end within the limits of a child, with a reason or as a copy, and harm no other job."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial

from tests.hostile.drafts import (
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
from tests.hostile.poison_decoders import BOMB, EITHER, MIB, content, decoders, zeros


def _many_objects(count: int, body: bytes = b"null") -> bytes:
    return written(objects(more=dict.fromkeys(range(8, count), body)))


def _object_stream(body: Callable[[], bytes], **lies: bytes) -> bytes:
    bodies = objects()
    inside = {number: bodies.pop(number) for number in (1, 2, 7)}
    return cross_stream(bodies, inside=inside, body=body(), **lies)


def indexes() -> list[Hostile]:
    """Cross-references and object streams that promise more than there is."""
    plain = partial(cross_stream, objects())
    return files(
        "poison: indexes",
        {
            "object stream of flate": (partial(_object_stream, lambda: zeros(400 * MIB)), f"{BOMB} damaged"),
            "object stream of many numbers": (
                partial(_object_stream, lambda: zeros(40 * MIB, b"1 0 "), N=b"9999999"),
                f"{BOMB} damaged",
            ),
            "cross-reference stream of flate": (
                partial(plain, rows=zeros(400 * MIB, b"\1\0\0\0\7\0\0\0")),
                f"{EITHER} bomb",
            ),
            "/Size of two thousand million": (partial(plain, Size=b"2000000000"), EITHER),
            "/Index of two thousand million": (partial(plain, Index=b"[0 2000000000]"), EITHER),
            "/Index of ten thousand parts": (partial(plain, Index=b"[" + b"0 1 " * 10_000 + b"]"), EITHER),
            "/W of a thousand million": (partial(plain, W=b"[1000000000 1000000000 1000000000]"), EITHER),
            "table of a hundred million": (lambda: paper().replace(b"xref\n0 8", b"xref\n0 100000000"), EITHER),
            "a thousand sections": (partial(_sections, 1_000), EITHER),
            "1.2 million objects": (partial(_many_objects, 1_200_000), BOMB),
            "a hundred thousand objects": (partial(_many_objects, 100_000), EITHER),
            "a hundred thousand repairs": (lambda: paper() + b"9 0 obj\n<</A" * 100_000, EITHER),
            "object numbers beyond all": (
                lambda: paper().replace(b"7 0 obj", b"2147483646 0 obj").replace(b"7 0 R", b"2147483646 0 R"),
                EITHER,
            ),
        },
        pages=None,
        unclean=True,
    )


def _sections(count: int) -> bytes:
    data = paper()
    for _ in range(count):
        data = update(data, {5: stream(line(1))}, 8)
    return data


def _chain(depth: int, template: bytes, last: bytes) -> dict[int, bytes]:
    return {**{number: template % (number + 1) for number in range(8, 8 + depth)}, 8 + depth: last}


def _nested(opening: bytes, closing: bytes, depth: int = 100_000) -> bytes:
    return paper(page=b"/X " + opening * depth + b"1" + closing * depth)


def trees() -> list[Hostile]:
    """Page trees, arrays and dictionaries without measure."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>"
    million = {2: b"<</Type/Pages/Kids[%b]/Count 1000000>>" % (b"3 0 R " * 1_000_000)}
    doubled = {
        **{
            number: b"<</Type/Pages/Kids[%d 0 R %d 0 R]/Count %d>>" % (number + 1, number + 1, 2 ** (38 - number))
            for number in range(8, 38)
        },
        38: page,
    }
    deep = _chain(30_000, b"<</Type/Pages/Kids[%d 0 R]/Count 1>>", page)
    parents = {number: b"<</Type/Pages/Parent %d 0 R>>" % (number + 1) for number in range(8, 20_000)}
    six = {2: b"<</Type/Pages/Kids[%b]/Count 6000>>" % b" ".join(b"%d 0 R" % number for number in range(8, 6_008))}
    shallow = "bomb damaged zero-pages"
    return files(
        "poison: trees",
        {
            "the same page a million times": (lambda: paper(changed=million), f"{EITHER} too-many-pages"),
            "a million pages by doubling": (
                lambda: paper(changed={2: b"<</Type/Pages/Kids[8 0 R]/Count 1073741824>>"}, more=doubled),
                f"{shallow} timeout too-many-pages",
            ),
            "6000 pages": (lambda: paper(changed=six, more=dict.fromkeys(range(8, 6_008), page)), "too-many-pages"),
            "30000 deep": (
                lambda: paper(changed={2: b"<</Type/Pages/Kids[8 0 R]/Count 1>>"}, more=deep),
                f"{shallow} timeout crashed",
            ),
            "parents 20000 deep": (
                lambda: paper(box=b"", changed={4: b"<</Type/Page/Parent 8 0 R/Contents 6 0 R>>"}, more=parents),
                EITHER,
            ),
            "arrays 100000 deep": (partial(_nested, b"[", b"]"), "bomb damaged"),
            "dictionaries 100000 deep": (partial(_nested, b"<</A", b">>"), "bomb damaged"),
            "arrays never closed": (partial(_nested, b"[", b""), "bomb damaged"),
            "arrays 400 deep": (partial(_nested, b"[", b"]", 400), "bomb damaged delivered"),
            "content of arrays 100000 deep": (lambda: paper(content=line(1) + b"[" * 100_000), EITHER),
            "content of dictionaries 100000 deep": (
                lambda: paper(content=line(1) + b"/P " + b"<</A" * 100_000 + b">>" * 100_000 + b" DP"),
                EITHER,
            ),
            "content of brackets 100000 deep": (
                lambda: paper(content=line(1) + b"(" * 100_000 + b")" * 100_000 + b"Tj"),
                EITHER,
            ),
            "objects that name each other 50000 long": (
                lambda: paper(page=b"/X 8 0 R", more=_chain(50_000, b"[%d 0 R]", b"7")),
                EITHER,
            ),
            "references that lead to references": (
                lambda: paper(page=b"/X 8 0 R", more=_chain(5_000, b"%d 0 R", b"7")),
                EITHER,
            ),
        },
        pages=None,
        unclean=True,
    )


def _bookmarks(count: int) -> dict[int, bytes]:
    return {
        8 + number: b"<</Title(x)/Parent 8 0 R/Dest[3 0 R/Fit]/Next %d 0 R>>" % (9 + number) for number in range(count)
    }


def _map(count: int) -> bytes:
    ranges = b"".join(b"<%04x> <%04x> <0041>\n" % (code, code) for code in range(65_536))
    return zlib.compress(b"/CMapName/X def\n65536 beginbfrange\n" + ranges * count + b"endbfrange\n", 9)


def _forms(levels: int, times: int) -> bytes:
    """Forms that each draw the next many times: times ** levels in all."""
    head = b"/Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<</XObject<</Fm %d 0 R>>>>"
    made = {8 + level: stream(b"/Fm Do " * times, head % (9 + level)) for level in range(levels)}
    made[8 + levels] = stream(b"0 0 9 9 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 99 99]")
    return paper(resources=b"/Resources<</XObject<</Fm 8 0 R>>>>", content=b"/Fm Do", more=made)


def _pattern(entries: bytes, content: bytes, use: bytes = b"/Pattern cs /P scn 0 0 500 500 re f") -> bytes:
    body = stream(
        content,
        b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/Resources<</Pattern<</P 8 0 R>>>>"
        + entries,
    )
    return paper(resources=b"/Resources<</Pattern<</P 8 0 R>>>>", content=use, more={8: body})


def _content_without_measure() -> Table:
    million_q, million_lines = lambda: packed(b"q " * 1_000_000), lambda: packed(b"0 0 m 9 9 l S\n" * 1_000_000)
    return {
        "a million q": (partial(content, b"/FlateDecode", million_q), EITHER),
        "a million lines": (partial(content, b"/FlateDecode", million_lines), EITHER),
        "a million marks": (partial(content, b"/FlateDecode", lambda: packed(b"/P BMC " * 1_000_000)), EITHER),
        "a million words": (
            partial(content, b"/FlateDecode", lambda: packed(b"BT /F1 9 Tf (word word) Tj ET\n" * 1_000_000)),
            EITHER,
        ),
        "a string of 10^8 zeros": (partial(content, b"/FlateDecode", lambda: zeros(96 * MIB, b"(0000000")), BOMB),
        "a hexadecimal string of 60 million zeros": (
            partial(content, b"/FlateDecode", lambda: packed(b"BT <" + b"0" * 60_000_000 + b"> Tj ET")),
            EITHER,
        ),
        "brackets that never close": (partial(content, b"/FlateDecode", lambda: zeros(32 * MIB, b"(a [")), EITHER),
        "a gigantic inline image": (
            partial(
                content,
                b"/FlateDecode",
                lambda: packed(b"BI /W 7000 /H 7000 /BPC 8 /CS /G ID " + bytes(49_000_000) + b" EI"),
            ),
            EITHER,
        ),
        "an inline image of many ends": (
            partial(content, b"/FlateDecode", lambda: packed(b"BI /W 9 /H 9 ID " + b"\xff EI \xff" * 3_000_000)),
            EITHER,
        ),
        "a million inline images": (
            partial(content, b"/FlateDecode", lambda: packed(b"BI /W 1 /H 1 /BPC 8 /CS /G ID a EI\n" * 1_000_000)),
            EITHER,
        ),
    }


def _resources_without_measure() -> Table:
    notes = b"/Annots[" + b"<</Subtype/Link/Rect[0 0 9 9]/A<</S/Launch/F(x)>>>>" * 100_000 + b"]"
    million_notes = b"/Annots[" + b"8 0 R " * 1_000_000 + b"]"
    note = {8: b"<</Subtype/Link/Rect[0 0 9 9]/Dest[3 0 R/Fit]>>"}
    shading = b"/Resources<</Shading<</S<</ShadingType 1/ColorSpace/DeviceRGB/Domain[0 1e9 0 1e9]/Function 8 0 R>>>>>>"
    program = {8: stream(b"{" + b"dup mul " * 50_000 + b"}", b"/FunctionType 4/Domain[0 1 0 1]/Range[0 1 0 1 0 1]")}
    return {
        "100000 notes that launch": (lambda: paper(page=notes), EITHER),
        "one note a million times": (lambda: paper(page=million_notes, more=note), EITHER),
        "200000 bookmarks": (
            lambda: paper(catalogue=b"/Outlines<</First 8 0 R>>", more=_bookmarks(200_000)),
            EITHER,
        ),
        "a map of a million ranges": (
            lambda: paper(
                changed={7: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 8 0 R>>"},
                more={8: stream(_map(16), b"/Filter/FlateDecode")},
            ),
            EITHER,
        ),
        "a billion forms": (partial(_forms, 9, 10), f"{EITHER} output-invalid crashed"),
        "forms 2000 deep": (partial(_forms, 2_000, 1), f"{EITHER} crashed"),
        "a pattern of itself": (
            partial(_pattern, b"/XStep 1/YStep 1/Matrix[0.01 0 0 0.01 0 0]", b"/Pattern cs /P scn 0 0 9 9 re f"),
            EITHER,
        ),
        "a pattern of tiny steps": (partial(_pattern, b"/XStep 0.0001/YStep 0.0001", b"0 0 1 1 re f"), EITHER),
        "a shading of a long program": (
            lambda: paper(resources=shading, content=b"/S sh " * 200, more=program),
            EITHER,
        ),
        "dashes without end": (lambda: paper(content=b"[0.00001] 0 d 1 w 0 0 m 500 800 l S " * 50), EITHER),
        "curves by the million": (
            partial(content, b"/FlateDecode", lambda: packed(b"0 0 m " + b"1 2 300 400 5 600 c " * 500_000 + b"f*")),
            EITHER,
        ),
        "5000 pages of 5000 sizes": (_sizes, EITHER),
    }


def drawings() -> list[Hostile]:
    """Content, forms, patterns, fonts and notes without measure."""
    made = _content_without_measure() | _resources_without_measure()
    return files("poison: drawings", made, unclean=True, pages=None)


def _sizes() -> bytes:
    pages = {
        number: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]>>" % (200 + number, 300 + number)
        for number in range(8, 5_008)
    }
    kids = b" ".join(b"%d 0 R" % number for number in pages)
    return paper(changed={2: b"<</Type/Pages/Kids[%b]/Count 5000>>" % kids}, more=pages)


def poison_files() -> list[Hostile]:
    """All of this file."""
    return [*decoders(), *indexes(), *trees(), *drawings()]
