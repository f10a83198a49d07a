"""Looks at a file, in the sandbox."""

from __future__ import annotations

from pathlib import Path

from drm.pdf.plain_paths import readable
from drm.pdf.policy import Policy, check_policy, choose_engine, facts_in
from drm.pdf.sandbox import run_limited
from drm.pdf.values import Limits, NoVerdict, PdfRefused

FIELDS = [
    *("sha256", "bytes", "version", "pages", "revisions", "linearized", "object_streams", "hybrid", "encryption"),
    *("page_groups", "labels", "outline", "tagged", "pdfa", "pdfua", "signatures", "acroform", "xfa", "active"),
    *("embedded_files", "external_refs", "text_pages", "image_only_pages", "title", "doi_seen", "warnings", "verdict"),
    *("engine_advice", "engine_reason", "attachments", "notes"),
]
"""The fields of a report, which are always there."""


def inspect(
    source: Path, limits: Limits = Limits(), password: str | None = None, policy: Policy = Policy()
) -> dict[str, object]:
    """The report on a file; what we would refuse, by this policy too, has its code in ``verdict``.

    ``engine_advice`` is the engine that the policy would choose, ``engine_reason`` why. OSError where nothing can be
    read, NoVerdict where the machine came to no end.
    """
    with source.open("rb"):
        size = source.stat().st_size
    with readable(source) as plain:
        arguments = {"path": str(plain.absolute()), "password": password, "source_bytes": size}
        try:
            report = run_limited("examine", arguments, limits)
        except NoVerdict:
            raise
        except PdfRefused as refusal:
            report = _refused(refusal, size)
    assert isinstance(report, dict)
    if report["verdict"]["ok"]:
        facts = facts_in(report)
        try:
            check_policy(facts, policy, encrypted=False)
        except PdfRefused as refusal:
            report["verdict"] = {"ok": False, "code": refusal.code, "text": refusal.text}
        choice = choose_engine(facts, policy)
        report["engine_advice"], report["engine_reason"] = choice.engine, choice.reason
    return report


def _refused(refusal: PdfRefused, size: int) -> dict[str, object]:
    """The report on a file at which the child gave up: nothing is known but its size and why."""
    report: dict[str, object] = dict.fromkeys(FIELDS)
    verdict = {"ok": False, "code": refusal.code, "text": refusal.text}
    return {**report, "bytes": size, "warnings": [], "notes": [], "verdict": verdict}
