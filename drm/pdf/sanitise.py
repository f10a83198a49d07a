"""Removes what acts, calls out or hides in a document: in indirect objects and in dictionaries nested in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream

from drm.pdf.outlines import mend_outlines
from drm.pdf.watched import is_watched

SCHEMES = frozenset({"http", "https", "mailto", "doi"})
PLAIN_ACTIONS = frozenset({"/GoTo", "/URI", "/Named"})
PLAIN_NAMES = frozenset({"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"})
PLAIN_ANNOTATIONS = frozenset(
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
CATALOG_KEYS = (
    "/AA",
    "/AF",
    "/Collection",
    "/Perms",
    "/DSS",
    "/Requirements",
    "/SpiderInfo",
    "/Legal",
    "/NeedsRendering",
    "/Metadata",
    "/Threads",
    "/URI",
)
ANY_KEYS = ("/AA", "/AF", "/PieceInfo", "/JS", "/OPI", "/Alternates", "/SpiderInfo", "/Thumb", "/PresSteps")
DEEPEST = 200


def sanitise(pdf: pikepdf.Pdf) -> tuple[str, ...]:
    """Remove all active and hidden content, in place; returns what was removed as ``kind`` or ``kind*count``."""
    removed: Counter[str] = Counter()
    _flatten_forms(pdf, removed)
    _clean_catalog(pdf.Root, removed)
    mend_outlines(pdf)
    for page in pdf.pages:
        _clean_annotations(page.obj, removed)
    for holder in _dictionaries(pdf):
        _clean(holder, removed)
    return tuple(kind if count == 1 else f"{kind}*{count}" for kind, count in sorted(removed.items()))


def find_active(pdf: pikepdf.Pdf) -> tuple[str, ...]:
    """What a document still holds of the things that ``sanitise`` removes; empty for a clean one."""
    found: Counter[str] = Counter()
    root = pdf.Root
    for key in CATALOG_KEYS:
        if key in root and key != "/Metadata":
            found[key[1:]] += 1
    names = root.get("/Names")
    if isinstance(names, Dictionary):
        found.update(key[1:] for key in ("/JavaScript", "/EmbeddedFiles") if key in names)
    if "/AcroForm" in root:
        found["AcroForm"] += 1
    for holder in _dictionaries(pdf):
        found.update(key[1:] for key in ANY_KEYS if key in holder)
        if _is_action(holder) and not _is_plain(holder):
            found[f"action {_kind(holder)}"] += 1
        if _is_annotation(holder) and _word(holder.get("/Subtype")) not in PLAIN_ANNOTATIONS:
            found[f"annotation {_word(holder.get('/Subtype'))}"] += 1
        if _is_outline_item(holder):
            found.update(_armed(holder))
    for page in pdf.pages:
        for annotation in _annotations(page.obj):
            if _word(annotation.get("/Subtype")) not in PLAIN_ANNOTATIONS:
                found[f"annotation {_word(annotation.get('/Subtype'))}"] += 1
            found.update(_armed(annotation))
    return tuple(sorted(found))


def _word(value: object) -> str:
    """A name as plain ASCII, since names need not be UTF-8; "" for what is no name."""
    return value.unparse().decode("ascii") if isinstance(value, Name) else ""


def _annotations(page: Object) -> list[Object]:
    found = page.get("/Annots")
    return [one for one in found if isinstance(one, Dictionary)] if isinstance(found, Array) else []


def _armed(holder: Object) -> list[str]:
    """The actions of an annotation or outline item that are more than plain, told by their place whatever they call themselves."""
    return [
        f"action {_kind(holder.get(key))}" for key in ("/A", "/PA") if key in holder and not _is_plain(holder.get(key))
    ]


def _kind(action: object) -> str:
    return (_word(action.get("/S"))[1:] if isinstance(action, Dictionary) else "") or "unknown"


def _dictionaries(pdf: pikepdf.Pdf) -> Iterator[Object]:
    """Every dictionary: of each indirect object and nested inside it. Indirect ones are met as objects of their own.

    Objects in which nothing stands that is looked for here are left out.
    """
    for top in filter(is_watched, pdf.objects):
        waiting = [(top, 0)]
        while waiting:
            value, depth = waiting.pop()
            if depth > DEEPEST:
                raise RecursionError("nested too deeply")
            if isinstance(value, Stream | Dictionary):
                yield value
                inside = [child for _, child in value.items()]
            elif isinstance(value, Array):
                inside = list(value)
            else:
                continue
            waiting += [(child, depth + 1) for child in inside if isinstance(child, Object) and not child.is_indirect]


def _flatten_forms(pdf: pikepdf.Pdf, removed: Counter[str]) -> None:
    """Fields become what they look like; a signature's appearance stays, the signature goes."""
    form = pdf.Root.get("/AcroForm")
    if form is None:
        return
    if isinstance(form, Dictionary) and "/XFA" in form:
        removed["XFA"] += 1
    if any("/ByteRange" in holder for holder in _dictionaries(pdf)):
        removed["signature"] += 1
    removed["form"] += 1
    for page in pdf.pages:
        _mend_for_flattening(page.obj)
    # Appearances are made only where the form asks for them by /NeedAppearances, so that goes with the form, afterwards.
    pdf.generate_appearance_streams()
    pdf.flatten_annotations("screen")
    for page in pdf.pages:
        _drop_annotations(page.obj, lambda annotation: annotation.get("/Subtype") == Name.Widget)
    if "/AcroForm" in pdf.Root:  # flattening may have taken it away with the last field
        del pdf.Root["/AcroForm"]


def _mend_for_flattening(page: Object) -> None:
    """Leave out holes in the content and annotations of no kind, at which flattening stops."""
    contents = page.get("/Contents")
    if isinstance(contents, Array):
        page["/Contents"] = Array([stream for stream in contents if isinstance(stream, Stream)])
    _drop_annotations(page, lambda annotation: not _word(annotation.get("/Subtype")))


def _drop_annotations(page: Object, unwanted: Callable[[Object], bool]) -> int:
    annotations = page.get("/Annots")
    if not isinstance(annotations, Array):
        if annotations is not None:
            del page["/Annots"]
        return 0
    kept = [annotation for annotation in annotations if isinstance(annotation, Dictionary) and not unwanted(annotation)]
    gone = len(annotations) - len(kept)
    if gone:
        if kept:
            page["/Annots"] = Array(kept)
        else:
            del page["/Annots"]
    return gone


def _clean_annotations(page: Object, removed: Counter[str]) -> None:
    gone = _drop_annotations(page, lambda annotation: _word(annotation.get("/Subtype")) not in PLAIN_ANNOTATIONS)
    if gone:
        removed["annotation"] += gone
    for annotation in _annotations(page):
        _disarm(annotation, removed)


def _clean_catalog(root: Object, removed: Counter[str]) -> None:
    for key in CATALOG_KEYS:
        if key in root:
            del root[key]
            if key != "/Metadata":
                removed[key[1:]] += 1
    opening = root.get("/OpenAction")
    if isinstance(opening, Dictionary) and not (opening.get("/S") == Name.GoTo and "/Next" not in opening):
        del root["/OpenAction"]
        removed["OpenAction"] += 1
    pages = root.get("/Pages")
    if isinstance(pages, Dictionary) and "/Parent" in pages:
        del pages["/Parent"]  # nothing is above the top; qpdf looks for the page tree there
    names = root.get("/Names")
    if isinstance(names, Dictionary):
        for key in ("/JavaScript", "/EmbeddedFiles", "/Renditions", "/AlternatePresentations"):
            if key in names:
                del names[key]
                removed[key[1:]] += 1
    elif names is not None:
        del root["/Names"]


def _is_action(holder: Object) -> bool:
    kind = holder.get("/S")
    if not isinstance(kind, Name) or isinstance(holder, Stream):
        return False
    if holder.get("/Type") == Name.Action:
        return True
    # An action needs no /Type. These keys tell it from a structure element, a transition or a group, which have /S too.
    return _word(kind) in {
        "/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/ResetForm", "/GoToR", "/GoToE", "/Rendition", "/Movie", "/Sound",
        "/GoTo3DView", "/RichMediaExecute", "/SetOCGState", "/Hide", "/URI", "/Named",
    } or (kind == Name.Thread and "/D" in holder and "/P" not in holder)  # fmt: skip


def _is_plain(action: object) -> bool:
    if not isinstance(action, Dictionary):
        return False
    kind = _word(action.get("/S"))
    if kind not in PLAIN_ACTIONS or "/Next" in action:
        return False
    if kind == "/Named":
        return _word(action.get("/N")) in PLAIN_NAMES
    if kind == "/URI":
        try:
            return urlsplit(str(action.get("/URI", ""))).scheme.lower() in SCHEMES
        except ValueError:
            return False
    return True


def _is_annotation(holder: Object) -> bool:
    return holder.get("/Type") == Name.Annot and "/Rect" in holder


def _is_outline_item(holder: Object) -> bool:
    return "/Title" in holder


def _clean(holder: Object, removed: Counter[str]) -> None:
    for key in ANY_KEYS:
        if key in holder:
            del holder[key]
            removed[key[1:]] += 1
    if "/Metadata" in holder:  # of a page or picture, unseen and unchecked
        del holder["/Metadata"]
    if _is_outline_item(holder):
        _disarm(holder, removed)
    if "/Next" in holder and _is_action(holder):
        del holder["/Next"]
        removed["action chain"] += 1
    if _is_action(holder) and not _is_plain(holder):
        # Reached some other way than by /A: emptied where it stands.
        for key in list(holder.keys()):
            del holder[key]
        removed["action"] += 1
    if isinstance(holder, Stream):
        _clean_stream(holder, removed)


def _disarm(holder: Object, removed: Counter[str]) -> None:
    """Leave an annotation or outline item nothing but a plain action, alone."""
    for key in ("/A", "/PA"):
        action = holder.get(key)
        if isinstance(action, Dictionary) and "/Next" in action:
            del action["/Next"]
            removed["action chain"] += 1
        if action is not None and not _is_plain(action):
            removed[_kind(action)] += 1
            del holder[key]


def _clean_stream(stream: Object, removed: Counter[str]) -> None:
    for key in ("/F", "/FFilter", "/FDecodeParms"):
        if key in stream:
            del stream[key]
            removed["external data"] += 1
    if "/Ref" in stream and stream.get("/Subtype") == Name.Form:
        del stream["/Ref"]
        removed["reference"] += 1
    if stream.get("/Subtype") == Name.PS or stream.get("/Subtype2") == Name.PS:
        stream.write(b"")
        stream["/Subtype"] = Name.Form
        stream["/BBox"] = Array([0, 0, 0, 0])
        for key in ("/PS", "/Subtype2", "/Level1"):
            if key in stream:
                del stream[key]
        removed["PostScript"] += 1
