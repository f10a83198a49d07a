"""The corpus of real files as entries of the catalogue, and what masters made of them must show."""

from __future__ import annotations

import csv
import secrets
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pikepdf
import pypdfium2

from benchmarks.pdf_engine.judging import is_comparable
from benchmarks.pdf_engine.readers import opened_by
from drm.pdf.tail.keys import MasterKeys
from drm.pdf.tail.personalise import blank_tail
from drm.pdf.tail.prepare import Wish, prepare
from drm.pdf.values import REFUSAL_CODES, PdfRefused
from drm.tokens import KeyRing
from tests.corpus import CORPUS, corpus_files
from tests.drm.pdf_drawing.samples import SPEC
from tests.hostile.drafts import DELIVERED, Hostile

OUR_FAULTS = {"crashed", "active-content", "output-invalid", "stamp-missing", "no-key", "bad-name", "timeout"}
COMPARED, PIXELS = 4, 400


@dataclass(frozen=True)
class Real:
    """A file of the corpus, judged like a hostile one."""

    path: Path
    entry: Hostile


def complains(path: Path) -> bool:
    """Whether a strict reader has something to say about the source itself."""
    try:
        with pikepdf.open(path) as pdf:
            return bool(pdf.check_pdf_syntax() or pdf.get_warnings())
    except (pikepdf.PdfError, pikepdf.PasswordError):
        return True


def _has_pages(path: Path) -> bool:
    """Whether a reader that repairs finds a page."""
    try:
        with pikepdf.open(path) as pdf:
            return len(pdf.pages) > 0
    except (pikepdf.PdfError, pikepdf.PasswordError):
        return False


def _right(expected: str, path: Path) -> frozenset[str]:
    if expected == "deliverable":
        return frozenset({DELIVERED})
    if expected.startswith("refuse:"):
        code = expected.removeprefix("refuse:")
        if code == "zero-pages" and _has_pages(path):  # the manifest was made by a reader that does not repair
            return frozenset({DELIVERED})
        return frozenset({"damaged", "not-a-pdf"} if code in {"damaged", "not-a-pdf"} else {code})
    return frozenset({DELIVERED, *REFUSAL_CODES} - OUR_FAULTS)


def real_files(largest: int | None = None) -> list[Real]:
    """All files of the corpus with what its manifest expects; empty without a corpus."""
    manifest = CORPUS / "pdf" / "MANIFEST.tsv"
    if not manifest.is_file():
        return []
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
    found = []
    for path in corpus_files("pdf/**/*.pdf", largest):
        name = path.relative_to(CORPUS / "pdf").as_posix()
        row = rows.get(name, {})
        pages = int(row["pages"]) if row.get("pages", "").isdigit() and row.get("expected") == "deliverable" else None
        kind = name.split("/")[0]
        found.append(
            Real(path, Hostile(name, kind, path.read_bytes, _right(row.get("expected", "either"), path), pages))
        )
    return found


def judged_real(real: Real) -> Hostile:
    """Its entry, lenient about content that is not clean in the source."""
    return replace(real.entry, unclean=complains(real.path))


@dataclass(frozen=True)
class MasterLook:
    """What a master shows: the largest share of samples of a page by which a blank copy differs from the source (None: nothing to compare),
    whether nothing visible was removed or repaired, and of each reader that was asked whether it opens the master alone."""

    share: float | None
    comparable: bool
    opened_by: dict[str, bool]


def look_at_master(path: Path) -> MasterLook | None:
    """Prepare a file and look at its master; None where it is refused."""
    keys = MasterKeys(KeyRing({"once": secrets.token_bytes(32)}))
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        out = Path(folder) / "master"
        try:
            master = prepare(path, out, keys, Wish(SPEC))
        except PdfRefused:
            return None
        blank = Path(folder) / "blank.pdf"
        blank.write_bytes(out.read_bytes() + blank_tail(master, SPEC, keys))
        return MasterLook(_largest_share(path, blank), is_comparable(master), opened_by(out))


def _largest_share(source: Path, copy: Path) -> float | None:
    try:
        before, after = pypdfium2.PdfDocument(source), pypdfium2.PdfDocument(copy)
    except pypdfium2.PdfiumError:
        return None
    shares = []
    for number in range(min(COMPARED, len(before), len(after) - 1)):
        try:
            one, other = _samples(before[number]), _samples(after[number + 1])
        except (pypdfium2.PdfiumError, ValueError):
            continue
        different = sum(a != b for a, b in zip(one, other, strict=False)) if one != other else 0
        shares.append(1.0 if len(one) != len(other) else different / max(1, len(one)))
    return max(shares, default=None)


def _samples(page: pypdfium2.PdfPage) -> bytes:
    return bytes(page.render(scale=PIXELS / max(1.0, *page.get_size()), may_draw_forms=False).buffer)
