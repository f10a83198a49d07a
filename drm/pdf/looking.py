"""Looks at the content of pages: what each leaves open, and where it certainly paints nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pikepdf

from drm.pdf.content import STEPS, Balance, balance, balance_of, content_of, resources_of, tokens
from drm.pdf.extents import FOLLOWED, Box, Step, lowest_boxes
from drm.pdf.geometry import View
from drm.pdf.reaches import Reaches
from drm.pdf.values import Limits, PdfRefused

TELLING = STEPS | FOLLOWED


class Looker:
    """Reads the content of each page of a document once, and keeps what was learnt, which is little.

    Together the pages may hold ``most`` bytes, unpacked; content that several pages share counts for each of them.
    """

    def __init__(
        self, pages: Sequence[pikepdf.Page], views: Sequence[View], most: int = Limits().decoded_total_bytes
    ) -> None:
        self._pages = pages
        self._views = views
        self._balances: dict[int, Balance] = {}
        self._reaches: Reaches = {}
        self._left = most

    def boxes(self, index: int) -> list[Box] | None:
        """The boxes around all that a page (0-based) paints near its lower edge, None where that is uncertain.

        PdfRefused where unpacking the page, or all that were read so far, takes more than it may.
        """
        page = self._pages[index]
        found, steps = self._read(index)
        if found is None:
            return None
        return lowest_boxes(page.obj, resources_of(page), found, steps, self._views[index], self._reaches)

    def balance(self, index: int) -> Balance:
        """What a page leaves open; PdfRefused as above."""
        if index not in self._balances:
            self._read(index)
        return self._balances[index]

    def _read(self, index: int) -> tuple[list[bytes] | None, list[Step]]:
        """The tokens of a page, None where they are not certain, and those that tell something, with their places."""
        content = content_of(self._pages[index].obj)
        if content is None:
            self._balances[index] = Balance(broken=True)
            return None, []
        self._left -= len(content)
        if self._left < 0:
            raise PdfRefused("bomb", "Unpacking the pages takes more than it may.")
        found = tokens(content)
        if found is None:
            self._balances[index] = balance(content)
            return None, []
        steps = [(at, token) for at, token in enumerate(found) if token in TELLING]
        self._balances[index] = balance_of([token for _, token in steps])
        return found, steps
