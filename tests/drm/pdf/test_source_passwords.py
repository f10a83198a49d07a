"""Passwords of protected sources, which were made bytes in one way or another when the file was encrypted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from drm.pdf.geometry import View
from drm.pdf.ink import InkMeter
from drm.pdf.inspecting import inspect
from drm.pdf.passwords import forms
from drm.pdf.policy import Policy
from drm.pdf.tail.copying import copy_by_choice
from drm.pdf.values import Limits, PdfRefused
from tests.drm.pdf_drawing.samples import SPEC, document, saved, text_at, texts
from tests.services.commands import needed

WAYS = {"RC4-40": ["40"], "RC4-128": ["128"], "AES-128": ["128", "--use-aes=y"]}
EDGE = text_at(
    40, 25, "Words where the footer usually is, from the left to the right edge of the page, and on and on. " * 2, 6
)


def locked(folder: Path, way: str, password: bytes) -> Path:
    """A file protected by these very bytes."""
    needed("qpdf", "qpdf")
    (folder / "open.pdf").write_bytes(saved(document(EDGE)))
    words: list[str | bytes] = [
        "--password-mode=bytes",
        "--allow-weak-crypto",
        "--encrypt",
        password,
        "owner",
        *WAYS[way],
        "--",
    ]
    source = folder / "locked.pdf"
    subprocess.run(["qpdf", *words, folder / "open.pdf", source], check=True, capture_output=True)
    return source


@pytest.mark.service
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("password", "encoding"), [("Zoë", "pdfdoc"), ("10 €", "pdfdoc"), ("10 €", "cp1252"), ("Zoë", "utf-8")]
)
def test_a_password_that_is_not_ascii_opens_the_file(tmp_path: Path, way: str, password: str, encoding: str) -> None:
    source = locked(tmp_path, way, password.encode(encoding))
    report = copy_by_choice(source, tmp_path / "copy.pdf", SPEC, Limits(), password)

    assert (report.pages, report.fallback_reason) == (2, None)
    assert "Words where the footer" in texts((tmp_path / "copy.pdf").read_bytes())[1]
    assert inspect(source, Limits(), password)["text_pages"] == 1


@pytest.mark.service
def test_the_pages_of_such_a_file_are_looked_at_for_a_free_place(tmp_path: Path) -> None:
    source = locked(tmp_path, "RC4-128", b"10 \x80")
    view = View(0, 0, 595, 842, 0, 1)
    with InkMeter(source, "10 €") as meter, InkMeter(tmp_path / "open.pdf") as plain, InkMeter(source) as blind:
        places = [one.band(0, view, 12, 1) for one in (meter, plain, blind)]

    assert places[0] == places[1] != places[2]


@pytest.mark.service
@pytest.mark.parametrize("engine", ["tail", "rewrite"])
def test_another_password_opens_nothing(tmp_path: Path, engine: str) -> None:
    source = locked(tmp_path, "AES-128", "Zoë".encode("pdfdoc"))
    with pytest.raises(PdfRefused) as refused:
        copy_by_choice(source, tmp_path / "copy.pdf", SPEC, Limits(), "Zöe", policy=Policy(engine=engine))  # type: ignore[arg-type]  # a name of one

    assert refused.value.code == "password-required"


def test_a_password_of_ascii_has_one_form() -> None:
    assert (forms("secret"), forms(None), forms("\udcff")) == ((b"secret",), (b"",), ())
    assert os.fsencode("Zoë") in forms("Zoe\u0308")
