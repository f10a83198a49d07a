"""The cover of tails in two content streams: what all copies under an agreement share, and what is one reader's own.

Laying out a cover takes milliseconds, so a frame is laid out once for each master and agreement. Name, number and dates
of a copy are then put into it, where each fits on its line; where one does not, the copy gets a layout of its own. So
the frame changes the time that a cover takes and never its looks.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

from drm.pdf.cover import Block, CheckPlace, Line, lay_out_check, lay_out_frame
from drm.pdf.glyphs import number
from drm.pdf.qr import draw_qr
from drm.pdf.stamp import standard_band
from drm.pdf.stamp_text import StampStrings, check_texts, printable
from drm.pdf.tail.lettering import TailLettering, font_tables
from drm.pdf.tail.moulds import GAP, HOLE, FooterMould, Moulding
from drm.pdf.tail.quick_qr import draw_quick_qr
from drm.pdf.tail.stamping import Copy, Place
from drm.pdf.tail.values import Master
from drm.pdf.tail.writing import packed
from drm.pdf.values import CopySpec
from drm.pdf.wording import long_date

SKELETON = (
    *(("library", "P"), ("title", "H1"), ("source", "P")),
    *((f"fact-{fact}", "P") for fact in ("reader", "library", "delivery", "date", "agreement", "basis")),
    *((f"fact-{fact}", "P") for fact in ("licence", "source", "expires")),
    *(("terms", "H2"), ("terms", "P"), ("notices", "H2"), ("notices", "P"), ("check", "P")),
)
"""The parts of a cover in reading order; the place of each is its MCID and that of its element in the structure tree."""

MCIDS = {part: index for index, part in enumerate(SKELETON)}
ART = b"/Artifact BMC\n%sEMC\n"
"""What is no content, told in as few bytes as may be."""

FACTS = "fact-"
PERSONAL = ("fact-reader", "fact-delivery", "fact-date", "fact-expires")
ANYBODY, ANY_DAY = "A", date(2001, 1, 1)


@dataclass(frozen=True, eq=False)
class Frame:
    """A cover without what is one reader's own: the shared stream packed, the facts, the place of the QR code.

    ``lettering`` holds the characters of the shared parts that the master's fonts lack; copies go on from it.
    ``moulds`` are those of the footers of these copies.
    """

    lettering: TailLettering
    shared: bytes
    facts: tuple[bytes | _Fact, ...]
    check: CheckPlace | None
    address: _Fact | None = None
    moulds: dict[Place, FooterMould | None] = field(default_factory=dict)


@dataclass(frozen=True)
class _Fact:
    """What differs from copy to copy: the operators before a value, the line of the value, those behind it.

    ``room`` is the width in points that the value may have.
    """

    part: str
    before: bytes
    line: Line
    after: bytes
    room: float

    def filled(self, lettering: TailLettering, text: str) -> bytes | None:
        """The operators with this value; None where it does not fit on the line."""
        face, size = self.line.face, self.line.size
        if lettering.width(text, face, size) > self.room:
            return None
        return b"%s%s%s" % (self.before, lettering.shown(text, face, size), self.after)


def _fact(lettering: TailLettering, part: str, before: bytes, line: Line, after: bytes, room: float) -> _Fact:
    """A fact with the operators before and behind it, those of its own line included."""
    opening, _, closing = _shown(Moulding.of(lettering), line, GAP).partition(HOLE)
    return _Fact(part, before + opening, line, closing + after, room)


def frame_for(master: Master, spec: CopySpec, strings: StampStrings) -> Frame:
    """The frame that a copy shares with others. PdfRefused ``glyph-missing`` where a fixed text cannot be drawn."""
    key = _Key(master, spec, strings)
    return _frame(key)


def draw_cover(copy: Copy, frame: Frame) -> tuple[bytes, bytes]:
    """The shared and the personal stream of a cover, packed. The copy's lettering began as a copy of the frame's."""
    values = {
        "fact-reader": copy.strings.name_shown,
        "fact-delivery": copy.strings.delivery,
        "fact-date": long_date(copy.spec.issued_on, copy.spec.language),
        "fact-expires": printable(copy.spec.expires),
    }
    facts = _filled(copy.lettering, frame, values)
    if facts is None:
        frame = _laid_out(copy.lettering, copy.master, copy.spec, copy.strings)
        facts = b"".join(one for one in frame.facts if isinstance(one, bytes))
    return frame.shared, packed(facts + _foot(copy, frame))


class _Key:
    """A copy as far as it is like others under its agreement: two are equal where they share a frame.

    Comparing a dozen texts takes a microsecond; making and hashing a spec without the personal fields takes ten.
    """

    def __init__(self, master: Master, spec: CopySpec, strings: StampStrings) -> None:
        self.master, self.spec, self.strings = master, spec, strings
        access, citation = spec.open_access, spec.citation
        self.shared = (
            *(master.id, spec.language, spec.library, spec.agreement, spec.legal_basis),
            *(spec.terms, spec.notices, spec.legends),
            *(citation.title, citation.authors, citation.source, citation.doi),
            (access.licence, access.source) if access else None,
            *(bool(strings.name_shown), bool(spec.expires), bool(spec.check_url)),
        )
        self._hash = hash(self.shared)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.shared == other.shared

    def anybodys(self) -> CopySpec:
        """The spec without what differs between copies under one agreement."""
        spec = self.spec
        reader = ANYBODY if self.strings.name_shown else None
        url = ANYBODY if spec.check_url else ""
        expires = ANYBODY if spec.expires else ""
        return replace(spec, reader=reader, delivery=ANYBODY, issued_on=ANY_DAY, expires=expires, check_url=url)


@functools.lru_cache(maxsize=512)
def _frame(key: _Key) -> Frame:
    lettering = TailLettering(font_tables(key.master.fonts))
    spec = key.anybodys()
    check_texts(spec)
    strings = StampStrings(spec.reader or "", ANYBODY)
    return _laid_out(lettering, key.master, spec, strings, personal=PERSONAL)


def _laid_out(
    lettering: TailLettering,
    master: Master,
    spec: CopySpec,
    strings: StampStrings,
    personal: tuple[str, ...] = (),
) -> Frame:
    cover = lay_out_frame(lettering, spec, strings, master.cover_size)
    tagged = master.tagged
    facts: list[bytes | _Fact] = []
    for block in cover.blocks:
        if block.part in personal:
            facts.append(_open_fact(lettering, block, tagged, cover.edge))
        elif block.part.startswith(FACTS):
            facts.append(_drawn(lettering, [block], tagged))
    art = ART % cover.art
    others = [block for block in cover.blocks if not block.part.startswith(FACTS)]
    return Frame(
        lettering,
        packed(art + _drawn(lettering, others, tagged)),
        tuple(facts),
        cover.check,
        _open_address(lettering, spec, cover.check, tagged) if cover.check and personal else None,
    )


def _open_fact(lettering: TailLettering, block: Block, tagged: bool, edge: float) -> _Fact:
    *labels, value = block.lines
    before = b"".join(_shown(lettering, line) for line in labels)
    opening, closing = _marked(block, tagged)
    return _fact(lettering, block.part, opening + before, value, closing, edge - value.x)


def _open_address(lettering: TailLettering, spec: CopySpec, place: CheckPlace, tagged: bool) -> _Fact:
    """The words beside the QR code; the address, which is one short line here, is the first line of their last block."""
    (*above, block), _ = lay_out_check(lettering, spec, place, lambda *_: b"")
    opening, closing = _marked(block, tagged)
    value, *answers = block.lines
    before = b"".join([opening, *(_shown(lettering, line) for one in above for line in one.lines)])
    after = b"".join([_shown(lettering, line) for line in answers])
    return _fact(lettering, block.part, opening + before, value, after + closing, place.width - place.side)


def _filled(lettering: TailLettering, frame: Frame, values: dict[str, str]) -> bytes | None:
    """The facts with one copy's values; None where a value does not fit on its line."""
    parts = []
    for fact in frame.facts:
        if isinstance(fact, bytes):
            parts.append(fact)
            continue
        filled = fact.filled(lettering, values[fact.part])
        if filled is None:
            return None
        parts.append(filled)
    return b"".join(parts)


def _foot(copy: Copy, frame: Frame) -> bytes:
    """The QR code with its address, and the footer that the cover has as every page has it."""
    check = _check(copy, frame, frame.check) if frame.check else b""
    drawn, _ = copy.footer(_cover_place(*copy.master.cover_size), math.inf)
    return check + ART % drawn


@functools.lru_cache(maxsize=512)
def _cover_place(width: float, height: float) -> Place:
    return width, height, standard_band(width, height), False


def _check(copy: Copy, frame: Frame, place: CheckPlace) -> bytes:
    address = copy.spec.check_url
    words = frame.address.filled(copy.lettering, printable(address)) if frame.address else None
    if words is None:
        blocks, art = lay_out_check(copy.lettering, copy.spec, place, _qr)
        words = _drawn(copy.lettering, blocks, copy.master.tagged)
    else:
        art = _qr(address, *place.square)
    return ART % art + words


def _qr(address: str, x: float, y: float, side: float) -> bytes:
    """The code of a check address; copies differ in its last part."""
    return draw_quick_qr(address, address.rpartition("/")[2], x, y, side) or draw_qr(address, x, y, side)


def _drawn(lettering: TailLettering, blocks: Iterable[Block], tagged: bool) -> bytes:
    """The operators of blocks; those of one part and role are one stretch of marked content."""
    parts = []
    for _, group in groupby(blocks, key=lambda block: (block.part, block.role)):
        same = list(group)
        opening, closing = _marked(same[0], tagged)
        parts += [opening, *(_shown(lettering, line) for block in same for line in block.lines), closing]
    return b"".join(parts)


def _marked(block: Block, tagged: bool) -> tuple[bytes, bytes]:
    if not tagged:
        return b"", b""
    return b"/%s <</MCID %d>> BDC\n" % (block.role.encode(), MCIDS[block.part, block.role]), b"EMC\n"


def _shown(lettering: TailLettering, line: Line, text: str | None = None) -> bytes:
    grey = number(line.grey)
    shown = line.text if text is None else text
    colour = b"%s g %s G\n" % (grey, grey) if line.face.bold else b"%s g\n" % grey
    return colour + lettering.show(shown, line.face, line.size, line.x, line.y)
