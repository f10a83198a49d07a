"""Makes an opened document one reader's copy: the cover first, then the stamp on every page of the article."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name

from drm.pdf.content import draw_over
from drm.pdf.cover import cover_size, lay_out_cover
from drm.pdf.extents import Box
from drm.pdf.footer import Footer, draw_diagonal, draw_in_band, fit_footer, footer_length, page_scale
from drm.pdf.geometry import View, mended_view
from drm.pdf.glyphs import Lettering, number
from drm.pdf.ink import EDGE, MILLIMETRE, Band, bands
from drm.pdf.labels import resolve_page_numbers, shift_labels
from drm.pdf.looking import Looker
from drm.pdf.stamp_text import (
    StampStrings,
    check_texts,
    diagonal_text,
    footer_text,
    right_to_left_reading,
    stamp_strings,
)
from drm.pdf.structure import add_to_structure, is_tagged
from drm.pdf.values import CopySpec, Limits, PdfRefused, StampReport

__all__ = ["StampStrings", "apply_stamp", "right_to_left_reading", "stamp_strings"]

FORM_NAME = "RlS"
ARTIFACT = b"/Artifact<</Type/Pagination/Subtype/Watermark>>BDC\n"
FULL_OPACITY, OVERLAP_OPACITY, DIAGONAL_OPACITY = 1.0, 0.6, 0.16
SRGB = "0.4124 0.2126 0.0193 0.3576 0.7152 0.1192 0.1805 0.0722 0.9505"
MOST_SIZES = 64
"""Different page sizes that get a form of their own; beyond, sizes are rounded to 10 points."""


@dataclass(frozen=True)
class _Copy:
    """The copy being made: the document, the words on it, and the lettering and resources that all parts share."""

    pdf: pikepdf.Pdf
    spec: CopySpec
    strings: StampStrings
    lettering: Lettering
    resources: pikepdf.Object
    opaque: bool = False

    def footer(self, width: float, height: float, band: Band) -> Footer:
        """The footer fitted to one side of a page of this size."""
        _, length = footer_length(width, height, band)
        return fit_footer(self.lettering, footer_text(self.spec, self.strings), length, page_scale(width, height))


@dataclass(frozen=True)
class StampForm:
    """What one stamp form is made for; pages of the same key share it."""

    width: float
    height: float
    band: Band
    overlap: bool


def apply_stamp(
    pdf: pikepdf.Pdf,
    spec: CopySpec,
    source: Path | bytes,
    password: str = "",
    *,
    opaque: bool = False,
    limits: Limits = Limits(),
) -> StampReport:
    """Adds the cover and stamps every page, in place. The same input gives the same objects.

    ``source`` holds the same pages as a file, for measuring ink; ``password`` opens it. The document must be sanitised
    already, because annotations and scripts are left alone. ``opaque`` draws without any transparency and in colours that
    depend on no device, as PDF/A wants it. Raises PdfRefused: ``zero-pages``, or ``glyph-missing``
    when a fixed text cannot be drawn, ``bomb`` when the pages unpack to more than ``limits`` permit.
    """
    pages = list(pdf.pages)
    if not pages:
        raise PdfRefused("zero-pages", "The document has no page.")
    check_texts(spec)
    resources = pdf.make_indirect(opaque_resources() if opaque else Dictionary(ExtGState=graphics_states()))
    copy = _Copy(pdf, spec, stamp_strings(spec), Lettering(), resources, opaque)
    views = [mended_view(page.obj) for page in pages]
    looker = Looker(pages, views, limits.decoded_total_bytes)
    forms = page_forms(copy.footer, views, source, password, looker.boxes)
    drawn: dict[StampForm, pikepdf.Object] = {}
    shared: dict[bytes, pikepdf.Object] = {}
    for index, (page, view, form) in enumerate(zip(pages, views, forms, strict=True)):
        if form not in drawn:
            drawn[form] = _drawn_form(copy, form)
        draw_over(pdf, page, drawn[form], placing(view, form), FORM_NAME, shared, looker.balance(index))
    resolve_page_numbers(pdf)
    _insert_cover(copy, views[0])
    shift_labels(pdf)
    resources.Font = copy.lettering.fonts(pdf)
    overlap = tuple(number for number, form in enumerate(forms, start=1) if form.overlap)
    return StampReport(len(pages), copy.strings.name_shown, copy.strings.name_fallback, overlap)


def page_forms(
    footer: Callable[[float, float, Band], Footer],
    views: Sequence[View],
    source: Path | bytes,
    password: str,
    boxes: Callable[[int], list[Box] | None],
) -> list[StampForm]:
    """The form for each page; ``footer`` fits the footer to one side of a page, so that a band with room is found.

    ``boxes`` gives what a page (0-based) paints near its lower edge, None where that is uncertain.
    """
    sizes = [(round(view.width, 1), round(view.height, 1)) for view in views]
    if len(set(sizes)) > MOST_SIZES:
        sizes = [(max(10.0, round(width, -1)), max(10.0, round(height, -1))) for width, height in sizes]
    needs = {}
    for size in dict.fromkeys(sizes):
        needs[size] = (footer(*size, standard_band(*size)).thickness, page_scale(*size))
    found = bands(source, views, [needs[size] for size in sizes], password, boxes)
    return [
        StampForm(*size, band or standard_band(*size), band is None) for size, band in zip(sizes, found, strict=True)
    ]


def standard_band(width: float, height: float) -> Band:
    """Where the footer stands when nothing is in the way."""
    return Band("bottom", min(EDGE * MILLIMETRE * page_scale(width, height), height / 10))


def _drawn_form(copy: _Copy, form: StampForm) -> pikepdf.Object:
    size = (form.width, form.height)
    content = draw_diagonal(copy.lettering, diagonal_text(copy.spec, copy.strings), *size, opaque=copy.opaque)
    footer = copy.footer(*size, form.band)
    content += draw_in_band(copy.lettering, footer, size, form.band, overlap=form.overlap and not copy.opaque)
    stream = _stream(copy.pdf, content)
    stream.Type, stream.Subtype = Name.XObject, Name.Form
    stream.BBox, stream.Resources = Array([0, 0, form.width, form.height]), copy.resources
    return stream


def placing(view: View, form: StampForm) -> bytes:
    """Paints the form, upright in the visible box, as an artifact. A rounded form is fitted to the page."""
    a, b, c, d, e, f = view.matrix()
    across, up = view.width / form.width, view.height / form.height
    matrix = tuple(map(number, (a * across, b * across, c * up, d * up, e, f)))
    return b"q %s %s %s %s %s %s cm\n" % matrix + ARTIFACT + b"%s Do\nEMC Q\n"


def _insert_cover(copy: _Copy, first: View) -> None:
    pdf, lettering = copy.pdf, copy.lettering
    size = cover_size(first.width, first.height)
    cover = lay_out_cover(lettering, copy.spec, copy.strings, size)
    tagged = is_tagged(pdf)
    content = [b"/Artifact BMC\n", cover.art, b"EMC\n"]
    for index, block in enumerate(cover.blocks):
        lines = [
            b"%s g %s G\n" % (number(line.grey), number(line.grey))
            + lettering.show(line.text, line.face, line.size, line.x, line.y)
            for line in block.lines
        ]
        content += [b"/%s <</MCID %d>> BDC\n" % (block.role.encode(), index), *lines, b"EMC\n"] if tagged else lines
    band = standard_band(*size)
    drawn = draw_in_band(lettering, copy.footer(*size, band), size, band, overlap=False)
    content += [ARTIFACT, drawn, b"EMC\n"]
    page = pdf.make_indirect(
        Dictionary(
            Type=Name.Page,
            MediaBox=Array([0, 0, round(size[0], 2), round(size[1], 2)]),
            CropBox=Array([0, 0, round(size[0], 2), round(size[1], 2)]),
            Rotate=0,
            Contents=_stream(pdf, b"".join(content)),
            Resources=copy.resources,
        )
    )
    pdf.pages.insert(0, pikepdf.Page(page))
    if tagged:
        add_to_structure(pdf, pdf.pages[0].obj, [block.role for block in cover.blocks], copy.spec.language)


def graphics_states() -> Dictionary:
    """The /ExtGState resources of a stamp."""
    opacities = {"/RlF": FULL_OPACITY, "/RlO": OVERLAP_OPACITY, "/RlD": DIAGONAL_OPACITY}
    return Dictionary({key: Dictionary(Type=Name.ExtGState, ca=value, CA=value) for key, value in opacities.items()})


def opaque_resources() -> Dictionary:
    """The graphics states of a stamp without transparency, and calibrated colours in place of those of a device.

    The colours are those of sRGB with a gamma of 2.2 (ISO 32000-2, 8.6.5.6: default colour spaces).
    """
    white = Array([Decimal("0.9505"), 1, Decimal("1.089")])
    gamma = Decimal("2.2")
    matrix = Array([Decimal(value) for value in SRGB.split()])
    grey = Array([Name.CalGray, Dictionary(WhitePoint=white, Gamma=gamma)])
    colour = Array([Name.CalRGB, Dictionary(WhitePoint=white, Gamma=Array([gamma] * 3), Matrix=matrix)])
    states = {key: Dictionary(Type=Name.ExtGState, ca=1, CA=1) for key in ("/RlF", "/RlO", "/RlD")}
    return Dictionary(ExtGState=Dictionary(states), ColorSpace=Dictionary(DefaultGray=grey, DefaultRGB=colour))


def _stream(pdf: pikepdf.Pdf, content: bytes) -> pikepdf.Object:
    return pikepdf.Stream(pdf, zlib.compress(content), Filter=Name.FlateDecode)
