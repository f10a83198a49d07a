"""A second opinion on a finished copy: what in it acts, calls out or hides, found without the product's own code."""

from __future__ import annotations

from collections.abc import Container, Iterator

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream

from tests.hostile.drafts import CANARY_PORT, MARK

NEVER = frozenset(
    [
        "/AA",
        "/JS",
        "/JavaScript",
        "/EF",
        "/EmbeddedFiles",
        "/AF",
        "/XFA",
        "/AcroForm",
        "/RichMediaContent",
        "/3DD",
        "/PieceInfo",
        "/OPI",
        "/Alternates",
        "/FFilter",
        "/Renditions",
        "/PresSteps",
        "/SpiderInfo",
        "/Requirements",
        "/NeedsRendering",
        "/Collection",
        "/DSS",
        "/Movie",
        "/AlternatePresentations",
    ]
)
"""Keys that stand in no copy, in whatever dictionary, but where they are names of the page's own resources."""

KINDS = frozenset(
    [
        "/JavaScript",
        "/Launch",
        "/SubmitForm",
        "/ImportData",
        "/ResetForm",
        "/GoToR",
        "/GoToE",
        "/Rendition",
        "/Movie",
        "/Sound",
        "/GoTo3DView",
        "/RichMediaExecute",
        "/SetOCGState",
        "/Hide",
        "/Trans",
    ]
)
NOTES = frozenset(
    [
        "/Link",
        "/Text",
        "/FreeText",
        "/Line",
        "/Square",
        "/Circle",
        "/Polygon",
        "/PolyLine",
        "/Highlight",
        "/Underline",
        "/Squiggly",
        "/StrikeOut",
        "/Stamp",
        "/Caret",
        "/Ink",
        "/Popup",
    ]
)
RESOURCES = frozenset(
    [
        "/Font",
        "/XObject",
        "/ExtGState",
        "/ColorSpace",
        "/Pattern",
        "/Shading",
        "/Properties",
        "/CharProcs",
        "/ClassMap",
        "/RoleMap",
        "/Dests",
    ]
)
LEAVING = ("http:", "https:", "mailto:", "doi:")


def _parts(pdf: pikepdf.Pdf) -> Iterator[tuple[str, Object]]:
    """Every dictionary and stream, with the key under which it was met."""
    waiting: list[tuple[str, Object]] = [("", top) for top in pdf.objects]
    waiting.append(("/Root", pdf.Root))
    while waiting:
        under, value = waiting.pop()
        if isinstance(value, Dictionary | Stream):
            yield under, value
            waiting += [
                (key, child) for key, child in value.items() if isinstance(child, Object) and not child.is_indirect
            ]
        elif isinstance(value, Array):
            waiting += [(under, child) for child in value if isinstance(child, Object) and not child.is_indirect]


def _word(value: object) -> str:
    return value.unparse().decode("latin-1") if isinstance(value, Name) else ""


def _goes_out(action: Object) -> bool:
    address: object = action.get("/URI", "")
    return not isinstance(address, pikepdf.String) or not bytes(address).lower().startswith(
        tuple(map(str.encode, LEAVING))
    )


def _noted(pdf: pikepdf.Pdf) -> set[tuple[int, int]]:
    """The objects that some list of annotations names, whatever they call themselves."""
    lists = (part.get("/Annots") for _, part in _parts(pdf) if "/Annots" in part)
    return {
        note.objgen for found in lists if isinstance(found, Array) for note in found if isinstance(note, Dictionary)
    }


def _acts(under: str, part: Object, noted: Container[tuple[int, int]]) -> Iterator[str]:
    kind = _word(part.get("/S"))
    if "/F" in part and (isinstance(part, Stream) or _word(part.get("/Type")) == "/XObject"):
        yield "stream from elsewhere"
    if under not in RESOURCES:
        yield from (f"key {key}" for key in part.keys() & NEVER)
    if kind in KINDS:
        if not (kind == "/Trans" or "/P" in part):  # a structure element may be called anything
            yield f"action {kind}"
    elif kind == "/URI" and _goes_out(part):
        yield "address of a kind that may not be"
    elif kind in {"/URI", "/GoTo", "/Named"} and "/Next" in part:
        yield "chain"
    if (
        under in {"/A", "/PA", "/OpenAction"}
        and kind not in {"/URI", "/GoTo", "/Named"}
        and "/O" not in part
        and set(part.keys()) - {"/Type", "/S"}
    ):
        yield f"{under} {kind or 'of no kind'}"
    # What calls itself something else is an annotation only where a list of these names it: fonts have a subtype, too.
    counts = _word(part.get("/Type")) in {"", "/Annot"} or part.objgen in noted
    if counts and "/Rect" in part and "/Subtype" in part and _word(part.get("/Subtype")) not in NOTES:
        yield f"annotation {_word(part.get('/Subtype')) or 'of no kind'}"
    if _word(part.get("/Type")) in {"/Filespec", "/EmbeddedFile"} or _word(part.get("/Subtype")) == "/PS":
        yield f"a {part.get('/Type', part.get('/Subtype'))}"


def _marked(pdf: pikepdf.Pdf) -> Iterator[str]:
    """Where the words that the hostile files plant are still to be found."""
    words = (MARK.encode(), f":{CANARY_PORT}".encode())
    for top in pdf.objects:
        if isinstance(top, Stream):
            if _word(top.get("/Subtype")) == "/Image":
                continue
            try:
                data = top.read_bytes()
            except pikepdf.PdfError:
                data = top.read_raw_bytes()
        else:
            data = top.unparse(resolved=True) if isinstance(top, Object) else b""
        if any(word in data or word in _strings(data) for word in words):
            yield f"marker in object {top.objgen[0]}"


def _strings(data: bytes) -> bytes:
    return data.replace(b"\\", b"")


def active_content(pdf: pikepdf.Pdf) -> list[str]:
    """All that a copy may not hold; empty for a harmless one."""
    noted = _noted(pdf) - {(0, 0)}
    found = {what for under, part in _parts(pdf) for what in _acts(under, part, noted)}
    return sorted(found | set(_marked(pdf)))
