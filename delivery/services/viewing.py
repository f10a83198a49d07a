"""Reading a copy page by page where an agreement forbids the file: counted and ended like a download window."""

from __future__ import annotations

from dataclasses import dataclass

from delivery.copies import Delivery
from delivery.errors import DeliveryError, NotFound
from delivery.services.context import Context
from delivery.services.copy_passwords import copy_password
from delivery.services.copy_reading import whole_file
from drm.pdf.values import PdfRefused

WIDTHS = (700, 1000, 1400, 2000)
"""Pixels across a page, from small to large."""


@dataclass(frozen=True)
class Leaf:
    """One page in the viewer. ``text`` is empty where the agreement does not permit it, or the page has none."""

    number: int
    pages: int
    width: int
    text: str

    @property
    def narrower(self) -> int | None:
        """The next smaller width."""
        return next((width for width in reversed(WIDTHS) if width < self.width), None)

    @property
    def wider(self) -> int | None:
        """The next larger width."""
        return next((width for width in WIDTHS if width > self.width), None)


def is_view_only(delivery: Delivery) -> bool:
    """Whether the copy may only be looked at, and no file be had."""
    return bool(delivery.terms.get("view_only"))


def leaf(ctx: Context, delivery: Delivery, number: int, width: int) -> Leaf:
    """Page ``number`` (from 1) of a copy, with its text where the agreement permits to copy it. NotFound beyond the last page."""
    _in(delivery, number)
    width = min(WIDTHS, key=lambda known: abs(known - width))
    text = ""
    if delivery.terms.get("copy_text", True):
        with whole_file(ctx, delivery) as path:
            try:
                text = ctx.pdf.page_text(path, number - 1, copy_password(ctx, delivery))
            except PdfRefused:
                text = ""
    return Leaf(number, delivery.pages, width, text)


def picture(ctx: Context, delivery: Delivery, number: int, width: int) -> bytes:
    """Page ``number`` (from 1) as PNG, with the stamp in the picture."""
    _in(delivery, number)
    if width not in WIDTHS:
        raise NotFound("unknown-page", "There is no picture of this width.")
    with whole_file(ctx, delivery) as path:
        try:
            return ctx.pdf.render_page(path, number - 1, width, copy_password(ctx, delivery))
        except PdfRefused as refusal:
            raise DeliveryError(refusal.code, refusal.text) from refusal


def _in(delivery: Delivery, number: int) -> None:
    if not 1 <= number <= delivery.pages:
        raise NotFound("unknown-page", "There is no such page in this copy.")
