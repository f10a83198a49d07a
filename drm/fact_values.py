"""The values that facts of a closed kind can have. Tests in agreements may name others; they are warned of, for nothing ever equals them."""

from __future__ import annotations

from collections.abc import Mapping

VIAS = ("own_reader", "ill", "document_delivery")
"""How a copy comes to a reader: from his own library, from another library, from a supplier."""
ITEMS = ("article", "book_part", "whole_work", "unpublished")
DELIVERIES = ("electronic", "on_premises", "post", "fax", "secure_electronic_print_then_delete")
PURPOSES = ("private_study", "scholarship", "research_noncommercial", "research", "teaching", "commercial")
ORIGINALS = ("electronic", "print")
CLASSES = ("scholarly", "trade", "general", "newspaper")
GENRES = ("nonfiction", "fiction", "poetry", "dramatic", "musical")
RIGHTS = ("public_domain", "open_access")
FLAGS = (
    "subscribed",
    "on_order",
    "owned",
    "fee_paid",
    "systematic",
    "unobtainable_at_fair_price",
    "commercially_unavailable",
    "same_research_or_course",
    "licensed_for_remote",
    "declaration_known_false",
    "published_before_deposit",
    "owner_prohibits",
)
"""Flags that have a meaning here. An agreement may name others, which a source's settings can raise."""

VALUES: Mapping[str, tuple[str, ...]] = {
    "request.via": VIAS,
    "request.item": ITEMS,
    "request.delivery": DELIVERIES,
    "request.purpose": PURPOSES,
    "supplier.source": ORIGINALS,
    "work.class": CLASSES,
    "work.genre": GENRES,
    "work.rights": RIGHTS,
}
SWITCHES = frozenset({"entity.for_profit", "reader.registered", "issue.next_published", "issue.themed"})
"""Facts that are true or false; so is every flag."""
