"""Passwords that open copies: prepared as the standard says, of a length that every reader takes, refused with a sentence else."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pikepdf
import pytest

from drm.pdf.policy import Policy
from drm.pdf.reader_password import reader_secret
from drm.pdf.tail.copying import copy_by_choice
from drm.pdf.values import Limits, PdfRefused
from drm.pdf.verifying import verify
from tests.admin.test_pdf_contract import COPY, rushlight
from tests.drm.pdf.bad_files import good
from tests.drm.pdf.tail.masters import ready
from tests.drm.pdf_drawing.samples import SPEC
from tests.services.commands import needed


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        *(("I\u00adX", "IX"), ("user", "user"), ("USER", "USER"), ("\u00aa", "a"), ("\u2168", "IX")),  # RFC 4013, section 3
        *(("e\u0301", "é"), ("a\u3000b", "a b"), ("王小明的密码", "王小明的密码"), ("\U0001f600", "\U0001f600"), ("x" * 127, "x" * 127)),
    ],
)  # fmt: skip
def test_a_password_is_prepared_by_the_rules_of_sasl(given: str, taken: str) -> None:
    assert reader_secret(given) == taken.encode()


@pytest.mark.parametrize("password", ["\u0007", "\u0627\u0031", "\u202eabc", "\u00ad", "\ue000", "é" * 64, "x" * 128])
def test_a_password_that_readers_would_not_take_is_refused(password: str) -> None:
    with pytest.raises(PdfRefused) as refused:
        reader_secret(password)

    assert refused.value.code == "unsupported"


@pytest.mark.service
@pytest.mark.parametrize("engine", ["tail", "rewrite"])
@pytest.mark.parametrize("password", ["\u2168 e\u0301", "é" * 63 + "x"])
def test_a_prepared_password_opens_the_copy_as_it_was_given_and_as_it_was_prepared(
    tmp_path: Path, engine: str, password: str
) -> None:
    (tmp_path / "source.pdf").write_bytes(good())
    out = tmp_path / "copy.pdf"
    copy_by_choice(tmp_path / "source.pdf", out, SPEC, Limits(), None, password, Policy(engine=engine))  # type: ignore[arg-type]  # a name of one

    secret = reader_secret(password).decode()
    assert verify(out, None, Limits(), password).good
    assert verify(out, None, Limits(), "another").code == "password-required"
    assert verify(out).code == "password-required"
    with pikepdf.open(out, password=secret) as pdf:
        assert len(pdf.pages) == 3
    needed("qpdf", "qpdf")
    read = subprocess.run(["qpdf", "--check", f"--password={secret}", out], capture_output=True, check=False)
    assert read.returncode == 0


def test_copies_by_a_master_refuse_it_too(tmp_path: Path) -> None:
    one = ready(tmp_path)
    with pytest.raises(PdfRefused):
        one.copy(password="x" * 128)
    with pikepdf.open(io.BytesIO(one.copy(password="x" * 127)), password="x" * 127) as pdf:
        assert len(pdf.pages) == 3


@pytest.mark.parametrize("password", ["x" * 128, "é" * 64, "\u202eabc"])
def test_the_command_says_what_is_wrong_with_a_readers_password(tmp_path: Path, password: str) -> None:
    (tmp_path / "source.pdf").write_bytes(good())
    (tmp_path / "password").write_text(password, encoding="utf-8")
    done = rushlight(tmp_path, "stamp", "source.pdf", *COPY, "--reader-password-file", "password")

    assert done.returncode == 2
    assert b"--reader-password-file: The password for the copy" in done.stderr
    assert not (tmp_path / "copy.pdf").exists()
