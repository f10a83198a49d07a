"""Encryption of every kind, boxes, strings and names, labels, bookmarks, destinations, tags, notes and layers out of order."""

from __future__ import annotations

import io
import re
from functools import partial

import pikepdf

from tests.hostile.drafts import DELIVERED, Hostile, files, line, packed, paper, stream

TAKEN, EITHER = DELIVERED, f"{DELIVERED} damaged"
REVISIONS = {
    "RC4, 40 bits": 2,
    "RC4, 128 bits": 3,
    "AES, 128 bits": 4,
    "AES, 256 bits, revision 5": 5,
    "AES, 256 bits": 6,
}


def locked(revision: int, user: str = "", owner: str = "owner") -> bytes:
    """A document encrypted in one of the standard ways."""
    buffer = io.BytesIO()
    aes = revision >= 4
    encryption = pikepdf.Encryption(user=user, owner=owner, R=revision, aes=aes, metadata=aes)  # type: ignore[arg-type]  # 2 to 6
    with pikepdf.open(io.BytesIO(paper())) as pdf:
        pdf.save(buffer, encryption=encryption, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return buffer.getvalue()


def _changed(revision: int, pattern: bytes, replacement: bytes, user: str = "") -> bytes:
    data, count = re.subn(
        pattern, lambda match: (replacement + b" " * len(match[0]))[: len(match[0])], locked(revision, user), flags=re.S
    )
    assert count, "nothing to break"
    return data


def encryption() -> list[Hostile]:
    """Handlers known and unknown, with and without their passwords."""
    open_ones = {f"{name}, empty password": (partial(locked, number), TAKEN) for name, number in REVISIONS.items()}
    closed = {
        f"{name}, password": (partial(locked, number, "secret"), "password-required")
        for name, number in REVISIONS.items()
    }
    broken = {
        "unknown handler": (
            partial(_changed, 4, rb"/Filter /Standard", b"/Filter /Strange"),
            "unsupported",
        ),
        "unknown version": (partial(_changed, 4, rb"/V 4", b"/V 9"), "unsupported"),
        "unknown revision": (partial(_changed, 4, rb"/R 4", b"/R 9"), "unsupported"),
        "length of no sense": (partial(_changed, 3, rb"/Length 128", b"/Length 77"), f"{EITHER} password-required"),
        "no /O": (partial(_changed, 4, rb"/O <[0-9a-f]+>", b""), "damaged password-required"),
        "no /U": (partial(_changed, 4, rb"/U <[0-9a-f]+>", b""), "damaged password-required"),
        "/U of zeros": (
            partial(_changed, 3, rb"/U <[0-9a-f]+>", b"/U <" + b"0" * 64 + b">"),
            "password-required damaged",
        ),
        "/O of zeros": (
            partial(_changed, 3, rb"/O <[0-9a-f]+>", b"/O <" + b"0" * 64 + b">"),
            "password-required damaged",
        ),
        "/U too short": (partial(_changed, 6, rb"/U <[0-9a-f]+>", b"/U <00>"), "password-required damaged"),
        "/UE gone": (partial(_changed, 6, rb"/UE <[0-9a-f]+>", b""), "damaged password-required"),
        "/Perms of zeros": (
            partial(_changed, 6, rb"/Perms <[0-9a-f]+>", b"/Perms <" + b"0" * 32 + b">"),
            f"{EITHER} password-required",
        ),
        "/P is a name": (partial(_changed, 4, rb"/P -\d+", b"/P /X"), f"{EITHER} password-required"),
        "crypt filters gone": (
            partial(_changed, 4, rb"/CF <<.*?>> >>", b""),
            f"{EITHER} unsupported password-required",
        ),
        "identity for streams": (
            partial(_changed, 4, rb"/StmF /StdCF", b"/StmF/None"),
            f"{EITHER} unsupported password-required",
        ),
        "no ID": (partial(_changed, 3, rb"/ID \[[^\]]*\]", b""), f"{EITHER} password-required"),
        "named in the trailer and not there": (lambda: paper(trailer=b"/Root 1 0 R/Encrypt 99 0 R"), TAKEN),
        "a number": (lambda: paper(trailer=b"/Root 1 0 R/Encrypt 7"), EITHER),
        "an empty dictionary": (
            lambda: paper(trailer=b"/Root 1 0 R/Encrypt<<>>"),
            "damaged password-required unsupported",
        ),
        "itself the catalogue": (
            lambda: paper(trailer=b"/Root 1 0 R/Encrypt 1 0 R"),
            "damaged password-required unsupported",
        ),
        "public keys": (
            lambda: paper(trailer=b"/Root 1 0 R/ID[(a)(b)]/Encrypt<</Filter/Adobe.PubSec/V 4/R 4>>"),
            "damaged unsupported password-required",
        ),
    }
    return files("encryption", {**open_ones, **closed}) + files("encryption", broken, pages=None, unclean=True)


BOXES = {
    "swapped": b"/MediaBox[595 842 0 0]",
    "negative": b"/MediaBox[-300 -400 295 442]",
    "far away": b"/MediaBox[100000 100000 100595 100842]",
    "of five": b"/MediaBox[0 0 595 842 7]",
    "of three": b"/MediaBox[0 0 595]",
    "of strings": b"/MediaBox[(a)(b)(c)(d)]",
    "of nulls": b"/MediaBox[null null null null]",
    "of indirect numbers": b"/MediaBox[0 0 8 0 R 9 0 R]",
    "not a number": b"/MediaBox[0 0 nan inf]",
    "with exponents": b"/MediaBox[0 0 5.95e2 8.42e2]",
    "a string": b"/MediaBox(0 0 595 842)",
    "a number": b"/MediaBox 595",
    "a dictionary": b"/MediaBox<</W 595/H 842>>",
    "empty": b"/MediaBox[]",
    "crop outside": b"/MediaBox[0 0 595 842]/CropBox[900 900 1000 1000]",
    "crop larger": b"/MediaBox[0 0 595 842]/CropBox[-99 -99 2000 2000]",
    "crop of zero": b"/MediaBox[0 0 595 842]/CropBox[5 5 5 5]",
    "crop swapped": b"/MediaBox[0 0 595 842]/CropBox[500 700 20 20]",
    "crop of a hair": b"/MediaBox[0 0 595 842]/CropBox[5 5 5.5 800]",
    "crop is rubbish": b"/MediaBox[0 0 595 842]/CropBox[/a(b)]/TrimBox 7/ArtBox null",
    "rotated by 45": b"/MediaBox[0 0 595 842]/Rotate 45",
    "rotated by -90": b"/MediaBox[0 0 595 842]/Rotate -90",
    "rotated by 4500000": b"/MediaBox[0 0 595 842]/Rotate 4500000",
    "rotated by a name": b"/MediaBox[0 0 595 842]/Rotate/Left",
    "rotated by 90.5": b"/MediaBox[0 0 595 842]/Rotate 90.5",
    "unit negative": b"/MediaBox[0 0 595 842]/UserUnit -2",
    "unit zero": b"/MediaBox[0 0 595 842]/UserUnit 0",
    "unit a name": b"/MediaBox[0 0 595 842]/UserUnit/Inch",
    "unit tiny": b"/MediaBox[0 0 595 842]/UserUnit 0.01",
    "many digits": b"/MediaBox[0.00000000000000000001 0 595.00000000000000000000000000000001 842]",
    "small": b"/MediaBox[0 0 20 20]",
    "a strip": b"/MediaBox[0 0 14000 12]",
    "narrow": b"/MediaBox[0 0 12 14000]",
}
NO_BOXES = {
    "of zero": b"/MediaBox[0 0 0 0]",
    "huge": b"/MediaBox[0 0 1000000000 99999999999]",
    "of 20000": b"/MediaBox[0 0 20000 20000]",
    "unit huge": b"/MediaBox[0 0 595 842]/UserUnit 99999999",
    "flat": b"/MediaBox[0 0 595 0]",
    "beyond integers": b"/MediaBox[0 0 99999999999999999999999 99999999999999999999999]",
    "a speck": b"/MediaBox[0 0 0.5 0.5]",
}


def boxes() -> list[Hostile]:
    """Page boxes, rotations and units."""
    sides = {8: b"595", 9: b"842"}
    good = {
        name: (
            partial(paper, box=box, more=sides),
            f"{TAKEN} unsupported" if name in {"unit tiny", "crop of a hair"} else TAKEN,
        )
        for name, box in BOXES.items()
    }
    bad = {name: (partial(paper, box=box), "unsupported damaged") for name, box in NO_BOXES.items()}
    return files("boxes", good) + files("boxes", bad)


def _named(name: bytes) -> bytes:
    return paper(
        resources=b"/Resources<</Font<</%b 7 0 R>>>>" % name, content=b"BT /%b 12 Tf 72 700 Td (x) Tj ET" % name
    )


LONG = 40_000
STRINGS = {
    "odd escapes": b"(\\q\\8\\777\\\r\n\\)\\()",
    "brackets balanced": b"(((((a)))))",
    "nothing": b"()",
    "hexadecimal odd": b"<abc>",
    "hexadecimal with blanks": b"< 4 1\n4 2 >",
    "bad UTF-16": b"<FEFFD800>",
    "UTF-8 with mark": b"(\xef\xbb\xbf\xff\xfe)",
    "language escapes": b"<FEFF001B0065006E001B0041>",
    "zeros": b"(" + bytes(300) + b")",
    "long": b"(" + b"a" * LONG + b")",
    "not a string": b"[1 2]",
    "a name": b"/Name",
    "a stream": b"5 0 R",
    "not there": b"99 0 R",
    "markup": b"(<script>alert(1)</script>&amp;]]>)",
}


def words() -> list[Hostile]:
    """Names, strings and dates as no program writes them."""
    names = {
        f"name {label}": (partial(_named, name), TAKEN)
        for label, name in {
            "with zero byte": b"F#00",
            "not UTF-8": b"\xff\xfe\x80",
            "empty": b"",
            "with a slash escaped": b"F#2fX",
            "with an escape cut": b"F#2",
            "with an escape of letters": b"F#zz",
            "of 5000 letters": b"N" * 5_000,
            "with brackets escaped": b"#28#29#3c#3e",
            "with blanks escaped": b"#20#0a#09",
            "of ours": b"RlS",
            "with quotes": b"'\"`$;",
            "in Chinese": "字体".encode(),
        }.items()
    }
    titles = {f"title: {label}": (partial(_information, b"/Title " + text), TAKEN) for label, text in STRINGS.items()}
    langs = {
        f"language: {label}": (partial(paper, catalogue=b"/Lang " + text), TAKEN)
        for label, text in list(STRINGS.items())[::4]
    }
    dates = {
        f"date {label}": (partial(_information, b"/CreationDate %b/ModDate %b" % (text, text)), TAKEN)
        for label, text in {
            "of rubbish": b"(yesterday)",
            "beyond the calendar": b"(D:99999999999999Z99)",
            "a number": b"20261124",
            "a list": b"[(D:2026)]",
        }.items()
    }
    return files("names and strings", names, unclean=True) + files("names and strings", {**titles, **langs, **dates})


def _information(entries: bytes) -> bytes:
    return paper(trailer=b"/Root 1 0 R/Info 8 0 R", more={8: b"<<%b>>" % entries})


LABELS = {
    "is a list": b"[0 1]",
    "keys are names": b"<</Nums[/a<</S/D>>]>>",
    "odd count": b"<</Nums[0<</S/D>>1]>>",
    "backwards": b"<</Nums[5<</S/D>>0<</S/r>>]>>",
    "negative": b"<</Nums[-5<</S/D>>]>>",
    "huge": b"<</Nums[2147483647<</S/D/St 2147483647>>]>>",
    "kids in themselves": b"8 0 R",
    "styles of rubbish": b"<</Nums[0<</S(x)/P[1]/St/Two>>]>>",
    "values are numbers": b"<</Nums[0 7 1 8]>>",
    "empty": b"<<>>",
    "limits that lie": b"<</Kids[<</Limits[9 3]/Nums[0<</S/A>>]>>]>>",
    "not there": b"99 0 R",
    "null values": b"<</Nums[0 null]>>",
}
OUTLINES = {
    "is a number": b"7",
    "first is itself": b"11 0 R",
    "next is itself": b"<</First 12 0 R>>",
    "in a ring": b"<</First 13 0 R/Last 14 0 R/Count 99>>",
    "child of its child": b"<</First 15 0 R>>",
    "items are strings": b"<</First(x)/Last 7>>",
    "count huge": b"<</First<</Title(x)>>/Count -99999999999>>",
    "title is a list": b"<</First<</Title[1]/Dest 7>>>>",
    "destinations of rubbish": b"<</First<</Title(x)/Dest[9999/Fit/Fit(x)]>>>>",
    "destination is itself": b"<</First<</Title(x)/Dest 17 0 R>>>>",
    "of streams": b"<</First 5 0 R>>",
    "colours of rubbish": b"<</First<</Title(x)/C[9(x)]/F/Y/SE 99 0 R>>>>",
}
DESTINATIONS = {
    "a name that names itself": b"/Dests<</x/x>>",
    "pages by number": b"/Dests<</x[0/Fit]/y[99/Fit]/z[-1/Fit]>>",
    "not lists": b"/Dests[1 2 3]",
    "a tree of trees in a ring": b"/Names<</Dests 16 0 R>>",
    "names odd": b"/Names<</Dests<</Names[(a)[3 0 R/Fit](b)]>>>>",
    "names of numbers": b"/Names<</Dests<</Names[1[3 0 R]2[0]]>>>>",
    "names is a list": b"/Names[/Dests]",
    "list in itself": b"/Dests<</x 17 0 R>>",
    "opens at nowhere": b"/OpenAction[99 0 R/XYZ 1 2 3]",
    "opens at a number": b"/OpenAction 7",
    "opens at an empty list": b"/OpenAction[]",
    "opens at a page number": b"/OpenAction[1/XYZ null null nan]",
    "viewer preferences of rubbish": b"/ViewerPreferences[7]/PageLayout(x)/PageMode 3",
}
TAGS = {
    "is a number": b"/StructTreeRoot 7",
    "empty": b"/StructTreeRoot<<>>/MarkInfo 3",
    "root in itself": b"/StructTreeRoot 18 0 R",
    "kids of all kinds": b"/StructTreeRoot<</K[1(x)null/Y[<<>>]99 0 R]>>",
    "parents of rubbish": b"/StructTreeRoot<</ParentTree 7/ParentTreeNextKey(x)>>",
    "parents in a ring": b"/StructTreeRoot<</ParentTree 8 0 R/ParentTreeNextKey -5>>",
    "next key huge": b"/StructTreeRoot<</ParentTree<</Nums[]>>/ParentTreeNextKey 2147483647>>",
    "kid is the root": b"/StructTreeRoot 19 0 R",
    "roles in a ring": b"/StructTreeRoot<</RoleMap<</A/B/B/A>>/ClassMap 3>>",
    "a document of numbers": b"/StructTreeRoot<</K<</S/Document/K 7>>>>",
    "next key beyond integers": b"/StructTreeRoot<</ParentTreeNextKey 99999999999999999999>>",
    "parents with names for keys": b"/StructTreeRoot<</ParentTree<</Nums[/x[] 3]>>>>",
}
NOTES = {
    "a number": b"/Annots 7",
    "of all kinds": b"/Annots[1(x)null/Y[[]]99 0 R 3 0 R 5 0 R]",
    "in itself": b"/Annots 17 0 R",
    "a popup of itself": b"/Annots[20 0 R]",
    "rectangles of rubbish": b"/Annots[<</Subtype/Link/Rect[9(x)]/QuadPoints 7/Border/X>>]",
    "appearance of rubbish": b"/Annots[<</Subtype/Stamp/Rect[0 0 9 9]/AP 7>><</Subtype/Stamp/Rect[0 0 9 9]/AP<</N<</On 7>>>>/AS(x)>>]",
    "appearance of itself": b"/Annots[21 0 R]",
    "opaque over all": b"/Annots[<</Subtype/Square/Rect[0 0 595 842]/IC[1 1 1]>>]",
    "flags of rubbish": b"/Annots[<</Subtype/Text/Rect[0 0 9 9]/F(x)/Contents 7/T[1]/M/Y/Popup 99 0 R>>]",
    "a widget without a form": b"/Annots[<</Subtype/Widget/Rect[0 0 9 9]/FT/Tx/V(x)>>]",
    "kinds that are strings": b"/Annots[<</Subtype(Link)/Rect[0 0 9 9]>>]",
    "the same one a thousand times": b"/Annots[" + b"22 0 R " * 1_000 + b"]",
}
LAYERS = {
    "is a number": b"/OCProperties 7",
    "empty": b"/OCProperties<<>>",
    "all off": b"/OCProperties<</OCGs[23 0 R]/D<</OFF[23 0 R]/BaseState/OFF/Order[[[[23 0 R]]]]>>>>",
    "groups of rubbish": b"/OCProperties<</OCGs[1(x)null]/D 3/Configs(x)>>",
    "order in itself": b"/OCProperties<</OCGs[23 0 R]/D<</Order 17 0 R>>>>",
    "usage in a ring": b"/OCProperties<</OCGs[24 0 R]/D<</AS[<</Event/View/OCGs[24 0 R]/Category[/View]>>]>>>>",
}
RINGS = {
    8: b"<</Kids[8 0 R 8 0 R]/Limits[0 9]>>",
    11: b"<</First 11 0 R/Last 11 0 R>>",
    12: b"<</Title(a)/Next 12 0 R/First 12 0 R>>",
    13: b"<</Title(a)/Next 14 0 R/Prev 14 0 R>>",
    14: b"<</Title(b)/Next 13 0 R/Parent 14 0 R>>",
    15: b"<</Title(a)/First<</Title(b)/First 15 0 R>>>>",
    16: b"<</Kids[16 0 R 16 0 R 16 0 R]>>",
    17: b"[17 0 R 17 0 R]",
    18: b"<</Type/StructTreeRoot/K 18 0 R/P 18 0 R>>",
    19: b"<</K[<</S/Document/K 19 0 R>>]>>",
    20: b"<</Subtype/Popup/Rect[0 0 9 9]/Parent 20 0 R/Popup 20 0 R>>",
    21: b"<</Subtype/Stamp/Rect[0 0 9 9]/AP 21 0 R/N 21 0 R>>",
    22: b"<</Subtype/Link/Rect[0 0 9 9]/Dest[4 0 R/Fit]>>",
    23: b"<</Type/OCG/Name(x)>>",
    24: b"<</Type/OCG/Name 24 0 R/Usage 24 0 R>>",
}


DOUBTFUL = {"next key beyond integers", "the same one a thousand times"}
"""What qpdf does not read, or complains of so often that it gives the file up."""


def ornaments() -> list[Hostile]:
    """Labels, bookmarks, destinations, tags, notes and layers that are not what they should be, or go in rings."""
    made: list[Hostile] = []
    for kind, part, prefix, entries in (
        ("page labels", "catalogue", b"/PageLabels ", LABELS),
        ("bookmarks", "catalogue", b"/Outlines ", OUTLINES),
        ("destinations", "catalogue", b"", DESTINATIONS),
        ("tags", "catalogue", b"", TAGS),
        ("notes", "page", b"", NOTES),
        ("layers", "catalogue", b"", LAYERS),
    ):
        made += files(
            kind,
            {
                name: (partial(paper, **{part: prefix + words}, more=RINGS), EITHER if name in DOUBTFUL else TAKEN)
                for name, words in entries.items()
            },
            unclean=True,
        )
    return made


def fonts() -> list[Hostile]:
    """Fonts that are none, or draw themselves."""
    kinds = {
        "a number": b"7",
        "an empty dictionary": b"<<>>",
        "of an unknown kind": b"<</Type/Font/Subtype/Surprise>>",
        "composite without descendants": b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H>>",
        "composite of itself": b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[7 0 R]>>",
        "with widths of rubbish": b"<</Type/Font/Subtype/TrueType/BaseFont/X/FirstChar -9/LastChar 99999/Widths[(a)null]>>",
        "file of noise": b"<</Type/Font/Subtype/TrueType/BaseFont/X/FontDescriptor<</FontFile2 8 0 R/Flags(x)>>>>",
        "encoding is itself": b"<</Type/Font/Subtype/Type1/BaseFont/X/Encoding 7 0 R>>",
        "type 3 in itself": b"<</Type/Font/Subtype/Type3/FontBBox[0 0 1 1]/FontMatrix[1 0 0 1 0 0]/CharProcs<</a 9 0 R>>"
        b"/Encoding<</Differences[65/a]>>/FirstChar 65/LastChar 65/Widths[1]/Resources<</Font<</F1 7 0 R>>>>>>",
        "map in itself": b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 10 0 R>>",
    }
    more = {
        8: stream(packed(b"\0\1\0\0" + b"glyf" * 99), b"/Filter/FlateDecode"),
        9: stream(b"1 0 d0 BT /F1 1 Tf (A) Tj ET"),
        10: stream(b"1 begincodespacerange <00> <ff> endcodespacerange /X usecmap", b"/UseCMap 10 0 R"),
    }
    return files(
        "fonts",
        {name: (partial(paper, changed={7: font}, more=more, content=line(1)), TAKEN) for name, font in kinds.items()},
    )


def odd_files() -> list[Hostile]:
    """All of this file."""
    return [*encryption(), *boxes(), *words(), *ornaments(), *fonts()]
