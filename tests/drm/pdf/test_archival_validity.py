"""What a validator by other hands (Preflight of Apache PDFBox) says of archival copies: what was PDF/A-1b stays it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from drm.pdf.policy import Policy
from drm.pdf.rewrite import make_copy
from drm.pdf.values import Permissions
from tests.corpus import corpus_files
from tests.drm.pdf_drawing.samples import SPEC

JARS = Path("/usr/share/java")
NEEDED = ("preflight", "pdfbox2", "fontbox2", "xmpbox", "commons-logging", "commons-io", "javax.activation", "jaxb-api")
PACKAGES = "default-jre-headless libpdfbox2-java libactivation-java libjaxb-api-java"
ANYBODY = replace(SPEC, reader="Zoë Ľubica 王小明", permissions=Permissions(encrypt=False))


def is_valid(path: Path) -> bool:
    if not shutil.which("java") or not all((JARS / f"{name}.jar").exists() for name in NEEDED):
        pytest.skip(f"Preflight is not installed; type: apt-get install {PACKAGES}")
    found = ":".join(str(JARS / f"{name}.jar") for name in NEEDED)
    command = ["java", "-cp", found, "org.apache.pdfbox.preflight.Validator_A1b", str(path)]
    return "is a valid PDF/A-1b file" in subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.corpus
@pytest.mark.service  # so that a build which should have the validator fails where it is missing
@pytest.mark.parametrize("path", corpus_files("pdf/pdfa/*PDF_A-1*-pass-*.pdf"), ids=lambda path: path.name)
def test_what_is_valid_stays_valid(tmp_path: Path, path: Path) -> None:
    assert is_valid(path)

    make_copy(path, tmp_path / "copy.pdf", ANYBODY, policy=Policy(pdfa="keep"))

    assert is_valid(tmp_path / "copy.pdf")
