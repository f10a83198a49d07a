"""One look at the content of each page: what it leaves open, and where it certainly paints nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pikepdf

from drm.pdf.content import Balance, balance, balance_of, content_of, resources_of, tokens
from drm.pdf.extents import Box, lowest_boxes
from drm.pdf.geometry import View


@dataclass(frozen=True)
class Look:
    """What a page's content leaves behind, and the boxes around all that it paints near its lower edge, None if uncertain."""

    balance: Balance
    boxes: list[Box] | None


def look_at(page: pikepdf.Page, view: View) -> Look:
    """Look at one page; PdfRefused where unpacking it takes more than it may."""
    content = content_of(page.obj)
    found = tokens(content)
    if found is None:
        return Look(balance(content), None)
    return Look(balance_of(found), lowest_boxes(page.obj, resources_of(page), found, view))


def look_at_all(pages: Sequence[pikepdf.Page], views: Sequence[View]) -> list[Look]:
    """Look at every page."""
    return [look_at(page, view) for page, view in zip(pages, views, strict=True)]
