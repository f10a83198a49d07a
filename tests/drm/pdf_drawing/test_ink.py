"""The footer goes where the page is empty."""

from __future__ import annotations

from typing import Any

import pytest

from drm.pdf import ink
from drm.pdf.ink import Band, InkMeter, measured_pages
from tests.drm.pdf_drawing.samples import SPEC, document, place_of, rendered, stamped, text_at, texts

LOW = 8 * 72 / 25.4


def filled(left: float, bottom: float, width: float, height: float, grey: float = 0.3) -> bytes:
    return b"%g g %g %g %g %g re f 0 g\n" % (grey, left, bottom, width, height)


def footer_place(content: bytes) -> tuple[tuple[float, float, float, float], tuple[int, ...]]:
    data, report = stamped(document(content))
    return place_of(data, 1, SPEC.delivery), report.overlap


def test_an_empty_page_has_its_footer_eight_millimetres_above_the_edge() -> None:
    place, overlap = footer_place(b"")

    assert place[1] == pytest.approx(LOW + 2, abs=2)
    assert overlap == ()


def test_a_page_number_in_the_way_moves_the_footer_off_it() -> None:
    place, overlap = footer_place(text_at(290, LOW + 2, "Page 17", 9))

    assert place[1] > LOW + 10 or place[3] < LOW
    assert overlap == ()


def test_a_full_bottom_margin_sends_the_footer_to_the_top() -> None:
    place, overlap = footer_place(filled(0, 0, 595, 200))

    assert place[1] > 842 - 60
    assert overlap == ()


def test_with_top_and_bottom_full_it_stands_upright_in_the_left_margin() -> None:
    (left, bottom, right, top), overlap = footer_place(filled(70, 0, 525, 842))

    assert right < 70
    assert top - bottom > 3 * (right - left)
    assert overlap == ()


def test_with_three_margins_full_it_stands_in_the_right_one() -> None:
    (left, _, _, _), overlap = footer_place(filled(0, 0, 525, 842))

    assert left > 525
    assert overlap == ()


def test_a_page_without_any_free_band_is_reported_and_still_legible() -> None:
    data, report = stamped(document(b"", filled(0, 0, 595, 842, 0.0), b""))
    _, height, pixels = rendered(data, 2, 595)

    assert report.overlap == (2,)
    assert place_of(data, 2, SPEC.delivery)[1] < 60
    footer = pixels[(height - 40) * 595 : (height - 20) * 595]
    assert max(footer) - min(footer) > 60


def test_light_paper_counts_as_empty_and_dark_paper_does_not() -> None:
    light = stamped(document(filled(0, 0, 595, 842, 0.93)))[1]
    dark = stamped(document(filled(0, 0, 595, 842, 0.2)))[1]

    assert (light.overlap, dark.overlap) == ((), (1,))


def test_a_rotated_page_is_measured_as_it_is_shown() -> None:
    data, report = stamped(document(filled(400, 0, 195, 842), Rotate=90))

    left, _, right, _ = place_of(data, 1, SPEC.delivery)
    assert report.overlap == ()
    assert right < 400 or left < 60


def test_every_page_of_a_paper_is_measured_and_a_long_scan_only_in_samples() -> None:
    assert measured_pages(60, 3_000_000) == set(range(60))
    assert len(measured_pages(300, 134_000_000)) <= 16
    assert {0, 299} <= measured_pages(300, 134_000_000)
    assert measured_pages(1, 500_000_000) == {0}


def test_pages_that_are_not_measured_follow_the_others_of_their_size() -> None:
    data, report = stamped(document(*[filled(0, 0, 595, 200)] * 80))

    assert report.pages == 80
    assert {round(place_of(data, index, SPEC.delivery)[1]) for index in (1, 2, 3, 79, 80)} == {
        round(place_of(data, 40, SPEC.delivery)[1])
    }
    assert all(SPEC.delivery in text for text in texts(data))


def test_a_document_that_takes_long_to_render_is_measured_for_a_while_and_the_rest_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[int] = []

    def band(meter: InkMeter, index: int, *more: Any) -> Band | None:
        looked.append(index)
        return whole(meter, index, *more)

    whole = InkMeter.band
    monkeypatch.setattr(InkMeter, "band", band)
    pages = [filled(0, 0, 595, 200)] * 20
    in_full = stamped(document(*pages))[0]
    monkeypatch.setattr(ink, "SLOW", -1.0)
    in_short = stamped(document(*pages))[0]

    assert looked == [0, 8, 16, 4, 12, 2, 10, 18, 6, 14, 1, 9, 17, 5, 13, 3, 11, 19, 7, 15, 0]
    assert [place_of(data, 15, SPEC.delivery)[1] > 842 - 60 for data in (in_full, in_short)] == [True, True]
