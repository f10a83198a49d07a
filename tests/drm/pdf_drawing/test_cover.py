"""The cover page."""

from __future__ import annotations

import io

import pikepdf
import pytest

from drm.pdf.cover import cover_size
from drm.pdf.fonts import REGULAR
from drm.pdf.glyphs import Lettering
from drm.pdf.lines import wrap
from drm.pdf.values import CopySpec, CoverCitation
from tests.drm.pdf_drawing.samples import document, rendered, spec, stamped, texts


def cover_text(wanted: CopySpec, size: tuple[float, float] = (595, 842)) -> str:
    return texts(stamped(document(b"", size=size), wanted)[0])[0]


LONG_TITLES = ("A title of many words " * 15, "清代江南书坊刻书用纸考" * 28, "Pneumono" * 40, "Ким 王 Ω " * 30)
TO_WRAP = ("one two three four", "清代江南书坊，刻书（用纸）考。", "unbreakablelongword" * 5, "mixed 清代 words，和 x")
FULL = spec(
    agreement="Three Rivers Licence, version 3",
    legal_basis="clause 4.2",
    expires="24 December 2026",
    check_url="https://deliver.example/check/RL-7Q4M-2K9D",
)


def test_the_cover_says_what_for_whom_from_whom_and_on_what_terms() -> None:
    text = cover_text(FULL)

    for part in (
        *("Night recharge", "H. Okafor", "Journal of Lowland Hydrology 18(3)", "DOI 10.5555/jlh.211", "Niamh Okonkwo"),
        *("Marram University Library", "RL-7Q4M-2K9D", "24 November 2026", "Three Rivers Licence, version 3"),
        *(
            "clause 4.2",
            "24 December 2026",
            "For your private study only.",
            "© 2024 the authors.",
            "No further copies.",
        ),
        "https://deliver.example/check/RL-7Q4M-2K9D",
    ):
        assert part in text


def test_the_chinese_cover_is_chinese() -> None:
    text = cover_text(spec(language="zh", citation=CoverCitation("清代江南书坊刻书用纸考")))

    assert all(
        part in text for part in ("清代江南书坊刻书用纸考", "文件提供给", "传递编号", "2026年11月24日", "使用范围")
    )
    assert "Copy for" not in text


@pytest.mark.parametrize("size", [(595, 842), (842, 595), (960, 540), (420, 595), (612, 792)])
@pytest.mark.parametrize(
    "title", ["A title of many words " * 15, "清代江南书坊刻书用纸考" * 28, "Pneumono" * 40, "Ким 王 Ω " * 30]
)
def test_long_texts_are_set_smaller_and_stay_whole_on_the_page(title: str, size: tuple[int, int]) -> None:
    terms = tuple(f"Term {number} is a full sentence which has to be kept." for number in range(30))
    wanted = spec(citation=CoverCitation(title), terms=terms, check_url="https://deliver.example/check/1")

    text = cover_text(wanted, size)

    assert title.replace(" ", "") in text.replace(" ", "")
    assert all(term.replace(" ", "") in text.replace(" ", "") for term in terms)
    width, _, pixels = rendered(stamped(document(b"", size=size), wanted)[0], 0)
    assert min(pixels[::width] + pixels[width - 1 :: width] + pixels[:width] + pixels[-width:]) > 240


def test_a_citation_in_a_script_we_cannot_draw_is_marked_and_does_not_stop_the_copy() -> None:
    text = cover_text(spec(citation=CoverCitation("Poems of محمود درويش in English")))

    assert "Poems of […] in English" in text


def test_a_work_without_a_citation_still_has_a_heading() -> None:
    assert "Copy of a document" in cover_text(spec(citation=CoverCitation()))


@pytest.mark.parametrize(
    ("page", "cover"),
    [
        ((595, 842), (595, 842)),
        ((960, 540), (960, 540)),
        ((100, 141), (595.28, 841.89)),
        ((4000, 5656), (595.28, 841.89)),
        ((153, 198), (612, 792)),
    ],
)
def test_the_cover_is_as_large_as_the_first_page_unless_that_is_absurd(
    page: tuple[float, float], cover: tuple[float, float]
) -> None:
    assert cover_size(*page) == cover


def test_the_cover_of_a_turned_page_lies_as_the_page_is_shown() -> None:
    with pikepdf.open(io.BytesIO(stamped(document(b"", Rotate=90))[0])) as pdf:
        assert [float(number) for number in pdf.pages[0].mediabox] == [0, 0, 842, 595]


def test_the_qr_code_has_its_dark_modules_where_the_standard_puts_the_finders() -> None:
    width, height, pixels = rendered(stamped(document(b""), FULL)[0], 0, 1190)
    rows = [pixels[row * width : (row + 1) * width] for row in range(int(height * 0.8), int(height * 0.95))]

    best = max((row[100:280] for row in rows), key=lambda row: sum(value < 100 for value in row))
    assert sum(value < 100 for value in best) > 40
    plain = rendered(stamped(document(b""))[0], 0, 1190)[2]
    assert sum(value < 100 for value in pixels) > sum(value < 100 for value in plain) + 5000


@pytest.mark.parametrize("width", [20, 60, 200])
@pytest.mark.parametrize(
    "text",
    ["one two three four", "清代江南书坊，刻书（用纸）考。", "unbreakablelongword" * 5, "mixed 清代 words，和 x"],
)
def test_wrapping_loses_no_character_and_keeps_the_width(text: str, width: int) -> None:
    lettering = Lettering()

    lines = wrap(lettering, text, REGULAR, 10, width)

    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(lettering.width(line, REGULAR, 10) <= width + 0.01 or len(line) <= 4 for line in lines)


def test_closing_signs_do_not_begin_a_line() -> None:
    lines = wrap(Lettering(), "清代江南书坊，刻书用纸考。" * 4, REGULAR, 10, 60)

    assert len(lines) > 5
    assert not any(line[0] in "，。" for line in lines)
