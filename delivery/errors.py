"""The one family of errors that use cases raise. The web turns them into pages or problem documents."""

from __future__ import annotations

import errno
from collections.abc import Mapping

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a system says when there is no room (errno(3))."""


class DeliveryError(Exception):
    """Something a person must be told. ``code`` is stable and has words in both languages; ``text`` is one English sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class NotFound(DeliveryError):
    """The thing does not exist, or not for this person: both look the same from outside."""


class NotAllowed(DeliveryError):
    """The person is known but may not do this."""


class Conflict(DeliveryError):
    """The thing has moved on meanwhile; what was asked no longer fits its state."""


class Invalid(DeliveryError):
    """Input is wrong, field by field. ``fields`` maps a field name to its code."""

    def __init__(
        self, fields: Mapping[str, str], code: str = "invalid-input", text: str = "Some fields need another look."
    ) -> None:
        super().__init__(code, text)
        self.fields = dict(fields)


class Unreadable(Invalid):
    """Input holds what no text may hold: a character that cannot be kept, or that UTF-8 cannot say."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(fields, "unreadable-input", "There are characters in it that cannot be kept.")


class Unavailable(DeliveryError):
    """A part of the service cannot answer now. Nothing was lost; ``retry_after`` is in seconds."""

    def __init__(self, code: str, text: str, retry_after: int = 5) -> None:
        super().__init__(code, text)
        self.retry_after = retry_after


class TooFast(DeliveryError):
    """Somebody takes too much too fast. Nothing was done; ``retry_after`` is in seconds."""

    def __init__(self, code: str, text: str, retry_after: int) -> None:
        super().__init__(code, text)
        self.retry_after = retry_after


class StorageFull(Unavailable):
    """The disk or the database has no room left."""


def disk_trouble(error: OSError) -> Unavailable:
    """The error of ours that fits an error of the disk."""
    if error.errno in FULL:
        return StorageFull("storage-full", "The disk is full. What was stored before is safe; try again later.", 60)
    return Unavailable("blob-store", "The blob store cannot be used now. Nothing was lost; try again later.", 30)
