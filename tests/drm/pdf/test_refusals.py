"""A file that cannot be delivered is refused with a reason, and nothing is left where the copy would have been."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest

from drm.pdf.inspecting import inspect
from drm.pdf.rewrite import make_copy
from drm.pdf.sandbox import run_limited
from drm.pdf.tail.prepare import prepare
from drm.pdf.values import REFUSAL_CODES, Limits, PdfRefused
from drm.pdf.verifying import verify
from tests.drm.pdf.bad_files import REFUSED, REPAIRABLE, damaged, good, locked
from tests.drm.pdf.tail.masters import KEYS
from tests.drm.pdf_drawing.samples import SPEC, document, saved


def kept(folder: Path, data: bytes) -> Path:
    path = folder / "source.pdf"
    path.write_bytes(data)
    return path


def refusal(folder: Path, data: bytes, limits: Limits = Limits()) -> str:
    with pytest.raises(PdfRefused) as refused:
        make_copy(kept(folder, data), folder / "copy.pdf", SPEC, limits)
    assert [path.name for path in folder.iterdir()] == ["source.pdf"]
    return refused.value.code


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_cannot_be_delivered_is_refused_with_its_reason(tmp_path: Path, kind: str) -> None:
    maker, codes = REFUSED[kind]

    assert refusal(tmp_path, maker()) in codes


@pytest.mark.parametrize("kind", REFUSED)
def test_the_report_on_a_refused_file_says_so_or_refuses_itself(tmp_path: Path, kind: str) -> None:
    maker, codes = REFUSED[kind]
    try:
        verdict = inspect(kept(tmp_path, maker()))["verdict"]
    except PdfRefused as refused:
        verdict = {"ok": False, "code": refused.code}

    assert isinstance(verdict, dict)
    # What is only noticed while a copy is made may look well from outside.
    assert verdict["ok"] or verdict["code"] in codes | {"timeout", "bomb"}


@pytest.mark.parametrize("kind", REPAIRABLE)
def test_what_opens_after_repair_is_taken_and_told(tmp_path: Path, kind: str) -> None:
    report = make_copy(kept(tmp_path, REPAIRABLE[kind]()), tmp_path / "copy.pdf", SPEC)

    assert report.pages == 3
    assert verify(tmp_path / "copy.pdf").good
    assert report.repaired or kind in {"junk behind", "junk in front"}


def test_a_given_password_opens_what_it_fits(tmp_path: Path) -> None:
    source = kept(tmp_path, locked("open sesame"))

    report = make_copy(source, tmp_path / "copy.pdf", SPEC, Limits(), "open sesame")

    assert "encryption" in report.repaired
    with pytest.raises(PdfRefused, match="password-required"):
        make_copy(source, tmp_path / "other.pdf", SPEC, Limits(), "wrong")


def test_caps_of_bytes_and_pages_are_kept(tmp_path: Path) -> None:
    assert refusal(tmp_path, good(), Limits(source_bytes=100)) == "too-large"
    assert refusal(tmp_path, good(5), Limits(pages=4)) == "too-many-pages"


def valid_or_refused(folder: Path, name: str, data: bytes) -> str:
    """The outcome for one file: delivered, after checking with two libraries that it is whole, or the refusal's code."""
    source, out = folder / f"{name}.pdf", folder / f"{name}-copy.pdf"
    source.write_bytes(data)
    try:
        report = make_copy(source, out, SPEC)
    except PdfRefused as refused:
        assert not out.exists()
        return refused.code
    with pikepdf.open(out, attempt_recovery=False) as pdf:
        assert len(pdf.pages) == report.pages
    document = pypdfium2.PdfDocument(out)
    for number in range(report.pages):
        assert SPEC.delivery in document[number].get_textpage().get_text_bounded(), (name, number)
    return "delivered"


def test_damaged_files_are_delivered_whole_or_refused(tmp_path: Path) -> None:
    outcomes = [valid_or_refused(tmp_path, name, data) for name, data in damaged(1, 30)]

    assert "delivered" in outcomes
    assert set(outcomes) <= {"delivered", *REFUSAL_CODES} - {"crashed", "active-content"}


@pytest.mark.slow
def test_hundreds_of_damaged_files_are_delivered_whole_or_refused(tmp_path: Path) -> None:
    outcomes = [valid_or_refused(tmp_path, name, data) for name, data in damaged(2, 250)]

    assert 50 < outcomes.count("delivered") < 250


def test_no_one_elses_work_suffers_from_a_bomb(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    folders = [tmp_path / str(number) for number in range(6)]
    for folder in folders:
        folder.mkdir()

    def work(number: int) -> str:
        if number % 2:
            return refusal(folders[number], REFUSED["flate bomb"][0]())
        return make_copy(kept(folders[number], good()), folders[number] / "copy.pdf", SPEC).delivery

    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(work, range(6)))

    assert [outcome == SPEC.delivery for outcome in outcomes] == [True, False] * 3


def test_a_name_in_another_spec_makes_another_copy(tmp_path: Path) -> None:
    source = kept(tmp_path, good())
    one = make_copy(source, tmp_path / "one.pdf", SPEC)
    two = make_copy(source, tmp_path / "two.pdf", replace(SPEC, reader="Someone Else", delivery="RL-OTHER-1"))

    assert one.sha256 != two.sha256
    assert verify(tmp_path / "two.pdf").delivery == "RL-OTHER-1"


MEBI = 1024 * 1024


def heavy(pages: int) -> bytes:
    """Each page has content of its own that unpacks to a mebibyte."""
    pdf = document(*[b" " * MEBI] * pages)
    return saved(pdf)


@pytest.mark.parametrize("engine", ["tail", "rewrite"])
def test_pages_that_only_together_unpack_to_more_than_a_document_may_are_a_bomb(tmp_path: Path, engine: str) -> None:
    limits = replace(Limits(), decoded_stream_bytes=2 * MEBI, decoded_total_bytes=4 * MEBI)

    def code(pages: int) -> str:
        source = kept(tmp_path, heavy(pages))
        try:
            if engine == "tail":
                prepare(source, tmp_path / "master", KEYS, limits=limits)
            else:
                make_copy(source, tmp_path / "copy.pdf", SPEC, limits)
        except PdfRefused as refused:
            return refused.code
        return ""

    assert len(heavy(5)) < MEBI // 8
    assert code(4) == ""
    assert code(5) == "bomb"


@pytest.mark.parametrize(("harm", "code"), [("another's", "stamp-missing"), ("cut", "output-invalid")])
def test_a_copy_that_fails_its_check_is_not_given_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str, code: str
) -> None:
    source, earlier = kept(tmp_path, good()), tmp_path / "copy.pdf"
    make_copy(source, earlier, replace(SPEC, delivery="RL-2222-2222"))
    before = earlier.read_bytes()

    def spoilt(task: str, arguments: dict[str, Any], limits: Limits, **rest: Any) -> Any:
        done = run_limited(task, arguments, limits, **rest)
        out = Path(arguments["out"])
        out.write_bytes(before if harm == "another's" else out.read_bytes()[:-2_000])
        return done

    monkeypatch.setattr("drm.pdf.rewrite.run_limited", spoilt)
    with pytest.raises(PdfRefused) as refused:
        make_copy(source, earlier, SPEC)

    assert refused.value.code == code
    assert earlier.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2
