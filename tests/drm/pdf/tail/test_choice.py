"""Which engine makes a copy is decided by what happens, and the report says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from drm.pdf.policy import FileFacts, Policy, choose_engine
from drm.pdf.tail.copying import Engine, copy_by_choice
from drm.pdf.values import CopyReport, CopySpec, Limits, PdfRefused
from tests.drm.pdf.active import plain
from tests.drm.pdf_drawing.samples import SPEC, saved


def failing(code: str) -> Engine:
    def engine(
        source: Path, out: Path, spec: CopySpec, limits: Limits, one: str | None, two: str | None, policy: Policy
    ) -> CopyReport:
        raise PdfRefused(code, "It went wrong.")

    return engine


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source.pdf").write_bytes(saved(plain()))
    return tmp_path / "source.pdf"


@pytest.mark.parametrize("code", ["output-invalid", "stamp-missing", "active-content"])
def test_where_the_tail_engine_fails_its_own_checks_the_other_takes_over_and_says_why(source: Path, code: str) -> None:
    report = copy_by_choice(source, source.with_name("copy.pdf"), SPEC, first=failing(code))

    assert (report.engine, report.fallback_reason) == ("rewrite", f"{code}: It went wrong.")
    assert report.engine_reason == "engine-fell-back"


@pytest.mark.parametrize("code", ["output-invalid", "stamp-missing", "active-content"])
def test_an_engine_that_was_asked_for_never_falls_back(source: Path, code: str) -> None:
    with pytest.raises(PdfRefused, match=f"unsupported: .*{code}"):
        copy_by_choice(source, source.with_name("copy.pdf"), SPEC, policy=Policy("tail"), first=failing(code))

    assert not source.with_name("copy.pdf").exists()


@pytest.mark.parametrize(
    ("facts", "policy", "engine", "reason"),
    [
        (FileFacts(), Policy(), "tail", "engine-usual"),
        (FileFacts(), Policy("rewrite"), "rewrite", "engine-asked"),
        (FileFacts(archival=True), Policy("tail", pdfa="keep"), "tail", "engine-asked"),
        (FileFacts(archival=True), Policy(), "tail", "engine-usual"),
        (FileFacts(archival=True, has_master=True), Policy(pdfa="keep"), "rewrite", "engine-archival"),
        (FileFacts(has_master=True), Policy(prepare_after=9), "tail", "engine-has-master"),
        (FileFacts(), Policy(prepare_after=2), "rewrite", "engine-seldom"),
        (FileFacts(deliveries=1), Policy(prepare_after=2), "tail", "engine-usual"),
    ],
)
def test_the_choice_follows_from_facts_and_policy_alone(
    facts: FileFacts, policy: Policy, engine: str, reason: str
) -> None:
    choice = choose_engine(facts, policy)

    assert (choice.engine, choice.reason) == (engine, reason)


@pytest.mark.parametrize("code", ["damaged", "bomb", "timeout", "glyph-missing"])
def test_what_is_wrong_with_the_file_is_refused_and_not_tried_again(source: Path, code: str) -> None:
    with pytest.raises(PdfRefused) as refused:
        copy_by_choice(source, source.with_name("copy.pdf"), SPEC, first=failing(code))

    assert refused.value.code == code
    assert not source.with_name("copy.pdf").exists()
