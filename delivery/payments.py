"""How a fee that a reader agreed to is paid: a port, and the default by which the library is invoiced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from delivery.people import Library


@dataclass(frozen=True)
class Arrangement:
    """How it is paid: ``way`` is a short word that reports name, ``reference`` what the payer will recognise it by."""

    way: str
    reference: str


class Payments(Protocol):
    """Arranges payment when a reader has agreed. Called again for the same request it arranges the same thing once."""

    def arrange(self, request: str, library: Library, amounts: Sequence[tuple[str, str]]) -> Arrangement:
        """Arrange the payment of amounts (decimal text, currency). Nothing may be taken before the copy is supplied."""


class InvoiceAtLibrary:
    """The reader's library pays what falls due and settles with the reader as it likes: no money passes through Rushlight."""

    def arrange(self, request: str, library: Library, amounts: Sequence[tuple[str, str]]) -> Arrangement:
        """An invoice to the library under the request's number."""
        return Arrangement("library-invoice", f"{library.id}/{request}")
