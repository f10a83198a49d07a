"""What every way to a full text promises. Each adapter inherits the class and gives only its fixtures."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from delivery.citation import Citation
from delivery.sources import FETCH_CODES, Fetcher, FetchFailed
from tests.world import citation


@dataclass(frozen=True)
class Subject:
    """A fetcher, a work that it has, and works that it does not have or cannot give."""

    fetcher: Fetcher
    held: Citation
    lacking: tuple[Citation, ...]


class FetcherContract:
    """The promises of ``delivery.sources.Fetcher``. Each adapter gives a fixture ``subject``."""

    def test_a_held_work_arrives_whole_with_its_digest(self, subject: Subject, tmp_path: Path) -> None:
        import hashlib

        into = tmp_path / "target.pdf"

        fetched = subject.fetcher.fetch(subject.held, into, time.monotonic() + 10)

        data = into.read_bytes()
        assert data.startswith(b"%PDF-")
        assert (fetched.bytes, fetched.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert [path.name for path in tmp_path.iterdir()] == ["target.pdf"]

    def test_a_held_work_is_a_candidate(self, subject: Subject) -> None:
        assert subject.fetcher.find(subject.held) is not None

    def test_what_cannot_be_given_is_a_coded_failure_that_leaves_nothing(
        self, subject: Subject, tmp_path: Path
    ) -> None:
        for wanted in subject.lacking:
            with pytest.raises(FetchFailed) as failed:
                subject.fetcher.fetch(wanted, tmp_path / "target.pdf", time.monotonic() + 10)

            assert failed.value.code in FETCH_CODES
            assert failed.value.text
            assert not list(tmp_path.iterdir())

    def test_an_earlier_file_is_never_written_over(self, subject: Subject, tmp_path: Path) -> None:
        into = tmp_path / "target.pdf"
        into.write_bytes(b"mine")

        with pytest.raises((FetchFailed, FileExistsError)):
            subject.fetcher.fetch(subject.held, into, time.monotonic() + 10)

    def test_any_citation_can_be_looked_for(self, subject: Subject) -> None:
        for fields in ({"title": "x" * 2_000}, {"title": "河口"}, {"doi": "10.5555/%00"}, {"isbn": "9780306406157"}):
            found, errors = Citation.from_fields(fields)
            if not errors:
                subject.fetcher.find(found)
        candidate = subject.fetcher.find(citation(title="nobody wrote this", year="1901"))
        assert candidate is None or not candidate.certain
