"""Streams that lie about themselves, page content that breaks off, resources in disorder, and damaged object streams."""

from __future__ import annotations

import random
import zlib
from functools import partial

from tests.hostile.drafts import DELIVERED, Hostile, Table, cross_stream, files, line, objects, packed, paper, stream

TAKEN, EITHER = DELIVERED, f"{DELIVERED} damaged"
NOISE = random.Random(11).randbytes(600)


def _raw(entries: bytes, data: bytes | None = None) -> bytes:
    """A page whose content stream has these entries and no others."""
    body = line(1) if data is None else data
    return paper(changed={5: b"<<%b>>stream\n%b\nendstream" % (entries, body)})


def _filtered(filters: bytes, data: bytes) -> bytes:
    return paper(changed={5: stream(data, b"/Filter" + filters)})


def _image(entries: bytes, data: bytes) -> bytes:
    image = stream(
        data, b"/Type/XObject/Subtype/Image/Width 10/Height 10/BitsPerComponent 8/ColorSpace/DeviceGray" + entries
    )
    return paper(
        resources=b"/Resources<</Font<</F1 7 0 R>>/XObject<</Im 8 0 R>>>>",
        content=line(1) + b"q 100 0 0 100 50 50 cm /Im Do Q",
        more={8: image},
    )


def _lengths() -> Table:
    return {
        f"length {word.decode()}": (partial(_raw, b"/Length " + word), TAKEN)
        for word in (b"0", b"1", b"99999", b"-4", b"4000000000", b"99 0 R", b"5 0 R", b"(ten)", b"1.5", b"null", b"[7]")
    }


def _filters() -> Table:
    flate = packed(line(1))
    return {
        "flate cut": (partial(_filtered, b"/FlateDecode", flate[:-9]), TAKEN),
        "flate with a flipped byte": (partial(_filtered, b"/FlateDecode", flate[:20] + b"\xff" + flate[21:]), TAKEN),
        "flate of nothing": (partial(_filtered, b"/FlateDecode", b""), TAKEN),
        "flate without its head": (partial(_filtered, b"/FlateDecode", flate[2:]), TAKEN),
        "flate that is text": (partial(_filtered, b"/FlateDecode", line(1)), TAKEN),
        "flate with noise behind": (partial(_filtered, b"/FlateDecode", flate + NOISE), TAKEN),
        "LZW of noise": (partial(_filtered, b"/LZWDecode", NOISE), TAKEN),
        "ASCII85 of noise": (partial(_filtered, b"/ASCII85Decode", NOISE), TAKEN),
        "ASCIIHex of noise": (partial(_filtered, b"/ASCIIHexDecode", NOISE), TAKEN),
        "RunLength of noise": (partial(_filtered, b"/RunLengthDecode", NOISE), TAKEN),
        "RunLength as it should be": (
            partial(_filtered, b"/RunLengthDecode", bytes([len(line(1)) - 1]) + line(1) + b"\x80"),
            TAKEN,
        ),
        "short names": (partial(_filtered, b"/Fl", flate), TAKEN),
        "array of one": (partial(_filtered, b"[/FlateDecode]", flate), TAKEN),
        "array of none": (partial(_filtered, b"[]", line(1)), TAKEN),
        "array with a hole": (partial(_filtered, b"[null/FlateDecode]", flate), f"{EITHER} unsupported"),
        "number": (partial(_filtered, b" 7", line(1)), f"{EITHER} unsupported"),
        "string": (partial(_filtered, b"(FlateDecode)", flate), f"{EITHER} unsupported"),
        "filter that is itself": (partial(_filtered, b" 5 0 R", line(1)), f"{EITHER} unsupported"),
        "filter not there": (partial(_filtered, b" 99 0 R", line(1)), TAKEN),
        "unknown": (partial(_filtered, b"/BrotliDecode", flate), "unsupported"),
        "unknown behind known": (partial(_filtered, b"[/FlateDecode/Surprise]", flate), "unsupported"),
        "Crypt": (partial(_filtered, b"[/Crypt/FlateDecode]", flate), f"{EITHER} unsupported"),
        "JBIG2 as text": (partial(_filtered, b"/JBIG2Decode", NOISE), "unsupported"),
        "three packings": (
            partial(
                _filtered,
                b"[/ASCIIHexDecode/ASCII85Decode/FlateDecode]",
                b"".join(b"%02x" % byte for byte in _a85(flate)) + b">",
            ),
            TAKEN,
        ),
        "five packings": (
            partial(_filtered, b"[" + b"/FlateDecode" * 5 + b"]", packed(line(1), 5)),
            "bomb unsupported",
        ),
        "name of a filter with odd bytes": (partial(_filtered, b"/Fl#00#ff", flate), f"{TAKEN} unsupported"),
    }


def _predictors() -> Table:
    return {
        f"predictor {words.decode()}": (
            partial(_filtered, b"/FlateDecode/DecodeParms<<%b>>" % words, packed(line(1))),
            f"{EITHER} unsupported",
        )
        for words in (
            b"/Predictor 12/Columns 0",
            b"/Predictor 12/Columns -1",
            b"/Predictor 99",
            b"/Predictor/Up",
            b"/Predictor 12/Colors 99999/Columns 99999",
            b"/Predictor 2/BitsPerComponent 3",
            b"/Predictor 12/Columns 2147483647",
            b"/Predictor 15/Columns(x)",
            b"/Predictor 12/BitsPerComponent 0",
        )
    }


def _images() -> Table:
    return {
        "image cut": (partial(_image, b"/Filter/FlateDecode", packed(bytes(100))[:-5]), TAKEN),
        "image of noise as JPEG": (partial(_image, b"/Filter/DCTDecode", NOISE), TAKEN),
        "image of noise as JPEG 2000": (partial(_image, b"/Filter/JPXDecode", NOISE), TAKEN),
        "image of noise as JBIG2": (partial(_image, b"/Filter/JBIG2Decode", NOISE), TAKEN),
        "image of noise as fax": (
            partial(_image, b"/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns 10>>", NOISE),
            TAKEN,
        ),
        "image with an unknown filter": (partial(_image, b"/Filter/Surprise", NOISE), TAKEN),
        "image that masks itself": (partial(_image, b"/SMask 8 0 R", bytes(100)), TAKEN),
        "image with rubbish for a colour space": (
            partial(_image, b"/Decode[9 9 9]/Mask 5/Intent 7", bytes(100)),
            TAKEN,
        ),
        "no endstream": (lambda: paper().replace(b"\nendstream", b"\n", 1), TAKEN),
        "no endobj": (lambda: paper().replace(b"\nendobj", b"\n"), TAKEN),
        "stream without line end": (lambda: paper().replace(b"stream\nBT", b"streamBT", 1), TAKEN),
        "stream with carriage return": (lambda: paper().replace(b"stream\nBT", b"stream\rBT", 1), TAKEN),
        "endstream inside": (partial(_raw, b"/Length 90", b"% endstream endobj 1 0 obj\n" + line(1)), TAKEN),
    }


def broken_streams() -> list[Hostile]:
    """Lengths, filters and their parameters."""
    groups = (_lengths(), _filters(), _predictors(), _images())
    return [one for group in groups for one in files("broken stream", group, unclean=True)]


def _a85(data: bytes) -> bytes:
    import base64

    return base64.a85encode(data) + b"~>"


def _shown(content: bytes) -> bytes:
    return paper(content=line(1) + content)


ODD_CONTENT = {
    "more Q than q": b"Q Q Q ",
    "more q than Q": b"q q q 0.1 0 0 0.1 0 0 cm ",
    "ends in text": b"BT /F1 5 Tf 3 Tr ",
    "ends in text twice": b"BT BT ",
    "ET without BT": b"ET ET ",
    "ends in marked content": b"/P <</MCID 0>> BDC /Span BMC ",
    "EMC without BMC": b"EMC EMC ",
    "ends in an inline image": b"BI /W 9 /H 9 /BPC 8 /CS /G ID abc",
    "ends in the head of an inline image": b"BI /W 9 /H 9 ",
    "inline image without head": b"ID abc EI ",
    "inline image that holds EI": b"BI /W 4 /H 4 /BPC 8 /CS /G ID \x00 EI \xff\x00\x01EI q\x80\x81 EI Q",
    "inline image packed in many ways": b"BI /W 1 /H 1 /BPC 8 /CS /G /F [/AHx /A85 /LZW /Fl /RL] ID zz EI ",
    "inline image of a giant size": b"BI /W 999999 /H 999999 /BPC 8 /CS /RGB ID zz EI ",
    "open string": b"(this never ends ",
    "open string with a bracket escaped": b"(this never ends \\) q Q",
    "open string in a list": b"[(a) 3 (b ",
    "open list": b"[(a) -3 (b) ",
    "open dictionary": b"/Span <</A 1 /B ",
    "open hexadecimal": b"<41424",
    "odd hexadecimal": b"BT /F1 9 Tf <4z1> Tj ET ",
    "brackets closed that were not open": b") ] >> > } ",
    "closing an array in a string": b"[(a]) (b) ] BT ET ",
    "noise": NOISE,
    "zeros": bytes(500),
    "a comment at the end": b"% no line end",
    "a comment with brackets": b"% ((( <<< [[[\n",
    "unknown operators": b"1 2 3 frobnicate <</A[1]>> zork ",
    "operators glued": b"qqQQBTETq1 0 0 1 0 0cmQ ",
    "numbers of no kind": b"q --5 +-3 1.2.3 4e5 0x7f . - cm Q ",
    "numbers beyond all sense": b"q 99999999999999999999 -1e99 0.00000000000000001 9 9 9 cm Q ",
    "a clip of nothing": b"0 0 0 0 re W n ",
    "a clip of noise": b"q 3 3 m 9 9 l W* n /Pattern cs /X scn ",
    "a matrix of zeros": b"0 0 0 0 0 0 cm ",
    "compatibility left open": b"BX frob ",
    "a type 3 glyph outside a font": b"0 0 d0 1 2 3 4 5 6 d1 ",
    "hidden by a layer left open": b"/OC /None BDC ",
    "a font that is not there": b"BT /Nope 9 Tf (x) Tj ET ",
    "text drawn invisible": b"BT 3 Tr /F1 9 Tf (x) Tj ET ",
    "a state not there": b"/Nope gs /Nope sh /Nope Do /Nope cs ",
    "white on white for good": b"1 g 1 G 1 1 1 rg ",
    "a q in a string in a list": b"[(q) 1 (Q \\( q) ] q ",
    "an octal escape at the end": b"(\\",
    "strings in six nested brackets": b"((((((q)))))) BT ET (((((( ",
    "dictionaries in a hundred": b"/P " + b"<</A" * 100 + b" 1" + b">>" * 100 + b" DP ",
}


def content_oddities() -> list[Hostile]:
    """Content that does not end as content ends, in one stream and in several."""
    single = files(
        "content", {name: (partial(_shown, content), TAKEN) for name, content in ODD_CONTENT.items()}, unclean=True
    )
    parts = {
        "none": b"",
        "null": b"/Contents null",
        "a number": b"/Contents 7",
        "a dictionary": b"/Contents 7 0 R",
        "not there": b"/Contents 99 0 R",
        "empty list": b"/Contents[]",
        "list with holes": b"/Contents[null 5 0 R 99 0 R(x) 7]",
        "the page itself": b"/Contents 3 0 R",
        "list in a list": b"/Contents[[5 0 R]5 0 R]",
        "one stream a hundred times": b"/Contents[" + b"5 0 R " * 100 + b"]",
    }
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 7 0 R>>>>%b>>"
    contents = {
        f"contents: {name}": (partial(paper, changed={3: page % words}), TAKEN) for name, words in parts.items()
    }
    split = {
        f"split {name}": (partial(_split, one, two), TAKEN)
        for name, (one, two) in {
            "in a string": (b"BT /F1 9 Tf (first ", b"second) Tj ET"),
            "in an operator": (b"q 1 0 0 1 0 0 c", b"m Q"),
            "in a list": (b"BT /F1 9 Tf [(a) 3", b"(b)] TJ ET"),
            "in an inline image": (b"BI /W 2 /H 2 /BPC 8 /CS /G ID ab", b"cd EI"),
            "in a comment": (b"% comment ", b"q Q"),
            "between q and Q": (b"q 2 0 0 2 0 0 cm", b"Q Q"),
        }.items()
    }
    return single + files("content", contents) + files("content", split, unclean=True)


def _split(one: bytes, two: bytes) -> bytes:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 7 0 R>>>>/Contents[5 0 R 8 0 R]>>"
    return paper(changed={3: page, 5: stream(one)}, more={8: stream(two)})


def _form(
    entries: bytes, content: bytes = b"/Fm Do", resources: bytes = b"/Resources<</XObject<</Fm 8 0 R>>>>"
) -> bytes:
    form = stream(content, b"/Type/XObject/Subtype/Form/BBox[0 0 99 99]" + entries)
    return paper(resources=resources, content=b"/Fm Do " * 3, more={8: form})


def resources_in_disorder() -> list[Hostile]:
    """Resources that are shared, missing, indirect or of the wrong kind; forms in themselves."""
    kinds = {
        "none": b"",
        "null": b"/Resources null",
        "a number": b"/Resources 7",
        "a list": b"/Resources[7 0 R]",
        "not there": b"/Resources 99 0 R",
        "the page": b"/Resources 3 0 R",
        "a stream": b"/Resources 5 0 R",
        "fonts are a list": b"/Resources<</Font[7 0 R]>>",
        "forms are a number": b"/Resources<</XObject 9>>",
        "forms are not there": b"/Resources<</XObject 99 0 R>>",
        "a form that is not there": b"/Resources<</XObject<</RlS 99 0 R/RlPage null>>>>",
        "names of ours": b"/Resources<</XObject<</RlS 5 0 R/RlSx1 5 0 R>>>>",
        "odd names": b"/Resources<</XObject<</R#20S 5 0 R/#ff 5 0 R/ 5 0 R>>>>",
        "states are strings": b"/Resources<</ExtGState(x)/ProcSet 3>>",
    }
    page = {f"resources: {name}": (partial(paper, resources=words), TAKEN) for name, words in kinds.items()}
    loops = {
        "a form in itself": (partial(_form, b"/Resources<</XObject<</Fm 8 0 R>>>>"), TAKEN),
        "a form without resources in itself": (partial(_form, b""), TAKEN),
        "a form without BBox": (lambda: _form(b"").replace(b"/BBox[0 0 99 99]", b""), TAKEN),
        "a form with a matrix of zeros": (partial(_form, b"/Matrix[0 0 0 0 0 0]", b"0 0 9 9 re f"), TAKEN),
        "a form that ends inside": (partial(_form, b"", b"q q BT (open"), TAKEN),
        "a group of a wrong kind": (partial(_form, b"/Group<</S/Transparency/CS 8 0 R>>", b"q Q"), TAKEN),
        "resources shared by both pages": (_shared, TAKEN),
        "resources inherited": (lambda: paper(resources=b"", pages=b"/Resources<</Font<</F1 7 0 R>>>>"), TAKEN),
        "resources inherited and not there": (lambda: paper(resources=b"", pages=b"/Resources 99 0 R"), TAKEN),
    }
    return files("resources", page) + files("resources", loops)


def _shared() -> bytes:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources 8 0 R>>"
    return paper(
        changed={3: page % 5, 4: page % 6},
        more={8: b"<</Font 9 0 R/XObject 10 0 R>>", 9: b"<</F1 7 0 R>>", 10: b"<<>>"},
    )


def object_streams() -> list[Hostile]:
    """Object streams whose numbers, offsets or bytes are wrong."""
    bodies = objects()
    inside = {number: bodies.pop(number) for number in (1, 2, 3, 4, 7)}
    cross = partial(cross_stream, bodies, inside=inside)
    return files(
        "object stream",
        {
            "whole": (cross, TAKEN),
            "N too small": (partial(cross, N=b"2"), f"{EITHER} zero-pages"),
            "N too large": (partial(cross, N=b"99"), EITHER),
            "N huge": (partial(cross, N=b"2000000000"), f"{EITHER} bomb"),
            "N negative": (partial(cross, N=b"-1"), "damaged"),
            "N is a name": (partial(cross, N=b"/x"), "damaged"),
            "First too small": (partial(cross, First=b"3"), EITHER),
            "First beyond the end": (partial(cross, First=b"99999"), "damaged"),
            "First negative": (partial(cross, First=b"-7"), "damaged"),
            "noise": (partial(cross, body=NOISE), "damaged"),
            "cut": (partial(cross, body=packed(b"1 0 2 9")[:-4]), "damaged"),
            "empty": (partial(cross, body=packed(b"")), "damaged"),
            "objects that are references": (
                partial(cross, body=packed(b"1 0 2 6 3 12 4 18 7 24 " + b"1 0 R " * 5)),
                "damaged",
            ),
            "extends itself": (partial(cross, extends=b"/Extends 9 0 R"), TAKEN),
            "a stream inside": (partial(cross_stream, bodies, inside={**inside, 8: stream(b"q")}), EITHER),
            "zlib of another level": (partial(cross, body=zlib.compress(b"1 0 ", 0)), "damaged"),
        },
    )


def stream_files() -> list[Hostile]:
    """All of this file."""
    return [*broken_streams(), *content_oddities(), *resources_in_disorder(), *object_streams()]
