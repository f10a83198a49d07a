"""The PDF engine as the use cases see it, with this installation's limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from delivery.errors import FULL, Unavailable, disk_trouble
from delivery.jobs import ENGINE_BUSY
from drm.pdf.inspecting import inspect
from drm.pdf.policy import Policy
from drm.pdf.rendering import page_text, render_page
from drm.pdf.rewrite import make_copy
from drm.pdf.tail.keys import MasterKeys
from drm.pdf.tail.prepare import Wish, prepare
from drm.pdf.tail.values import Master
from drm.pdf.values import CopyReport, CopySpec, Limits, NoVerdict
from drm.pdf.verifying import Expectation, Verdict, verify


@contextmanager
def _no_fault_of_the_file() -> Iterator[None]:
    """A disk that is full or fails, a child that cannot be had or is cut off, or a processor that others have, puts the work
    off. The file is not blamed."""
    try:
        yield
    except NoVerdict as none:
        raise Unavailable(ENGINE_BUSY, none.text, 30) from none
    except OSError as error:
        if error.errno in FULL:
            raise disk_trouble(error) from error
        raise Unavailable(
            "pdf-engine", "Documents cannot be worked on now. Nothing was lost; try again.", 30
        ) from error


class SandboxedPdfWorks:
    """Every call runs in a limited child process. Troubles of this machine are Unavailable, never PdfRefused."""

    def __init__(self, limits: Limits, policy: Policy = Policy()) -> None:
        self._limits = limits
        self._policy = policy

    def inspect(self, source: Path) -> Mapping[str, object]:
        """The report on a file."""
        with _no_fault_of_the_file():
            return inspect(source, self._limits)

    def make_copy(self, source: Path, out: Path, spec: CopySpec, reader_password: str | None = None) -> CopyReport:
        """One verified copy at ``out``."""
        with _no_fault_of_the_file():
            return make_copy(source, out, spec, self._limits, reader_password=reader_password, policy=self._policy)

    def prepare(self, source: Path, out: Path, typical: CopySpec, encrypted: bool, keys: MasterKeys) -> Master:
        """A proved master at ``out``."""
        with _no_fault_of_the_file():
            return prepare(source, out, keys, Wish(typical, encrypted=encrypted, policy=self._policy), self._limits)

    def verify(self, copy: Path, expect: Expectation, password: str | None = None) -> Verdict:
        """The full check of a copy."""
        with _no_fault_of_the_file():
            return verify(copy, expect, self._limits, password)

    def render_page(self, source: Path, page: int, width: int, password: str | None = None) -> bytes:
        """One page as PNG."""
        with _no_fault_of_the_file():
            return render_page(source, page, width, self._limits, password)

    def page_text(self, source: Path, page: int, password: str | None = None) -> str:
        """The text of one page."""
        with _no_fault_of_the_file():
            return page_text(source, page, self._limits, password)
