"""Values of form fields in any script: an appearance that is right stays, one that is missing is drawn, what cannot be is told."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Object, String

from drm.pdf.notes import notes_of
from drm.pdf.sanitise import sanitise
from tests.drm.pdf.active import plain
from tests.drm.pdf.test_flattening import DEFAULT, GREEN, cleaned, colour, look, with_field
from tests.drm.pdf_drawing.samples import saved, texts
from tests.services.commands import needed

CJK = "王小明"
TEXT, COMBO, SEVERAL, LIST = (
    {"FT": Name.Tx},
    {"FT": Name.Ch, "Ff": 1 << 17},
    {"FT": Name.Tx, "Ff": 1 << 12},
    {"FT": Name.Ch},
)


def filled(value: str, needed: bool, entries: dict[str, Any]) -> pikepdf.Pdf:
    pdf = plain()
    with_field(pdf, **{"V": String(value), "DA": DEFAULT, "Rect": Array([72, 100, 272, 130]), **entries})
    pdf.Root.AcroForm.NeedAppearances = needed
    return pdf


def song() -> Dictionary:
    """A font of two bytes to a letter, which every reader of Chinese text has."""
    info = Dictionary(Registry=String("Adobe"), Ordering=String("GB1"), Supplement=2)
    kid = Dictionary(
        Type=Name.Font, Subtype=Name.CIDFontType0, BaseFont=Name("/STSong-Light"), CIDSystemInfo=info, DW=1000
    )
    return Dictionary(
        Type=Name.Font, Subtype=Name.Type0, BaseFont=Name("/STSong-Light"), Encoding=Name("/UniGB-UCS2-H"), DescendantFonts=Array([kid])
    )  # fmt: skip


def poppler(data: bytes, folder: Path) -> str:
    needed("pdftotext", "poppler-utils")
    path = folder / "copy.pdf"
    path.write_bytes(data)
    return subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True).stdout.decode()


def seen(pdf: pikepdf.Pdf) -> Object:
    return look(pdf, b"/Tx BMC " + GREEN + b" BT /Song 12 Tf 2 5 Td <738B5C0F660E> Tj ET EMC")


@pytest.mark.parametrize("entries", [TEXT, COMBO, LIST, SEVERAL])
def test_an_appearance_stays_where_the_fields_font_cannot_write_the_value(entries: dict[str, Any]) -> None:
    pdf = filled(CJK, True, entries)
    pdf.Root.AcroForm.DR.Font.Song = song()
    pdf.Root.AcroForm.Fields[0].AP = Dictionary(N=seen(pdf))
    data = cleaned(pdf)

    assert CJK in texts(data)[0]
    assert colour(data, 200, 115) == (0, 255, 0)


def test_an_appearance_in_a_font_of_two_bytes_stays_whatever_the_value_is() -> None:
    pdf = filled("Mbeki", True, {**TEXT, "DA": String("/Song 12 Tf 0 g")})
    pdf.Root.AcroForm.DR.Font.Song = song()
    pdf.Root.AcroForm.Fields[0].AP = Dictionary(N=seen(pdf))

    assert colour(cleaned(pdf), 200, 115) == (0, 255, 0)


def test_an_appearance_with_the_words_of_a_choice_is_not_replaced_by_its_code() -> None:
    option = Array([Array([String("1"), String(CJK)])])
    pdf = filled("1", True, {**COMBO, "Opt": option})
    pdf.Root.AcroForm.DR.Font.Song = song()
    pdf.Root.AcroForm.Fields[0].AP = Dictionary(N=seen(pdf))

    assert CJK in texts(cleaned(pdf))[0]


@pytest.mark.service
@pytest.mark.parametrize("value", [CJK, "Αθήνα", "Łódź", "Дмитрий", "naïve"])
@pytest.mark.parametrize("entries", [TEXT, COMBO, SEVERAL])
def test_a_value_in_any_script_is_drawn_where_there_is_no_appearance(
    entries: dict[str, Any], value: str, tmp_path: Path
) -> None:
    pdf = filled(value, True, entries)
    del pdf.Root.AcroForm.DR.Font.Helv["/Encoding"]
    data = cleaned(pdf)

    assert value in texts(data)[0]
    assert value in poppler(data, tmp_path)


def test_an_appearance_that_shows_nothing_yet_is_drawn() -> None:
    pdf = filled(CJK, True, TEXT)
    pdf.Root.AcroForm.Fields[0].AP = Dictionary(N=look(pdf, b"/Tx BMC EMC"))

    assert CJK in texts(cleaned(pdf))[0]


@pytest.mark.service
def test_many_lines_in_another_script_stay_inside_their_field(tmp_path: Path) -> None:
    pdf = filled(f"{CJK * 30}\nend", False, {**SEVERAL, "Rect": Array([72, 100, 272, 200])})
    pdf.Root.AcroForm.Fields[0].MK = Dictionary()
    shown = poppler(cleaned(pdf), tmp_path)

    assert "".join(shown.split()).count(CJK) == 30
    assert "end" in shown.split()


def test_letters_that_no_font_has_are_told() -> None:
    pdf = pikepdf.open(io.BytesIO(saved(filled("Ana \U0001f600", True, TEXT))))
    removed = sanitise(pdf)

    assert removed == ("form", "letters of a value")
    assert "value-not-drawn" in notes_of(removed, ())
    assert "Ana ?" in texts(saved(pdf))[0]
