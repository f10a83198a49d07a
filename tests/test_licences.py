"""What we pass on and install may be passed on, and what asks to be named is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.licences import installed, locked, refused

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def licences() -> dict[str, str]:
    return installed()


def test_every_installed_package_has_an_allowed_licence(licences: dict[str, str]) -> None:
    assert refused(licences) == []


def test_every_package_of_the_runtime_lock_was_looked_at(licences: dict[str, str]) -> None:
    assert locked("runtime") - licences.keys() == set()


def test_a_package_under_another_licence_is_refused() -> None:
    strange = {"flask": "BSD-3-Clause", "viral": "GNU Affero General Public License v3", "silent": "UNKNOWN"}

    assert [line.split(":")[0] for line in refused(strange)] == ["silent", "viral"]


def test_notice_names_every_runtime_library_with_a_copyleft_licence(licences: dict[str, str]) -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    copyleft = {name for name in locked("runtime") if any(word in licences[name] for word in ("GPL", "MPL", "Mozilla"))}

    assert "pikepdf" in copyleft
    assert {name for name in copyleft if f" {name} " not in notice} == set()


def test_the_licence_of_the_project_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")

    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_every_folder_with_a_font_holds_its_licence() -> None:
    fonts = [path for kind in ("*.ttf", "*.otf", "*.woff2") for path in ROOT.glob(f"[!.]*/**/{kind}")]
    bare = {
        font.parent.relative_to(ROOT).as_posix()
        for font in fonts
        if not any(
            "SIL OPEN FONT LICENSE" in text.read_text(encoding="utf-8") for text in font.parent.glob("*OFL*.txt")
        )
    }

    assert fonts, "the stamps need fonts"
    assert bare == set()
