"""QR codes of addresses that differ in a delivery number only, in a fraction of a millisecond.

With version, level and mask fixed, each module of a code is the exclusive or of some bits of the address and a constant
(ISO/IEC 18004: padding, Reed-Solomon code and mask are all linear over GF(2)). So one code is worked out in full for the common
part, and what each bit of the number flips is learnt once; a code is then a few exclusive ors of whole numbers.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import segno

from drm.pdf.qr import packed_modules, painted

BITS = 7
"""Bits of an ASCII character."""

FILLER = "0"


@dataclass(frozen=True)
class _Family:
    """All codes of one length with the same text around the number: modules of the base as one number, and the flips.

    ``known`` keeps, for each place, what a character there flips: all of its bits at once.
    """

    side: int
    base: int
    flips: tuple[tuple[int, ...], ...]
    known: tuple[dict[str, int], ...]

    def flipped(self, place: int, character: str) -> int:
        """The modules that this character at this place flips."""
        found = self.known[place].get(character)
        if found is None:
            changed, found = ord(character) ^ ord(FILLER), 0
            for bit in range(BITS):
                if changed >> bit & 1:
                    found ^= self.flips[place][bit]
            self.known[place][character] = found
        return found


def draw_quick_qr(address: str, varying: str, x: float, y: float, side: float) -> bytes | None:
    """The operators for a code in a square whose lower left corner is (x, y), quiet zone included.

    ``varying`` is the part of the address by which copies differ. None where the address does not hold it once, or is not
    plain ASCII: then the code has to be made in full.
    """
    if not varying or not address.isascii() or address.count(varying) != 1:
        return None
    before, _, after = address.partition(varying)
    family = _family(before, len(varying), after)
    modules = family.base
    for place, character in enumerate(varying):
        modules ^= family.flipped(place, character)
    return painted(modules, family.side, x, y, side)


@functools.lru_cache(maxsize=64)
def _family(before: str, length: int, after: str) -> _Family:
    """Learn what each bit flips, from codes that differ in that bit; takes some tens of milliseconds."""
    plain = FILLER * length
    first = segno.make(f"{before}{plain}{after}", error="m", micro=False, mode="byte")
    side = len(first.matrix)
    base = packed_modules(first.matrix)
    flips = []
    for place in range(length):
        changed = []
        for bit in range(BITS):
            other = plain[:place] + chr(ord(FILLER) ^ 1 << bit) + plain[place + 1 :]
            code = segno.make(f"{before}{other}{after}", error="m", micro=False, mode="byte", mask=first.mask)
            changed.append(packed_modules(code.matrix) ^ base)
        flips.append(tuple(changed))
    return _Family(side, base, tuple(flips), tuple({} for _ in flips))
