"""The password that opens a copy, where an agreement asks for one: told to its reader alone, signed in, and never mailed."""

from __future__ import annotations

import hashlib
import hmac

from delivery.copies import Delivery
from delivery.numbers import ALPHABET
from delivery.services.context import Context

PURPOSE = "rushlight.copy-password.v1"
LETTERS = 16


def spelled(ctx: Context, delivery: str, key_id: str) -> str:
    """The password of a delivery under one key of the ring: sixteen letters in fours, about 78 bits."""
    digest = hmac.new(ctx.ring.derive(PURPOSE, key_id), delivery.encode(), hashlib.sha256).digest()
    number, letters = int.from_bytes(digest, "big"), ""
    for _ in range(LETTERS):
        number, place = divmod(number, len(ALPHABET))
        letters += ALPHABET[place]
    return "-".join(letters[start : start + 4] for start in range(0, LETTERS, 4)).lower()


def copy_password(ctx: Context, delivery: Delivery) -> str | None:
    """The password that opens this copy; None where it opens unasked."""
    if delivery.terms.get("password") != "reader":
        return None
    return spelled(ctx, delivery.number, str(delivery.terms.get("password_key", ctx.ring.current)))
