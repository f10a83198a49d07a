"""The stamp is upright and inside the visible box, whatever the page dictionary says."""

from __future__ import annotations

from typing import Any

import pytest
from pikepdf import Array

from drm.pdf.geometry import view_of
from tests.drm.pdf_drawing.samples import document, rendered, saved, spec, stamped

SHAPES = {
    "plain": ([0, 0, 400, 600], None),
    "non-zero origin": ([1000, -700, 1400, -100], None),
    "swapped corners": ([400, 600, 0, 0], None),
    "cropped": ([0, 0, 800, 900], [100, 200, 500, 800]),
    "crop larger than the page": ([50, 60, 450, 660], [-100, -100, 2000, 2000]),
    "crop outside the page": ([0, 0, 400, 600], [5000, 5000, 6000, 6000]),
    "crop partly outside": ([0, 0, 400, 900], [-90, 300, 400, 950]),
    "negative crop": ([-900, -900, 0, 0], [-450, -700, -50, -100]),
}


def difference(first: bytes, second: bytes) -> float:
    """Mean difference of two pictures, 0 to 255."""
    return sum(abs(a - b) for a, b in zip(first, second, strict=True)) / len(first)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270, 450, -90])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_page_shows_its_stamp_as_a_plain_page_of_that_size_does(shape: str, rotate: int) -> None:
    media, crop = SHAPES[shape]
    entries: dict[str, Any] = {"MediaBox": Array(media), "Rotate": rotate}
    if crop:
        entries["CropBox"] = Array(crop)
    size = (600, 400) if rotate % 180 else (400, 600)

    odd, _ = stamped(document(b"", **entries))
    plain, _ = stamped(document(size=size))

    assert rendered(odd, 1)[:2] == rendered(plain, 1)[:2]
    assert min(rendered(plain, 1)[2]) < 128
    assert difference(rendered(odd, 1)[2], rendered(plain, 1)[2]) < 1.0


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_user_unit_leaves_the_stamp_as_large_as_on_paper(rotate: int) -> None:
    size = (600, 400) if rotate % 180 else (400, 600)

    scaled, _ = stamped(document(MediaBox=Array([10, 20, 210, 320]), UserUnit=2, Rotate=rotate))
    plain, _ = stamped(document(size=size))

    assert difference(rendered(scaled, 1)[2], rendered(plain, 1)[2]) < 1.0


def test_the_view_counts_user_units_and_rotation() -> None:
    source = document(size=(200, 300), UserUnit=2.5, Rotate=270)

    view = view_of(source.pages[0].obj)

    assert (view.width, view.height, view.rotate) == (750, 500, 270)


def test_boxes_and_rotation_are_inherited_from_the_tree() -> None:
    source = document(b"")
    page = source.pages[0].obj
    del page["/MediaBox"]
    source.Root.Pages.MediaBox = Array([0, 0, 800, 900])
    source.Root.Pages.CropBox = Array([100, 200, 500, 800])
    source.Root.Pages.Rotate = 90

    inherited, _ = stamped(source)
    plain, _ = stamped(document(size=(600, 400)))

    assert difference(rendered(inherited, 1)[2], rendered(plain, 1)[2]) < 1.0


@pytest.mark.parametrize("size", [(30, 30), (90, 400), (300, 300), (842, 595), (2384, 3370), (14000, 9000)])
def test_on_every_size_the_stamp_stays_inside_and_carries_the_number(size: tuple[int, int]) -> None:
    source = document(size=size)

    data, _ = stamped(source, spec(reader="x" * 64))
    width, _, pixels = rendered(data, 1)

    assert pixels != rendered(saved(source), 0)[2]
    edge = pixels[:width] + pixels[-width:] + pixels[::width] + pixels[width - 1 :: width]
    assert min(edge) > 200
