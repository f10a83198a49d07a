"""The cover page: whose copy this is, of what, from whom, and what may be done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from drm.pdf.fonts import BOLD, REGULAR, Face
from drm.pdf.footer import footer_length
from drm.pdf.glyphs import Lettering, number
from drm.pdf.ink import Band
from drm.pdf.lines import wrap
from drm.pdf.qr import draw_qr
from drm.pdf.stamp_text import StampStrings, printable
from drm.pdf.values import CopySpec
from drm.pdf.wording import WORDS, long_date

MILLIMETRE = 72 / 25.4
A4, LETTER = (595.28, 841.89), (612.0, 792.0)
SMALLEST_SIDE, SMALLEST_LONG_SIDE, LARGEST_SIDE = 380.0, 500.0, 1300.0
BLACK, GREY, PALE = 0.09, 0.36, 0.8
TITLE_SIZES = (21.0, 19.0, 17.0, 15.0)
TITLE_LINES = 3
FLAME = b"9.2 11.6 m 6.6 12.7 7 15.6 9.9 19.4 c 10 17.4 11.9 16.4 11.9 14.4 c 11.9 12.7 10.8 11.5 9.2 11.6 c f"
STEM = b"1.7 w 1 J 4.2 0.6 m 8.6 11.4 l S"


@dataclass(frozen=True)
class Line:
    """One line of text, its baseline starting at (x, y)."""

    text: str
    face: Face
    size: float
    x: float
    y: float
    grey: float = BLACK


@dataclass(frozen=True)
class Block:
    """Lines that belong together; ``role`` is their type in the structure tree of a tagged document.

    ``part`` says what they are: library, title, source, the key of a fact, terms, notices or check.
    """

    role: str
    lines: tuple[Line, ...]
    part: str = ""


@dataclass(frozen=True)
class Cover:
    """A cover laid out: its text, and the operators of what is not text.

    ``check`` is the place kept for the QR code of the check address, which the two others do not hold yet; ``edge`` is
    where the lines of the facts end on the right.
    """

    blocks: tuple[Block, ...]
    art: bytes
    check: CheckPlace | None = None
    edge: float = 0.0


@dataclass(frozen=True)
class CheckPlace:
    """Where the QR code goes: a square of ``side`` points at (x, floor) in a column of this width."""

    x: float
    floor: float
    side: float
    width: float
    scale: float

    @property
    def square(self) -> tuple[float, float, float]:
        """Left, bottom and side of the code, whose quiet zone reaches into the margin."""
        return self.x - self.side * 0.1, self.floor, self.side


def cover_size(width: float, height: float) -> tuple[float, float]:
    """The size of the cover for a first page of this visible size: the same, or A4 or Letter where that is absurd."""
    short, long = min(width, height), max(width, height)
    if short >= SMALLEST_SIDE and long >= SMALLEST_LONG_SIDE and long <= LARGEST_SIDE:
        return width, height
    return LETTER if abs(long / short - LETTER[1] / LETTER[0]) < 0.03 else A4


@dataclass
class _Column:
    """Sets text downwards from ``y`` in one column."""

    lettering: Lettering
    x: float
    y: float
    width: float
    scale: float
    blocks: list[Block] = field(default_factory=list)

    def gap(self, points: float) -> None:
        self.y -= points * self.scale

    def set(
        self, role: str, parts: Sequence[tuple[str, Face, float, float]], indent: float = 0.0, part: str = ""
    ) -> None:
        """Texts with face, size and grey, each beginning a line; all of them one block."""
        lines: list[Line] = []
        for text, face, size, grey in parts:
            points = size * self.scale
            for line in wrap(self.lettering, text, face, points, self.width - indent):
                self.y -= points * (1.28 if size > 12 else 1.45)
                lines.append(Line(line, face, points, self.x + indent, self.y, grey))
        if lines:
            self.blocks.append(Block(role, tuple(lines), part))


def lay_out_cover(lettering: Lettering, spec: CopySpec, strings: StampStrings, size: tuple[float, float]) -> Cover:
    """The cover in this size; where the text is long everything is set smaller, and nothing is left out."""
    cover = lay_out_frame(lettering, spec, strings, size)
    if cover.check is None:
        return cover
    check, art = lay_out_check(lettering, spec, cover.check)
    return Cover((*cover.blocks, *check), cover.art + art)


def lay_out_frame(lettering: Lettering, spec: CopySpec, strings: StampStrings, size: tuple[float, float]) -> Cover:
    """The cover without its QR code, for which ``check`` keeps the place."""
    scale = min(1.0, min(size) / 560)
    while True:
        cover, fits = _attempt(lettering, spec, strings, size, scale)
        if fits or scale < 0.12:
            return cover
        scale *= 0.93


def _attempt(
    lettering: Lettering, spec: CopySpec, strings: StampStrings, size: tuple[float, float], scale: float
) -> tuple[Cover, bool]:
    width, height = size
    margin, _ = footer_length(width, height, Band("bottom", 0))
    floor = 32 + 24 * max(scale, 0.6)
    column = _Column(lettering, margin, height - min(margin, 0.1 * height), width - 2 * margin, scale)
    art = [_set_head(column, spec)]
    wide = width > 1.15 * height
    top = column.y
    if wide:
        gutter = 14 * MILLIMETRE * scale
        column.width = (width - 2 * margin - gutter) / 2
    edge = column.x + column.width
    _set_citation(column, spec)
    art += _set_facts(column, spec, strings)
    lowest = column.y
    if wide:
        second = replace(column, x=margin + column.width + gutter, y=top)
        column = second
    else:
        column.gap(10)
    _set_sections(column, spec)
    code = 26 * MILLIMETRE * scale if spec.check_url else 0.0
    fits = lowest > floor and column.y - (code + 16 * scale if code else 0) > floor
    place = CheckPlace(column.x, floor, code, column.width, scale) if code else None
    return Cover(tuple(column.blocks), b"".join(art), place, edge), fits


def _set_head(column: _Column, spec: CopySpec) -> bytes:
    """The library's name beside a small flame, and a rule under them."""
    scale = column.scale
    column.y -= 4 * scale
    top = column.y
    column.set("P", [(printable(spec.library), BOLD, 14.5, BLACK)], indent=21 * scale, part="library")
    column.gap(11)
    flame = b"q %s 0 0 %s %s %s cm 0.25 0.23 0.2 RG %s 0.84 0.36 0.09 rg %s Q\n"
    size = 1.05 * scale
    mark = flame % (number(size), number(size), number(column.x - 3 * scale), number(top - 20.5 * scale), STEM, FLAME)
    rule = _rule(column.x, column.y, column.width, 1.1 * scale, 0.2)
    column.gap(22)
    return mark + rule


def _set_citation(column: _Column, spec: CopySpec) -> None:
    citation = spec.citation
    title = printable(citation.title, lenient=True) or WORDS[spec.language]["untitled"]
    lettering, scale = column.lettering, column.scale
    for size in TITLE_SIZES:
        if len(wrap(lettering, title, BOLD, size * scale, column.width)) <= TITLE_LINES:
            break
    column.set("H1", [(title, BOLD, size, BLACK)], part="title")
    column.gap(9)
    source = [printable(text, lenient=True) for text in (citation.authors, citation.source)]
    if citation.doi:
        source.append(f"DOI {printable(citation.doi, lenient=True)}")
    parts = [(text, REGULAR, 10.0, GREY if index else BLACK) for index, text in enumerate(source) if text]
    column.set("P", parts, part="source")


def _set_facts(column: _Column, spec: CopySpec, strings: StampStrings) -> list[bytes]:
    """The table of who, which, when and why, between two hairlines."""
    words, scale = WORDS[spec.language], column.scale
    rows = [
        ("reader", strings.name_shown, BOLD),
        ("library", spec.library, REGULAR if strings.name_shown else BOLD),
        ("delivery", strings.delivery, BOLD),
        ("date", long_date(spec.issued_on, spec.language), REGULAR),
        ("agreement", spec.agreement, REGULAR),
        ("basis", spec.legal_basis, REGULAR),
        ("licence", spec.open_access.licence if spec.open_access else "", BOLD),
        ("source", spec.open_access.source if spec.open_access else "", REGULAR),
        ("expires", spec.expires, REGULAR),
    ]
    column.gap(16)
    art = [_rule(column.x, column.y, column.width, 0.5, PALE)]
    column.gap(5)
    indent = min(104 * scale, 0.36 * column.width)
    for label, value, face in rows:
        if value:
            column.gap(3.5)
            _set_fact(column, f"fact-{label}", (words[label], printable(value), face), indent)
    column.gap(12)
    return [*art, _rule(column.x, column.y, column.width, 0.5, PALE)]


def _set_fact(column: _Column, part: str, texts: tuple[str, str, Face], indent: float) -> None:
    """A label and its value side by side, read as one paragraph."""
    label, value, face = texts
    top, before = column.y, len(column.blocks)
    names = replace(column, width=indent - 6 * column.scale, blocks=[])
    names.set("P", [(label, REGULAR, 9.0, GREY)])
    column.set("P", [(value, face, 10.0, BLACK)], indent=indent)
    shift = (top - 10.0 * 1.45 * column.scale) - names.blocks[0].lines[0].y
    lines = [replace(line, y=line.y + shift) for line in names.blocks[0].lines]
    column.y = min(column.y, lines[-1].y)
    values = (line for block in column.blocks[before:] for line in block.lines)
    column.blocks[before:] = [Block("P", (*lines, *values), part)]


def _set_sections(column: _Column, spec: CopySpec) -> None:
    words = WORDS[spec.language]
    for heading, sentences in (("terms", (*spec.terms, *spec.legends)), ("notices", spec.notices)):
        texts = [text for text in map(printable, dict.fromkeys(sentences)) if text]
        if texts:
            column.gap(12)
            column.set("H2", [(words[heading], BOLD, 10.5, BLACK)], part=heading)
            column.gap(1.5)
            for text in texts:
                column.set("P", [(text, REGULAR, 10.0, BLACK)], part=heading)
                column.gap(2.5)


def lay_out_check(
    lettering: Lettering, spec: CopySpec, place: CheckPlace, draw: Callable[[str, float, float, float], bytes] = draw_qr
) -> tuple[tuple[Block, ...], bytes]:
    """The QR code at the foot of the column as operators, with its address beside it."""
    words, side = WORDS[spec.language], place.side
    column = _Column(lettering, place.x + side, place.floor + side * 0.9, place.width - side, place.scale)
    column.set("P", [(words["check"], BOLD, 9.0, BLACK)], part="check")
    column.gap(1)
    texts = [(printable(spec.check_url), REGULAR, 8.0, BLACK), (words["answers"], REGULAR, 8.0, GREY)]
    column.set("P", texts, part="check")
    return tuple(column.blocks), draw(spec.check_url, *place.square)


def _rule(x: float, y: float, width: float, weight: float, grey: float) -> bytes:
    sizes = tuple(map(number, (grey, weight, x, y, x + width, y)))
    return b"q %s G %s w %s %s m %s %s l S Q\n" % sizes
