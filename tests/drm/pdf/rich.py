"""One document with something of everything, as the keys and values of its objects, so that any value can be made wrong."""

from __future__ import annotations

from collections.abc import Mapping

from tests.drm.pdf.bad_files import raw, stream

WORDS = b"BT /F1 12 Tf 72 700 Td (Sediment memory) Tj ET\n/Im Do /Fm Do\n"
Entries = dict[str, str]

RICH: dict[int, Entries] = {
    1: {
        "Type": "/Catalog",
        "Pages": "2 0 R",
        "Outlines": "5 0 R",
        "Names": "<</Dests 8 0 R>>",
        "Dests": "<</old[4 0 R/Fit]>>",
        "PageLabels": "<</Nums[0<</S/D/St 5>>]>>",
        "StructTreeRoot": "9 0 R",
        "AcroForm": "12 0 R",
        "OCProperties": "<</OCGs[20 0 R]/D<</Order[20 0 R]>>>>",
        "OpenAction": "[3 0 R/Fit]",
        "Metadata": "15 0 R",
        "MarkInfo": "<</Marked true>>",
        "Lang": "(en)",
        "PageMode": "/UseOutlines",
        "ViewerPreferences": "<</DisplayDocTitle true>>",
    },
    2: {
        "Type": "/Pages",
        "Kids": "[3 0 R 4 0 R]",
        "Count": "2",
        "MediaBox": "[0 0 595 842]",
        "Resources": "<</Font<</F1 18 0 R>>/XObject<</Im 19 0 R/Fm 17 0 R>>>>",
    },
    3: {
        "Type": "/Page",
        "Parent": "2 0 R",
        "Contents": "6 0 R",
        "Annots": "[7 0 R 13 0 R]",
        "StructParents": "0",
        "Rotate": "0",
        "CropBox": "[10 10 585 832]",
        "Group": "<</S/Transparency/CS/DeviceRGB>>",
        "Trans": "<</S/Dissolve>>",
    },
    4: {"Type": "/Page", "Parent": "2 0 R", "Contents": "[6 0 R 14 0 R]", "UserUnit": "1", "Tabs": "/S"},
    5: {"Type": "/Outlines", "First": "16 0 R", "Last": "16 0 R", "Count": "1"},
    6: {"Length": ""},
    7: {
        "Type": "/Annot",
        "Subtype": "/Link",
        "Rect": "[72 72 200 90]",
        "Border": "[0 0 0]",
        "A": "<</S/URI/URI(https://example.org/)>>",
        "StructParent": "1",
    },
    8: {"Names": "[(second)[4 0 R/Fit]]", "Limits": "[(second)(second)]"},
    9: {"Type": "/StructTreeRoot", "K": "10 0 R", "ParentTree": "11 0 R", "RoleMap": "<</Body/P>>"},
    10: {"Type": "/StructElem", "S": "/P", "P": "9 0 R", "K": "0", "Pg": "3 0 R", "A": "<</O/Layout>>"},
    11: {"Nums": "[0[10 0 R]]"},
    12: {"Fields": "[13 0 R]", "DA": "(/Helv 0 Tf 0 g)", "DR": "<</Font<</Helv 18 0 R>>>>", "NeedAppearances": "true"},
    13: {
        "Type": "/Annot",
        "Subtype": "/Widget",
        "FT": "/Tx",
        "T": "(name)",
        "V": "(value)",
        "Rect": "[72 100 200 120]",
        "P": "3 0 R",
        "AP": "<</N 17 0 R>>",
        "F": "4",
    },
    14: {"Length": ""},
    15: {"Type": "/Metadata", "Subtype": "/XML", "Length": ""},
    16: {"Title": "(Second page)", "Parent": "5 0 R", "Dest": "[4 0 R/Fit]"},
    17: {
        "Type": "/XObject",
        "Subtype": "/Form",
        "BBox": "[0 0 9 9]",
        "Resources": "<<>>",
        "Matrix": "[1 0 0 1 0 0]",
        "Length": "",
    },
    18: {"Type": "/Font", "Subtype": "/Type1", "BaseFont": "/Helvetica", "Encoding": "/WinAnsiEncoding"},
    19: {
        "Type": "/XObject",
        "Subtype": "/Image",
        "Width": "1",
        "Height": "1",
        "BitsPerComponent": "8",
        "ColorSpace": "/DeviceGray",
        "Length": "",
    },
    20: {"Type": "/OCG", "Name": "(Layer)", "Usage": "<<>>"},
}
STREAMS = {6: WORDS, 14: b"q 0 0 1 rg 10 10 5 5 re f Q\n", 15: b"<x/>", 17: b"0 0 5 5 re f\n", 19: b"\x80"}

ODD_VALUES = {
    "minus one": "-1",
    "huge": "99999999999999999999",
    "tiny": "0.0000000001",
    "empty name": "/",
    "name of no text": "/\xff\xfe",
    "broken text": "(\xfe\xff\xd8\x00)",
    "empty list": "[]",
    "list of nothing": "[null null null null]",
    "list of itself": "[{self} 0 R {self} 0 R]",
    "empty dictionary": "<<>>",
    "itself": "{self} 0 R",
    "the catalog": "1 0 R",
    "a page": "3 0 R",
    "a stream": "6 0 R",
    "missing": "999 0 R",
    "null": "null",
    "true": "true",
    "deep list": "[" * 150 + "]" * 150,
}
"""Values of the wrong kind. ``{self}`` stands for the number of the object that holds them."""


def written(objects: Mapping[int, Mapping[str, str]] = RICH) -> bytes:
    """The document as a file."""
    return raw(*(_body(number, objects[number]) for number in sorted(objects)))


def with_value(number: int, key: str, value: str) -> dict[int, Entries]:
    """The document with one entry changed or added."""
    changed = {n: dict(entries) for n, entries in RICH.items()}
    changed[number][key] = value.replace("{self}", str(number))
    return changed


def _body(number: int, entries: Mapping[str, str]) -> bytes:
    text = "".join(f"/{key} {value}" for key, value in entries.items() if value).encode("latin-1")
    if number not in STREAMS:
        return b"<<%b>>" % text
    if not entries.get("Length"):
        return stream(STREAMS[number], text)
    return b"<<%b>>stream\n%b\nendstream" % (text, STREAMS[number])
