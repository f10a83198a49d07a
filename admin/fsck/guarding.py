"""One rule that cannot go on does not silence the others: what stopped it is told like anything else that is wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping

from admin.wiring import Services
from delivery.errors import DeliveryError
from delivery.violations import Violation
from storage.checks.asking import answers

LONGEST = 200


def guarded(services: Services, ids: Mapping[str, str], rule: Callable[[], Iterator[Violation]]) -> Iterator[Violation]:
    """What a rule finds, and ``check-failed`` with these ids where it stumbles over what it reads.

    Raises what stopped it only where the database does not answer any more: nothing can be said then.
    """
    try:
        yield from rule()
    except Exception as error:
        # Whatever stands in a damaged row, the other rules must be heard.
        if not _answers(services):
            raise
        yield Violation("check-failed", ids, reason_of(error))


def reason_of(error: Exception) -> str:
    """What an error says, in one line and without the statement that met it."""
    cause = error.__cause__ if isinstance(error, DeliveryError) and error.__cause__ else error
    cause = getattr(cause, "orig", None) or cause
    return f"{type(cause).__name__}: {' '.join(str(cause).split())}"[:LONGEST]


def _answers(services: Services) -> bool:
    try:
        with services.store.read() as work:
            return answers(work.session)
    except Exception:  # noqa: BLE001 - asked only whether it can be asked
        return False


def printable(text: str) -> str:
    """Text that any terminal takes in one line: what is no character of its, and what would move it, is written as an escape."""
    encoding = sys.stdout.encoding or "utf-8"
    seen = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
    return seen.encode(encoding, "backslashreplace").decode(encoding)
