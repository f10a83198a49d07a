"""Files that are refused, each for its reason, and bombs; and a stream of damaged ones, the same for the same seed."""

from __future__ import annotations

import io
import random
import zlib
from collections.abc import Callable, Iterator

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from tests.drm.pdf.active import HIDDEN, actions, places, plain
from tests.drm.pdf_drawing.samples import document, saved, text_at

Maker = Callable[[], bytes]


def good(pages: int = 2) -> bytes:
    """A plain document."""
    return saved(document(*(text_at(72, 700, f"Page {number}") for number in range(1, pages + 1))))


def raw(*objects: bytes, root: int = 1) -> bytes:
    """A file written by hand from the bodies of its objects, with a true cross-reference table."""
    data, places_ = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places_.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % place for place in places_)
    return data + b"trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, root, start)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """The body of a stream object."""
    return b"<</Length %d%b>>stream\n%b\nendstream" % (len(data), entries, data)


def page_with(content: bytes, box: bytes = b"[0 0 595 842]", more: bytes = b"") -> bytes:
    """One page whose content is this object."""
    return raw(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox%b/Contents 4 0 R/Resources<<>>%b>>" % (box, more),
        content,
    )


def locked(user: str = "open sesame") -> bytes:
    """A document that needs a password to open ("" needs none)."""
    buffer = io.BytesIO()
    pikepdf.open(io.BytesIO(good())).save(buffer, encryption=pikepdf.Encryption(user=user, owner="owner", R=6))
    return buffer.getvalue()


def _packed(data: bytes, times: int) -> bytes:
    for _ in range(times):
        data = zlib.compress(data, 9)
    return data


def _xfa_only() -> bytes:
    pdf = plain()
    pdf.Root.NeedsRendering = True
    pdf.Root.AcroForm = Dictionary(Fields=Array([]), XFA=pdf.make_stream(b"<xdp/>"))
    return saved(pdf)


def _portfolio() -> bytes:
    return raw(b"<</Type/Catalog/Pages 2 0 R/Collection<<>>>>", b"<</Type/Pages/Kids[]/Count 0>>")


def _object_stream_bomb() -> bytes:
    inner = _packed(b" " * 200_000_000, 1)
    return page_with(stream(inner, b"/Type/ObjStm/N 1/First 5/Filter/FlateDecode"))


def _many_objects() -> bytes:
    return raw(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>", *[b"null"] * 2_000)


def _tree_loop() -> bytes:
    return raw(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>")


def _deep_tree() -> bytes:
    nodes = [b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (number + 1) for number in range(2, 30_000)]
    return raw(b"<</Type/Catalog/Pages 2 0 R>>", *nodes, b"<</Type/Page/MediaBox[0 0 9 9]>>")


def _million_pages() -> bytes:
    kids = b"3 0 R " * 1_000_000
    return raw(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%b]/Count 1000000>>" % kids,
        b"<</Type/Page/MediaBox[0 0 9 9]>>",
    )


REFUSED: dict[str, tuple[Maker, set[str]]] = {
    "empty": (lambda: b"", {"not-a-pdf"}),
    "picture": (lambda: b"\x89PNG\r\n" + b"\0" * 999, {"not-a-pdf"}),
    "only a head": (lambda: b"%PDF-1.7\n", {"damaged"}),
    "head and noise": (lambda: b"%PDF-1.7\n" + random.Random(1).randbytes(20_000), {"damaged"}),
    "password": (locked, {"password-required"}),
    "no pages": (lambda: raw(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"), {"zero-pages"}),
    "no page tree": (lambda: raw(b"<</Type/Catalog>>"), {"damaged", "zero-pages"}),
    "root is no dictionary": (lambda: raw(b"7"), {"damaged"}),
    "portfolio": (_portfolio, {"unsupported"}),
    "dynamic form": (_xfa_only, {"unsupported"}),
    "wrong count of pages": (lambda: good().replace(b"/Count 2", b"/Count 9"), {"damaged"}),
    "giant page": (lambda: page_with(stream(b""), b"[0 0 20000 20000]"), {"unsupported"}),
    "page without area": (lambda: page_with(stream(b""), b"[0 0 0 0]"), {"unsupported"}),
    "giant unit": (lambda: page_with(stream(b""), more=b"/UserUnit 1000000"), {"unsupported"}),
    "flate bomb": (lambda: page_with(stream(_packed(b" " * 400_000_000, 1), b"/Filter/FlateDecode")), {"bomb", "timeout"}),
    "stacked flate bomb": (
        lambda: page_with(stream(_packed(b" " * 300_000_000, 3), b"/Filter[/FlateDecode/FlateDecode/FlateDecode]")),
        {"bomb", "timeout"},
    ),
    "too many filters": (
        lambda: page_with(stream(_packed(b"BT ET", 9), b"/Filter[" + b"/FlateDecode" * 9 + b"]")),
        {"bomb", "damaged"},
    ),
    "run length bomb": (lambda: page_with(stream(b"\x81 " * 1_000_000, b"/Filter/RunLengthDecode")), {"bomb"}),
    "nested arrays": (lambda: page_with(stream(b""), more=b"/X" + b"[" * 50_000 + b"]" * 50_000), {"bomb", "damaged", "zero-pages"}),
    "page tree loop": (_tree_loop, {"damaged", "zero-pages", "bomb"}),
    "deep page tree": (_deep_tree, {"bomb", "damaged", "zero-pages", "crashed"}),
    "a million pages": (_million_pages, {"too-many-pages", "bomb", "timeout"}),
}  # fmt: skip


def _old_style() -> bytes:
    return good().replace(b"startxref", b"startxref\n9999999 %")


REPAIRABLE: dict[str, Maker] = {
    "cut cross-reference": lambda: good()[: good().rindex(b"startxref")],
    "lying offsets": _old_style,
    "junk in front": lambda: b"\n\nHTTP junk\n" + good(),
    "junk behind": lambda: good() + b"\0" * 2_000,
    "opens with the empty password": lambda: locked(""),
}


def damaged(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Good and active files, cut, flipped, doubled and lied about. Equal seeds give equal files."""
    chance = random.Random(seed)
    sources = [good(3), locked(""), *(_planted(number) for number in range(6))]
    for number in range(count):
        data = bytearray(chance.choice(sources))
        how = chance.choice(["cut", "flip", "zero", "double", "number", "name", "swap"])
        place = chance.randrange(len(data))
        if how == "cut":
            del data[place:]
        elif how == "flip":
            for _ in range(chance.randint(1, 40)):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        elif how == "zero":
            data[place : place + chance.randint(1, 400)] = b"\0" * 50
        elif how == "double":
            data[place:place] = data[place : place + chance.randint(1, 4_000)]
        elif how == "number":
            data = bytearray(bytes(data).replace(b" 0 R", b" 1 R", chance.randint(1, 4)))
        elif how == "name":
            data = bytearray(
                bytes(data).replace(chance.choice([b"/Kids", b"/Type", b"/Contents", b"/Length"]), b"/Xyz", 2)
            )
        else:
            other = chance.randrange(len(data))
            data[place : place + 200], data[other : other + 200] = data[other : other + 200], data[place : place + 200]
        yield f"{number}-{how}", bytes(data)


def _planted(number: int) -> bytes:
    pdf = plain()
    kinds = list(actions().values())
    for place in list(places().values())[number::3]:
        place(pdf, kinds[(number * 5) % len(kinds)])
    list(HIDDEN.values())[number * 3](pdf)
    pdf.Root.Lang = String("en")
    pdf.Root.PageMode = Name.UseNone
    return saved(pdf)
