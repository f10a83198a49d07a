"""Looks at the content of pages: what each leaves open, and where it certainly paints nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pikepdf

from drm.pdf.content import Balance, balance, balance_of, content_of, resources_of, tokens
from drm.pdf.extents import Box, lowest_boxes
from drm.pdf.geometry import View


class Looker:
    """Reads the content of each page of a document once, and keeps what was learnt, which is little."""

    def __init__(self, pages: Sequence[pikepdf.Page], views: Sequence[View]) -> None:
        self._pages = pages
        self._views = views
        self._balances: dict[int, Balance] = {}

    def boxes(self, index: int) -> list[Box] | None:
        """The boxes around all that a page (0-based) paints near its lower edge, None where that is uncertain.

        PdfRefused where unpacking the page takes more than it may.
        """
        page = self._pages[index]
        found = self._tokens(index)
        return lowest_boxes(page.obj, resources_of(page), found, self._views[index])

    def balance(self, index: int) -> Balance:
        """What a page leaves open; PdfRefused as above."""
        if index not in self._balances:
            self._tokens(index)
        return self._balances[index]

    def _tokens(self, index: int) -> list[bytes] | None:
        content = content_of(self._pages[index].obj)
        if content is None:
            self._balances[index] = Balance(broken=True)
            return None
        found = tokens(content)
        self._balances[index] = balance(content) if found is None else balance_of(found)
        return found
