"""How far down a page anything may be painted, read from its content without painting it.

Most pages leave the usual place of the footer empty, and their operators prove it. Everything here errs on the side of
ink: what cannot be followed for certain makes the answer None, and then the page is rendered (``ink.py``). Only pages
that stand upright are followed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

import pikepdf
from pikepdf import Name

from drm.pdf.geometry import View
from drm.pdf.reaches import Lost, Reaches, Resources

Matrix = tuple[float, float, float, float, float, float]
Box = tuple[float, float, float, float]
Step = tuple[int, bytes]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
EVERYWHERE = 1e9
MOST_TOKENS = 60_000
"""Tokens of one page that are looked through, at most: pages of large drawings are rendered faster."""

MITER = 5.0
"""How far a corner of a line may reach beyond the line's middle, in line widths: half the usual miter limit."""

HAIRLINE = 1.0
"""What a line has at least, in points: readers draw no line thinner than they can show."""

LEVEL = 1e-6
PLAIN_BLENDS = frozenset({"/Normal", "/Compatible", "/Multiply", "/Darken", "/Screen", "/Lighten", "/Overlay"})
FILLS = (b"f", b"F", b"f*")
SHOWS = (b"Tj", b"TJ")
LINK = Name.Link
LINES = 6
"""Steps that must still come for a look whether lines follow that are alike."""

STROKES = (b"S", b"s", b"B", b"B*", b"b", b"b*")


@dataclass
class _State:
    """What q saves. ``white`` says that fills are white, which is no ink on paper, ``outlined`` that glyphs are stroked."""

    matrix: Matrix = IDENTITY
    width: float = 1.0
    miter: float = MITER
    font: bytes = b""
    size: float = 0.0
    leading: float = 0.0
    rise: float = 0.0
    white: bool = False
    outlined: bool = False

    def copy(self) -> _State:
        return _State(
            *(self.matrix, self.width, self.miter, self.font, self.size, self.leading, self.rise),
            *(self.white, self.outlined),
        )


def lowest_boxes(
    page: pikepdf.Object,
    resources: object,
    tokens: Sequence[bytes],
    steps: Sequence[Step],
    view: View,
    reaches: Reaches,
) -> list[Box] | None:
    """The boxes, in units of the page, that hold all that is painted in its lower quarter; None where that is uncertain.

    ``steps`` are those of ``tokens`` that stand in FOLLOWED, with their places. Text counts as reaching from edge to edge.
    ``reaches`` keeps what is learnt about fonts, for the other pages of the document.
    """
    if len(tokens) > MOST_TOKENS or view.rotate:
        return None
    limit = view.bottom + (view.top - view.bottom) / 4
    try:
        walk = _Walk(Resources(resources, reaches), limit)
        walk.through(tokens, steps)
        return walk.boxes + list(_notes(page, limit))
    except (Lost, ValueError, IndexError, TypeError, AttributeError, OverflowError, pikepdf.PdfError):
        return None


def is_clear(boxes: Iterable[Box], band: Box) -> bool:
    """Whether no box touches the band."""
    left, bottom, right, top = band
    return not any(x0 < right and x1 > left and y0 < top and y1 > bottom for x0, y0, x1, y1 in boxes)


def _notes(page: pikepdf.Object, limit: float) -> Iterable[Box]:
    notes = page.get("/Annots")
    for note in notes if isinstance(notes, pikepdf.Array) else ():
        if isinstance(note, pikepdf.Dictionary) and (note.get("/Subtype") != LINK or "/AP" in note):
            x0, y0, x1, y1 = (float(value) for value in note.Rect)
            if min(y0, y1) < limit:
                yield min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


class _Walk:
    """One pass through the operators."""

    def __init__(self, resources: Resources, limit: float) -> None:
        self.boxes: list[Box] = []
        self._resources = resources
        self._limit = limit
        self._state = _State()
        self._saved: list[_State] = []
        self._path: list[tuple[float, float]] = []
        self._line = self._text = IDENTITY
        self._fit: tuple[float, float, float, float] | None = None

    def through(self, tokens: Sequence[bytes], steps: Sequence[Step]) -> None:
        """Follow all operators. Words shown one after the other reach as far up and down as the first of them; of lines
        drawn one after the other only the outermost points count."""
        known, show, corner, line = _STEPS, _Walk._show, _Walk._corner, _Walk._new_line
        last, place, count = None, 0, len(steps)
        while place < count:
            at, token = steps[place]
            step = known.get(token)
            if step is None:
                place += 1
                continue
            done = 0
            if step is line and place + LINES < count and steps[place + 2][1] == token:
                done = self._lines(steps, place)
            elif step is corner:
                done = self._corner_run(tokens, at)
            elif step is not show or last is not show:
                step(self, tokens, at)
            last = step
            place = max(place + 1, bisect_left(steps, (done,), place)) if done else place + 1

    def _lines(self, steps: Sequence[Step], place: int) -> int:
        """Take this and all following lines of a paragraph that are alike; the place of a token behind the last of them."""
        end, count = place, len(steps) - 1
        while end < count and steps[end][1] == b"T*" and steps[end + 1][1] in SHOWS:
            end += 2
        lines = (end - place) // 2
        if not lines:
            self._next_line(0.0, -self._state.leading)
            return 0
        across, up, below, above = self._fit = self._fit or self._fitted()
        first = self._text
        self._next_line(0.0, -self._state.leading * lines)
        start, stop = (matrix[4] * across + matrix[5] * up for matrix in (first, self._text))
        if min(start, stop) + below < self._limit:
            for line in range(1, lines + 1):
                base = start + (stop - start) * line / lines
                if base + below < self._limit:
                    self.boxes.append((-EVERYWHERE, base + below, EVERYWHERE, base + above))
        return steps[end - 1][0] + 1

    def _corner_run(self, tokens: Sequence[bytes], at: int) -> int:
        """Take this point and all that follow it as "x y l"; the place behind the last of them."""
        end, count = at + 3, len(tokens)
        while end < count and tokens[end] == b"l":
            end += 3
        _, b, c, _, _, _ = self._state.matrix
        if end > at + 6 and b == c == 0:
            across, up = (list(map(float, tokens[at - back : end - back : 3])) for back in (2, 1))
            if not isfinite(sum(across) + sum(up)):
                raise Lost
            self._corners(min(across), min(up), max(across), max(up))
        else:
            for place in range(at, end, 3):
                self._point(tokens, place - 2)
        return end - 2

    def _corner(self, tokens: Sequence[bytes], at: int) -> None:
        self._point(tokens, at - 2)

    def _point(self, tokens: Sequence[bytes], at: int) -> None:
        x, y = float(tokens[at]), float(tokens[at + 1])
        a, b, c, d, e, f = self._state.matrix
        self._path.append((a * x + c * y + e, b * x + d * y + f))

    def _curve(self, tokens: Sequence[bytes], at: int) -> None:
        for start in range(at - (6 if tokens[at] == b"c" else 4), at, 2):
            self._point(tokens, start)

    def _rectangle(self, tokens: Sequence[bytes], at: int) -> None:
        x, y, width, height = map(float, tokens[at - 4 : at])
        self._corners(x, y, x + width, y + height)

    def _corners(self, x0: float, y0: float, x1: float, y1: float) -> None:
        a, b, c, d, e, f = self._state.matrix
        self._path += [(a * x + c * y + e, b * x + d * y + f) for x in (x0, x1) for y in (y0, y1)]

    def _fill(self, tokens: Sequence[bytes], at: int) -> None:
        path, self._path = self._path, []
        if path and not self._state.white:
            self._add(path, 0.0)

    def _stroke(self, tokens: Sequence[bytes], at: int) -> None:
        path, self._path = self._path, []
        if path:
            self._add(path, self._reach())

    def _reach(self) -> float:
        """How far a stroke may reach beyond its middle."""
        a, b, c, d, _, _ = self._state.matrix
        return self._state.miter * self._state.width * max(abs(a) + abs(c), abs(b) + abs(d)) + HAIRLINE

    def _add(self, path: list[tuple[float, float]], reach: float) -> None:
        across, up = zip(*path, strict=True)
        low, high, left, right = min(up) - reach, max(up) + reach, min(across) - reach, max(across) + reach
        if not isfinite(sum(across) + sum(up) + reach):  # what is no number to readers is one to Python: nan, infinity
            raise Lost
        if low < self._limit:
            self.boxes.append((left, low, right, high))

    def _forget(self, tokens: Sequence[bytes], at: int) -> None:
        self._path = []

    def _show(self, tokens: Sequence[bytes], at: int) -> None:
        fit = self._fit = self._fit or self._fitted()
        across, up, below, above = fit
        base = self._text[4] * across + self._text[5] * up
        if base + below < self._limit:
            self.boxes.append((-EVERYWHERE, base + below, EVERYWHERE, base + above))

    def _fitted(self) -> tuple[float, float, float, float]:
        """What of a show is the same wherever its line stands: how the line's place counts upwards, and how far below and
        above that glyphs reach."""
        state, (a, b, c, d, _, _) = self._state, self._text
        across, up, more_across, more_up, _, origin = state.matrix
        if abs(a * up + b * more_up) > LEVEL * abs(a * across + b * more_across):
            raise Lost
        high = c * up + d * more_up
        raised, size = state.rise * high + origin, state.size * high
        below, above = self._resources.reach(state.font)
        ends = (raised - below * size, raised + above * size)
        reach = self._reach() if state.outlined else 0.0
        return up, more_up, min(ends) - reach, max(ends) + reach

    def _show_below(self, tokens: Sequence[bytes], at: int) -> None:
        self._next_line(0.0, -self._state.leading)
        self._show(tokens, at)

    def _next_line(self, x: float, y: float) -> None:
        a, b, c, d, e, f = self._line
        self._line = self._text = (a, b, c, d, x * a + y * c + e, x * b + y * d + f)

    def _move(self, tokens: Sequence[bytes], at: int) -> None:
        self._next_line(float(tokens[at - 2]), float(tokens[at - 1]))

    def _move_and_lead(self, tokens: Sequence[bytes], at: int) -> None:
        self._state.leading = -float(tokens[at - 1])
        self._move(tokens, at)

    def _save(self, tokens: Sequence[bytes], at: int) -> None:
        self._saved.append(self._state.copy())

    def _restore(self, tokens: Sequence[bytes], at: int) -> None:
        if self._saved:
            self._state = self._saved.pop()
            self._fit = None

    def _transform(self, tokens: Sequence[bytes], at: int) -> None:
        self._state.matrix = _times(_matrix(tokens[at - 6 : at]), self._state.matrix)
        self._fit = None

    def _set_width(self, tokens: Sequence[bytes], at: int) -> None:
        self._state.width = float(tokens[at - 1])
        self._fit = None

    def _set_miter(self, tokens: Sequence[bytes], at: int) -> None:
        self._state.miter = max(1.0, float(tokens[at - 1]) / 2)
        self._fit = None

    def _set_rendering(self, tokens: Sequence[bytes], at: int) -> None:
        """Modes 1, 2, 5 and 6 stroke the outlines of glyphs (ISO 32000-2, table 104)."""
        self._state.outlined = tokens[at - 1] not in {b"0", b"3", b"4", b"7"}
        self._fit = None

    def _set_font(self, tokens: Sequence[bytes], at: int) -> None:
        self._state.font, self._state.size = tokens[at - 2], float(tokens[at - 1])
        self._fit = None

    def _set_leading(self, tokens: Sequence[bytes], at: int) -> None:
        self._state.leading = float(tokens[at - 1])

    def _set_rise(self, tokens: Sequence[bytes], at: int) -> None:
        self._state.rise = float(tokens[at - 1])
        self._fit = None

    def _begin_text(self, tokens: Sequence[bytes], at: int) -> None:
        self._line = self._text = IDENTITY
        self._fit = None

    def _set_text(self, tokens: Sequence[bytes], at: int) -> None:
        self._line = self._text = _matrix(tokens[at - 6 : at])
        self._fit = None

    def _new_line(self, tokens: Sequence[bytes], at: int) -> None:
        self._next_line(0.0, -self._state.leading)

    def _grey(self, tokens: Sequence[bytes], at: int) -> None:
        self._state.white = float(tokens[at - 1]) >= 1

    def _red_green_blue(self, tokens: Sequence[bytes], at: int) -> None:
        self._state.white = all(float(token) >= 1 for token in tokens[at - 3 : at])

    def _ink_colours(self, tokens: Sequence[bytes], at: int) -> None:
        self._state.white = not any(float(token) for token in tokens[at - 4 : at])

    def _other_colour(self, tokens: Sequence[bytes], at: int) -> None:
        self._state.white = False

    def _graphics_state(self, tokens: Sequence[bytes], at: int) -> None:
        state = self._resources.entry("/ExtGState", tokens[at - 1])
        if state is None:
            return
        if any(key in state for key in ("/LW", "/ML", "/Font")):
            raise Lost
        if str(state.get("/BM", "/Normal")) not in PLAIN_BLENDS:
            raise Lost

    def _whole(self, tokens: Sequence[bytes], at: int) -> None:
        raise Lost

    def _form(self, tokens: Sequence[bytes], at: int) -> None:
        """An image fills the unit square (ISO 32000-2, 8.9.5), a form its BBox at most (8.10.1)."""
        form = self._resources.entry("/XObject", tokens[at - 1])
        if form is None:
            return
        matrix, path, white = self._state.matrix, self._path, self._state.white
        box = [0.0, 0.0, 1.0, 1.0]
        if form.get("/Subtype") != Name.Image:
            box = [float(value) for value in form.BBox]
            own = form.get("/Matrix")
            if own is not None:
                self._state.matrix = _times(_matrix([float(value) for value in own]), matrix)
        self._path, self._state.white = [], False
        self._corners(box[0], box[1], box[2], box[3])
        self._fill(tokens, at)
        self._state.matrix, self._path, self._state.white = matrix, path, white


_STEPS: dict[bytes, Callable[[_Walk, Sequence[bytes], int], None]] = {
    **dict.fromkeys(FILLS, _Walk._fill),
    **dict.fromkeys(STROKES, _Walk._stroke),
    b"q": _Walk._save,
    b"Q": _Walk._restore,
    b"cm": _Walk._transform,
    b"w": _Walk._set_width,
    b"M": _Walk._set_miter,
    b"gs": _Walk._graphics_state,
    b"Do": _Walk._form,
    b"sh": _Walk._whole,
    b"BT": _Walk._begin_text,
    b"Tf": _Walk._set_font,
    b"TL": _Walk._set_leading,
    b"Ts": _Walk._set_rise,
    b"Tr": _Walk._set_rendering,
    b"Tm": _Walk._set_text,
    b"T*": _Walk._new_line,
    b"Td": _Walk._move,
    b"TD": _Walk._move_and_lead,
    b"Tj": _Walk._show,
    b"TJ": _Walk._show,
    b"'": _Walk._show_below,
    b'"': _Walk._show_below,
    b"m": _Walk._corner,
    b"l": _Walk._corner,
    b"c": _Walk._curve,
    b"v": _Walk._curve,
    b"y": _Walk._curve,
    b"re": _Walk._rectangle,
    b"n": _Walk._forget,
    b"g": _Walk._grey,
    b"rg": _Walk._red_green_blue,
    b"k": _Walk._ink_colours,
    b"cs": _Walk._other_colour,
    b"sc": _Walk._other_colour,
    b"scn": _Walk._other_colour,
}


FOLLOWED = frozenset(_STEPS)
"""The operators that are followed."""


def _matrix(values: Sequence[bytes | float]) -> Matrix:
    a, b, c, d, e, f = map(float, values)
    return a, b, c, d, e, f


def _times(first: Sequence[float], second: Sequence[float]) -> Matrix:
    """First the one, then the other."""
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m
