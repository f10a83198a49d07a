"""Where a page has room for the footer: its margins are rendered small and searched for a band without ink."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

import pypdfium2

from drm.pdf.extents import Box, is_clear
from drm.pdf.geometry import View
from drm.pdf.passwords import open_by_pdfium

MILLIMETRE = 72 / 25.4
Side = Literal["bottom", "top", "left", "right"]
SIDES: tuple[Side, ...] = ("bottom", "top", "left", "right")
EDGE = 8.0
"""Millimetres between the footer and the edge of the page, where nothing is in the way."""

OTHER_EDGES = (7.0, 6.0, 5.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 4.0, 15.0, 16.0)
DEEPEST = 22.0
"""Millimetres of margin that are looked at."""

NARROWEST_ENDS = 0.07
"""The share of a side at either end of it where no footer reaches."""

RENDER_SIDE = 480
"""Pixels along the rendered margin, at most."""

CONTRAST = 40
DARK = 150
MEASURED = 64
"""Pages of one document that are measured, at most; other pages follow those of their size."""

PATIENCE = 8
"""Pages that are looked at before it is judged whether looking is worth it."""

BYTES_PER_PAGE = 100_000
FEWEST_MEASURED = 6

SPREAD = (0, 4, 2, 6, 1, 5, 3, 7)
"""In which sequence each eighth page is rendered, so that early ones come from all parts of a document."""

SLOW = 5.0
"""Seconds of the processor that are spent on rendering one document. A drawing of many thousand strokes takes a second for
each look; what is left then follows the pages that were measured, which is better than to refuse the document."""


@dataclass(frozen=True)
class Band:
    """A place for the footer: the side, and the distance in points between the footer and that edge."""

    side: Side
    distance: float


class InkMeter:
    """Looks at the pages of one document. A page that cannot be rendered counts as empty."""

    def __init__(self, source: Path | bytes, password: str = "") -> None:
        self._document: pypdfium2.PdfDocument | None = None
        try:
            self._document = open_by_pdfium(source, password)
        except pypdfium2.PdfiumError:
            return

    def __enter__(self) -> InkMeter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._document is not None:
            self._document.close()

    def band(self, index: int, view: View, thickness: float, scale: float) -> Band | None:
        """The best free band of a page (0-based), None where there is none.

        ``thickness`` is in points; ``scale`` enlarges all distances on large pages. The bottom comes first, then the
        top, then the sides; on each side the usual distance comes first.
        """
        usual = Band("bottom", EDGE * MILLIMETRE * scale)
        if self._document is None or index >= len(self._document):
            return usual
        try:
            page = self._document[index]
        except pypdfium2.PdfiumError:
            return usual
        try:
            width, height = page.get_size()
            # Boxes that readers understand differently: then there is nothing to be measured.
            if min(width, height) <= 0 or not 0.98 < width * view.height / (height * view.width) < 1.02:
                return usual
            return _free_band(page, view, thickness, scale)
        except (pypdfium2.PdfiumError, ValueError):  # ValueError: a page too small to be cropped
            return usual
        finally:
            page.close()


def _free_band(page: pypdfium2.PdfPage, view: View, thickness: float, scale: float) -> Band | None:
    for side in SIDES:
        margin = _Margin(page, view, side, DEEPEST * MILLIMETRE * scale)
        for millimetres in (EDGE, *OTHER_EDGES):
            distance = millimetres * MILLIMETRE * scale
            if margin.is_free(distance, thickness):
                return Band(side, distance)
    return None


class _Margin:
    """One margin of a page as rows of grey pixels, the outermost row first."""

    def __init__(self, page: pypdfium2.PdfPage, view: View, side: Side, depth: float) -> None:
        width, height = page.get_size()
        across = side in {"left", "right"}
        long, short = (view.height, view.width) if across else (view.width, view.height)
        unit = (height if across else width) / long
        depth = min(depth, short / 4)
        ends = NARROWEST_ENDS * long * unit
        rest = max(0.0, (short - depth) * unit)
        crop = {
            "bottom": (ends, 0, ends, rest),
            "top": (ends, rest, ends, 0),
            "left": (0, ends, rest, ends),
            "right": (rest, ends, 0, ends),
        }[side]
        scale = min(1.0, RENDER_SIDE / long) / unit
        bitmap = page.render(scale=scale, crop=crop, grayscale=True, may_draw_forms=False)
        pixels, stride, columns = bytes(bitmap.buffer), bitmap.stride, bitmap.width
        count = bitmap.height
        rows = [pixels[row * stride : row * stride + columns] for row in range(count)]
        if side == "bottom":
            rows.reverse()
        elif across:
            turned = [bytes(column) for column in zip(*rows, strict=True)]
            rows = turned if side == "left" else turned[::-1]
        self._per_point = len(rows) / depth
        self._rows = [_inked(row, paper) for paper in [_paper(rows)] for row in rows]

    def is_free(self, distance: float, thickness: float) -> bool:
        """Whether the rows from ``distance`` on, ``thickness`` points deep, are empty."""
        first = int((distance - 0.5) * self._per_point)
        last = int((distance + thickness + 0.5) * self._per_point) + 1
        return first >= 0 and last <= len(self._rows) and not any(self._rows[first:last])


def _paper(rows: Sequence[bytes]) -> int:
    """The grey of the paper: the commonest light value of the margin; 0 where it is too dark to print on."""
    common = Counter(b"".join(rows[::3])).most_common(1)
    return common[0][0] if common and common[0][0] >= DARK else 0


def _inked(row: bytes, paper: int) -> bool:
    """Whether more than a speck of this row differs from the paper."""
    if not paper:
        return True
    light = bytes(range(max(0, paper - CONTRAST), min(256, paper + CONTRAST + 1)))
    return len(row.translate(None, light)) > len(row) // 400


def measured_pages(pages: int, size: int) -> set[int]:
    """Which pages are worth a look in a document of this many bytes: all of up to 64, fewer where pages are heavy.

    Heavy pages are scans, slow to render; six of them, spread evenly, tell what margins they have.
    """
    affordable = MEASURED * BYTES_PER_PAGE * max(1, pages) // max(1, size)
    count = min(pages, MEASURED, max(FEWEST_MEASURED, affordable))
    return {round(step * (pages - 1) / max(1, count - 1)) for step in range(count)}


def bands(
    source: Path | bytes,
    views: Sequence[View],
    needs: Sequence[tuple[float, float]],
    password: str = "",
    boxes: Callable[[int], list[Box] | None] | None = None,
) -> list[Band | None]:
    """A band for each page; ``needs`` gives thickness and scale for each. None: the page has no free band.

    ``boxes`` gives the boxes around what a page paints near its lower edge, where they are known. What they prove to be
    empty is not rendered; of the other pages as many are rendered as is worth it.
    """
    found = {} if boxes is None else _proven_bands(boxes, views, needs)
    unknown = [index for index in range(len(views)) if index not in found]
    if unknown:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        chosen = sorted(measured_pages(len(unknown), size * len(unknown) // len(views)))
        found |= _rendered([unknown[place] for place in chosen], source, views, needs, password)
    return list(_completed(found, views, needs))


def _rendered(
    pages: Sequence[int],
    source: Path | bytes,
    views: Sequence[View],
    needs: Sequence[tuple[float, float]],
    password: str,
) -> dict[int, Band | None]:
    """What rendering these pages tells, as far as there is time: from all parts of the document first."""
    found: dict[int, Band | None] = {}
    began = time.process_time()
    with InkMeter(source, password) as meter:
        for index in (index for start in SPREAD for index in pages[start :: len(SPREAD)]):
            found[index] = meter.band(index, views[index], *needs[index])
            if time.process_time() - began > SLOW:
                break
    return dict(sorted(found.items()))


def _proven_bands(
    boxes: Callable[[int], list[Box] | None], views: Sequence[View], needs: Sequence[tuple[float, float]]
) -> dict[int, Band | None]:
    """What boxes prove. Where they prove nothing on most pages, no more of the document is looked at."""
    found: dict[int, Band | None] = {}
    for index, view in enumerate(views):
        if index >= PATIENCE and len(found) * 2 < index:
            break
        known = boxes(index)
        band = None if known is None else _proven_band(known, view, *needs[index])
        if band is not None:
            found[index] = band
    return found


def _proven_band(boxes: list[Box], view: View, thickness: float, scale: float) -> Band | None:
    """The first band along the lower edge that no box touches; None where there is none."""
    inset = min(NARROWEST_ENDS * view.width, 50.0 * scale)
    left, right = (view.left + place / view.unit for place in (inset, view.width - inset))
    for millimetres in (EDGE, *OTHER_EDGES):
        distance = millimetres * MILLIMETRE * scale
        low, high = (view.bottom + place / view.unit for place in (distance - 1, distance + thickness + 1))
        if high < view.bottom + (view.top - view.bottom) / 4 and is_clear(boxes, (left, low, right, high)):
            return Band("bottom", distance)
    return None


def _completed(
    found: dict[int, Band | None], views: Sequence[View], needs: Sequence[tuple[float, float]]
) -> Iterator[Band | None]:
    votes: dict[tuple[int, int], Counter[Band | None]] = {}
    for index, band in found.items():
        votes.setdefault(_size(views[index]), Counter())[band] += 1
    for index, view in enumerate(views):
        if index in found:
            yield found[index]
        elif _size(view) in votes:
            yield votes[_size(view)].most_common(1)[0][0]
        else:
            yield Band("bottom", EDGE * MILLIMETRE * needs[index][1])


def _size(view: View) -> tuple[int, int]:
    return round(view.width), round(view.height)
