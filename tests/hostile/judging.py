"""What becomes of one hostile file in one engine, and whether that is right."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pypdfium2

from drm.pdf.reading_order import as_read
from drm.pdf.rewrite import make_copy
from drm.pdf.tail.copying import copy_by_choice
from drm.pdf.values import CopyReport, PdfRefused
from drm.pdf.verifying import verify
from tests.drm.pdf_drawing.samples import SPEC
from tests.hostile.drafts import DELIVERED, Hostile
from tests.hostile.walker import active_content

Engine = Callable[[Path, Path], CopyReport]
ENGINES: dict[str, Engine] = {
    "tail": lambda source, out: copy_by_choice(source, out, SPEC),
    "rewrite": lambda source, out: make_copy(source, out, SPEC),
}


@dataclass(frozen=True)
class Outcome:
    """``code`` is ``delivered`` or the reason of the refusal; ``wrong`` lists what is not as it should be. ``size`` and ``fallback`` tell of
    the copy."""

    name: str
    kind: str
    engine: str
    code: str
    wrong: tuple[str, ...] = ()
    size: int = 0
    fallback: str = ""

    def __str__(self) -> str:
        return f"{self.kind} | {self.name} | {self.engine}: {self.code}; {'; '.join(self.wrong)}"


def judged(one: Hostile, engine: str) -> Outcome:
    """Make the file, give it to the engine in a folder of its own, and look at what comes out."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        source, out = Path(folder) / "source.pdf", Path(folder) / "copy.pdf"
        source.write_bytes(one.make())
        return judged_file(one, engine, source, out)


def judged_file(one: Hostile, engine: str, source: Path, out: Path) -> Outcome:
    """The same for a file that is there."""
    before = {path.name for path in out.parent.iterdir()}
    try:
        report = ENGINES[engine](source, out)
    except PdfRefused as refusal:
        left = {path.name for path in out.parent.iterdir()} - before
        wrong = [f"left behind: {name}" for name in sorted(left)]
        if refusal.code not in one.right:
            wrong.append(f"refused: {refusal.text} ({' '.join(sorted(one.right))} would be right)")
        return Outcome(one.name, one.kind, engine, refusal.code, tuple(wrong))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the test looks for
        return Outcome(one.name, one.kind, engine, f"{type(error).__name__}", (f"{error}",))
    wrong = list(faults(out, report, one))
    if DELIVERED not in one.right:
        wrong.append(f"delivered ({' '.join(sorted(one.right))} would be right)")
    left = {path.name for path in out.parent.iterdir()} - before - {out.name}
    wrong += [f"left behind: {name}" for name in sorted(left)]
    return Outcome(one.name, one.kind, engine, DELIVERED, tuple(wrong), report.bytes, report.fallback_reason or "")


def faults(out: Path, report: CopyReport, one: Hostile) -> Iterator[str]:
    """What is wrong with a delivered copy, as two libraries, the product's own verification and the walker see it."""
    verdict = verify(out)
    if not verdict.good or verdict.delivery != SPEC.delivery:
        yield f"verification says {verdict.code} {verdict.text}"
    if one.pages is not None and report.pages != one.pages + 1:
        yield f"{report.pages} pages instead of {one.pages + 1}"
    try:
        with pikepdf.open(out, attempt_recovery=False) as pdf:
            if len(pdf.pages) != report.pages:
                yield f"{len(pdf.pages)} pages in qpdf, {report.pages} in the report"
            yield from active_content(pdf)
            yield from (f"complaint: {problem}" for problem in ([] if one.unclean else pdf.check_pdf_syntax()))
            yield from (f"warning: {problem}" for problem in ([] if one.unclean else pdf.get_warnings()))
            read = as_read(pdf, out)
    except pikepdf.PdfError as error:
        yield f"qpdf cannot open it: {error}"
        return
    yield from _read_by_pdfium(read, report)
    if not one.unclean and shutil.which("qpdf"):
        checked = subprocess.run(["qpdf", "--check", str(out)], capture_output=True, check=False)
        if checked.returncode:
            yield f"qpdf --check ends with {checked.returncode}: {checked.stdout[-200:]!r} {checked.stderr[-300:]!r}"


def _read_by_pdfium(out: Path | io.BytesIO, report: CopyReport) -> Iterator[str]:
    try:
        document = pypdfium2.PdfDocument(out)
    except pypdfium2.PdfiumError as error:
        yield f"pdfium cannot open it: {error}"
        return
    if len(document) != report.pages:
        yield f"{len(document)} pages in pdfium, {report.pages} in the report"
    for number in range(min(len(document), 60)):
        page = document[number].get_textpage()
        if SPEC.delivery not in "".join(page.get_text_bounded().split()):
            yield f"page {number + 1} has no stamp"
        page.close()
    document.close()
