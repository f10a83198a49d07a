"""Makes form fields, and notes that would hide the stamp, part of the page: they keep their looks and lie under the stamp.

Annotations are painted after all content of their page (ISO 32000-2, 12.5.2), so an opaque one would cover what we draw.
"""

from __future__ import annotations

from dataclasses import dataclass

import pikepdf
from pikepdf import Annotation, Array, Dictionary, Name, Object

from drm.pdf.content import draw_over
from drm.pdf.field_looks import FieldLooks, value_of
from drm.pdf.geometry import View, box_of, view_of
from drm.pdf.structure import tie_content

UNSEEN = 1 | 2 | 32
"""Flags of an annotation that is not shown: invisible, hidden, no view (ISO 32000-2, table 167)."""

READING_AIDS = frozenset({"/Link", "/Text", "/Popup", "/Highlight", "/Underline", "/Squiggly", "/StrikeOut"})
ANY_SIZE = frozenset({"/FreeText", "/Watermark", "/Redact", "/PrinterMark", "/TrapNet"})
"""Words on the page, and kinds that no copy keeps as notes, though what they look like is part of what is read."""

FILLED = {"/FreeText": "/C"}
"""Where viewers that draw a note themselves find its opaque ground; /IC for all other kinds."""

LARGE, VERY_LARGE = 0.02, 0.25
"""Share of the visible page from which a note, or a reading aid, is taken to hide something."""

FORM_NAME = "RlNotes"
ANNOTATION, LINK = Name.Annot, Name.Link


@dataclass(frozen=True)
class Flattened:
    """How many fields and notes became part of their pages, how many notes lost their ground, and how many values letters."""

    fields: int
    notes: int
    grounds: int
    unshown: int


def flatten(pdf: pikepdf.Pdf) -> Flattened:
    """Turn every visible field, and every large note that brings its own appearance, into content of its page, in place.

    So do watermarks and a few other kinds, however small.

    Their order stays. What is hidden goes without a trace; annotations that stay are not touched, but for the ground of
    large notes that viewers draw themselves.
    """
    form = pdf.acroform if isinstance(pdf.Root.get("/AcroForm"), Dictionary) else None
    looks, gone = FieldLooks(pdf, form), _Gone()
    grounds = 0
    for page in pdf.pages:
        annotations = page.obj.get("/Annots")
        if not isinstance(annotations, Array):
            continue
        view, chosen, kept = view_of(page.obj), list[Object](), list[Object]()
        for one in annotations:
            if not isinstance(one, Dictionary) or one.get("/Type", ANNOTATION) != ANNOTATION:
                continue
            if one.get("/Subtype") == LINK and "/AP" not in one:  # most notes are: seen at once to paint nothing
                kept.append(one)
                continue
            if not _goes_under(one, view):
                grounds += _drop_ground(one, view)
                gone.stays(one)
                kept.append(one)
                continue
            if gone.goes(one) and one.get("/Subtype") == Name.Widget:
                looks.give(one, _look(one))
            chosen.append(one)
        if chosen:
            _draw_on(pdf, page, view, chosen)
            gone.pages.append((page.obj, kept))
    looks.finish()
    gone.clear()
    return Flattened(gone.fields, gone.notes, grounds, looks.unshown)


class _Gone:
    """What became part of pages. It is emptied only at the end, since several pages may have it in their lists."""

    def __init__(self) -> None:
        self.fields = self.notes = 0
        self.pages: list[tuple[Object, list[Object]]] = []
        self._drawn: list[Object] = []
        self._seen: set[tuple[int, int]] = set()
        self._kept: set[tuple[int, int]] = set()

    def goes(self, one: Object) -> bool:
        """Note one that is drawn on a page; False where it was on another page before."""
        if one.is_indirect and one.objgen in self._seen:
            return False
        if one.is_indirect:
            self._seen.add(one.objgen)
        self._drawn.append(one)
        if one.get("/Subtype") == Name.Widget:
            self.fields += 1
        else:
            self.notes += 1
        return True

    def stays(self, one: Object) -> None:
        """Note one that a page keeps, though on another, smaller one it may be drawn."""
        if one.is_indirect:
            self._kept.add(one.objgen)

    def clear(self) -> None:
        """Empty what is drawn, and leave each page the rest, without the windows of notes that are gone."""
        for one in self._drawn:
            if not (one.is_indirect and one.objgen in self._kept):
                empty(one)
        for page, kept in self.pages:
            page["/Annots"] = Array([one for one in kept if not _is_orphan(one)])


def empty(holder: Object) -> None:
    """Leave a dictionary nothing, so that whoever still refers to it finds nothing."""
    for key in list(holder.keys()):
        del holder[key]


def _is_orphan(annotation: Object) -> bool:
    """Whether this is the window of a note that is gone."""
    owner = annotation.get("/Parent")
    return annotation.get("/Subtype") == Name.Popup and isinstance(owner, Dictionary) and not len(owner)


def _goes_under(annotation: Object, view: View) -> bool:
    kind = annotation.get("/Subtype")
    if kind == Name.Widget:
        return True
    if not isinstance(kind, Name) or _look(annotation) is None:
        return False
    return kind.unparse().decode("ascii") in ANY_SIZE or _share(annotation, view) > _limit(kind)


def _limit(kind: Object) -> float:
    return VERY_LARGE if kind.unparse().decode("ascii") in READING_AIDS else LARGE


def _share(annotation: Object, view: View) -> float:
    box = box_of(annotation.get("/Rect"))
    if box is None:
        return 0.0
    across = min(box[2], view.right) - max(box[0], view.left)
    up = min(box[3], view.top) - max(box[1], view.bottom)
    return max(0.0, across) * max(0.0, up) / ((view.right - view.left) * (view.top - view.bottom))


def _drop_ground(annotation: Object, view: View) -> int:
    kind = annotation.get("/Subtype")
    if not isinstance(kind, Name) or kind.unparse().decode("ascii") in READING_AIDS:
        return 0
    key = FILLED.get(kind.unparse().decode("ascii"), "/IC")
    if key not in annotation or _look(annotation) is not None or _share(annotation, view) <= LARGE:
        return 0
    del annotation[key]
    return 1


def _look(annotation: Object) -> Object | None:
    """The normal appearance that holds now; None where viewers have to draw the annotation themselves."""
    looks = annotation.get("/AP")
    normal = looks.get("/N") if isinstance(looks, Dictionary) else None
    if isinstance(normal, pikepdf.Stream):
        return normal
    if not isinstance(normal, Dictionary):
        return None
    state = annotation.get("/AS")
    if not isinstance(state, Name):
        state = value_of(annotation)
    look = normal.get(state) if isinstance(state, Name) else None
    return look if isinstance(look, pikepdf.Stream) else None


def _lend_fonts(look: Object, lent: Object | None) -> None:
    """Fonts that an appearance takes from its form, which will be gone."""
    fonts = lent.get("/Font") if isinstance(lent, Dictionary) else None
    if not isinstance(fonts, Dictionary):
        return
    if not isinstance(look.get("/Resources"), Dictionary):
        look.Resources = Dictionary()
    if not isinstance(look.Resources.get("/Font"), Dictionary):
        look.Resources.Font = Dictionary()
    for key, font in fonts.items():
        if key not in look.Resources.Font:
            look.Resources.Font[key] = font


def _draw_on(pdf: pikepdf.Pdf, page: pikepdf.Page, view: View, annotations: list[Object]) -> None:
    """One form over the page that paints all appearances, each as its viewer would have placed it (12.5.5)."""
    resources, drawn = Dictionary(XObject=Dictionary(), Properties=Dictionary()), list[tuple[Object, bytes]]()
    for index, one in enumerate(annotations):
        content = _placed(pdf, one, view.rotate, f"/N{index}", resources)
        if content and isinstance(one.get("/OC"), Dictionary):
            resources.Properties[f"/O{index}"] = one.OC
            content = b"/OC /O%d BDC\n%bEMC\n" % (index, content)
        if content:
            drawn.append((one, content))
    if not drawn:
        return
    wrapper = pdf.make_stream(b"")
    marks = tie_content(pdf, page.obj, wrapper, [one for one, _ in drawn])
    pieces = [b"%b\n%bEMC\n" % (mark, piece) if mark else piece for mark, (_, piece) in zip(marks, drawn, strict=True)]
    wrapper.write(b"".join(pieces))
    wrapper.Type, wrapper.Subtype, wrapper.Resources = Name.XObject, Name.Form, resources
    wrapper.BBox = Array([view.left, view.bottom, view.right, view.top])
    draw_over(pdf, page, wrapper, b"q /%s Do Q\n", FORM_NAME)


def _placed(pdf: pikepdf.Pdf, annotation: Object, rotate: int, name: str, resources: Dictionary) -> bytes:
    """The operators that paint an annotation's appearance, which becomes a resource of this name; b"" for one unseen."""
    look = _look(annotation)
    if look is None:
        return b""
    look.Type, look.Subtype = Name.XObject, Name.Form
    if annotation.get("/Subtype") == Name.Widget:
        form = pdf.Root.get("/AcroForm")
        _lend_fonts(look, form.get("/DR") if isinstance(form, Dictionary) else None)
    annotation.AP = Dictionary(N=look)
    try:
        placed: bytes = Annotation(annotation).get_page_content_for_appearance(Name(name), rotate, 0, UNSEEN)
    except (RuntimeError, ValueError, TypeError, pikepdf.PdfError):  # a rectangle or matrix that is none
        return b""
    if placed:
        resources.XObject[name] = look
    return placed
