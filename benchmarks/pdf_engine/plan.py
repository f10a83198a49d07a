"""What a run does: whole, or short; and the tools that all its parts share."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.pdf_engine.clock import Clock
from benchmarks.pdf_engine.documents import article
from benchmarks.pdf_engine.nursery import Nursery
from benchmarks.pdf_engine.ours import Prepared, prepared
from benchmarks.pdf_engine.scans import PAGES, scan


@dataclass
class Plan:
    """``folder`` takes what is made and is taken away afterwards; ``kept`` keeps the documents from run to run.

    ``reference`` says that this is the machine of reference, on which absolute bars bind too.
    """

    smoke: bool
    huge: bool
    reference: bool
    kept: Path
    folder: Path
    nursery: Nursery
    masters: dict[Path, Prepared] = field(default_factory=dict)

    @cached_property
    def clock(self) -> Clock:
        """Counts for all."""
        return Clock(self.nursery)

    @property
    def rounds(self) -> int:
        """How often everything is measured."""
        return 2 if self.smoke else 5

    @property
    def out(self) -> Path:
        """Where copies go."""
        return self.folder / "out.pdf"

    def article(self, pages: int) -> Path:
        """An article."""
        return article(pages, self.kept)

    @property
    def scan(self) -> Path:
        """The long scan; a short one in a short run."""
        return scan(12 if self.smoke else PAGES, self.kept)

    @property
    def short(self) -> dict[str, Path]:
        """The documents on which peers are measured, by what tables call them."""
        return {f"{pages} p": self.article(pages) for pages in ((1, 14) if self.smoke else (1, 14, 50))}

    @property
    def all(self) -> dict[str, Path]:
        """All documents by what tables call them."""
        long = {} if self.smoke else {"350 p": self.article(350)}
        return {**self.short, **long, "scan": self.scan}

    def master(self, source: Path) -> Prepared:
        """A document prepared, once for the whole run."""
        if source not in self.masters:
            self.masters[source] = prepared(source, self.folder)
        return self.masters[source]
