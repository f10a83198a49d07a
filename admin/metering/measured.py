"""Sources, mail and the PDF engine as they are, with their times and outcomes counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from admin.metering.meters import Meters, timed
from delivery.citation import Citation
from delivery.ports import Letter, Mailer, MailFailed
from delivery.services.context import PdfWorks
from delivery.sources import Candidate, Fetched, Fetcher, FetchFailed
from drm.pdf.tail.keys import MasterKeys
from drm.pdf.tail.values import Master
from drm.pdf.values import CopyReport, CopySpec, PdfRefused
from drm.pdf.verifying import Expectation, Verdict


class MeasuredFetcher:
    """A source whose tries are counted by outcome."""

    def __init__(self, source: str, inner: Fetcher, meters: Meters) -> None:
        self._source, self._inner, self._meters = source, inner, meters

    def find(self, citation: Citation) -> Candidate | None:
        """Whether the source could serve the citation."""
        return self._inner.find(citation)

    def fetch(self, citation: Citation, into: Path, deadline: float) -> Fetched:
        """Bring the full text, or raise FetchFailed."""
        outcome = "error"
        try:
            with timed(self._meters.fetch_seconds.labels(self._source)):
                found = self._inner.fetch(citation, into, deadline)
            outcome = "found"
            return found
        except FetchFailed as error:
            outcome = error.code
            raise
        finally:
            self._meters.fetches.labels(self._source, outcome).inc()


class MeasuredMailer:
    """A mailer whose letters are counted by outcome."""

    def __init__(self, inner: Mailer, meters: Meters) -> None:
        self._inner, self._meters = inner, meters

    def send(self, letter: Letter) -> None:
        """Send, or raise MailFailed."""
        outcome = "error"
        try:
            self._inner.send(letter)
            outcome = "sent"
        except MailFailed as error:
            outcome = "refused" if error.permanent else "postponed"
            raise
        finally:
            self._meters.mails.labels(outcome).inc()


class MeasuredPdfWorks:
    """The PDF engine whose acts are timed and whose refusals are counted."""

    def __init__(self, inner: PdfWorks, meters: Meters) -> None:
        self._inner, self._meters = inner, meters

    @contextmanager
    def _act(self, name: str) -> Iterator[None]:
        try:
            with timed(self._meters.pdf_seconds.labels(name)):
                yield
        except PdfRefused as error:
            self._meters.refusals.labels(name, error.code).inc()
            raise

    def inspect(self, source: Path) -> Mapping[str, object]:
        """The report on a file."""
        with self._act("inspect"):
            return self._inner.inspect(source)

    def make_copy(self, source: Path, out: Path, spec: CopySpec, reader_password: str | None = None) -> CopyReport:
        """One verified copy at ``out``."""
        with self._act("make_copy"):
            return self._inner.make_copy(source, out, spec, reader_password)

    def prepare(self, source: Path, out: Path, typical: CopySpec, encrypted: bool, keys: MasterKeys) -> Master:
        """A proved master at ``out``."""
        with self._act("prepare"):
            return self._inner.prepare(source, out, typical, encrypted, keys)

    def verify(self, copy: Path, expect: Expectation, password: str | None = None) -> Verdict:
        """The full check of a copy."""
        with self._act("verify"):
            return self._inner.verify(copy, expect, password)

    def render_page(self, source: Path, page: int, width: int, password: str | None = None) -> bytes:
        """One page as PNG."""
        with self._act("render_page"):
            return self._inner.render_page(source, page, width, password)

    def page_text(self, source: Path, page: int, password: str | None = None) -> str:
        """The text of one page."""
        with self._act("page_text"):
            return self._inner.page_text(source, page, password)
