"""What is drawn once for all copies under an agreement looks as if it had been drawn for each."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import pytest

from drm.pdf.fonts import REGULAR
from drm.pdf.ink import Band
from drm.pdf.stamp_text import footer_text, stamp_strings
from drm.pdf.tail.cover_parts import frame_for
from drm.pdf.tail.moulds import FooterMould
from drm.pdf.tail.stamping import Copy, Place
from drm.pdf.values import CopySpec
from tests.drm.pdf.tail.masters import Ready, ready
from tests.drm.pdf_drawing.samples import SPEC

NAMES = ("Maeve Byrne", "Zoë Ó Briain", "Łukasz Świątek", "王小明", "(a) \\ b", "W" * 64, None)
PLACES: tuple[Place, ...] = (
    (595.3, 841.9, Band("bottom", 20.0), False),
    (595.3, 841.9, Band("left", 12.0), True),
    (1190.0, 842.0, Band("top", 20.0), False),
    (120.0, 90.0, Band("bottom", 5.0), False),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return ready(Path(tmp_path_factory.mktemp("master")))


def copy_with(made: Ready, spec: CopySpec, moulds: dict[Place, FooterMould | None]) -> Copy:
    strings = stamp_strings(spec)
    common = frame_for(made.master, spec, strings).lettering
    return Copy(made.master, spec, strings, footer_text(spec, strings), common.copy(), common, moulds)


@pytest.mark.parametrize("place", PLACES)
def test_a_footer_out_of_a_mould_is_the_one_drawn_in_full(made: Ready, place: Place) -> None:
    moulds: dict[Place, FooterMould | None] = {}
    for name in NAMES:
        spec = replace(SPEC, reader=name)

        moulded = copy_with(made, spec, moulds).footer(place, math.inf)

        assert moulded == copy_with(made, spec, {place: None}).footer(place, math.inf)


def test_common_pages_have_a_mould_and_a_footer_without_room_is_reported(made: Ready) -> None:
    moulds: dict[Place, FooterMould | None] = {}
    copy = copy_with(made, SPEC, moulds)

    roomy, tight = copy.footer(PLACES[0], math.inf), copy_with(made, SPEC, moulds).footer(PLACES[0], 1.0)

    assert moulds[PLACES[0]] is not None
    assert (roomy[1], tight[1]) == (False, True)
    assert b"/RlO gs" in tight[0]
    assert copy.footer(PLACES[0], math.inf) == roomy


@pytest.mark.parametrize("fields", [("王小明", "RL-1", "Łódź"), ("“王”", "…", "a"), ("", "a", ""), ("a", "\u0301b")])
def test_fields_are_drawn_alike_alone_and_in_a_line(fields: tuple[str, ...]) -> None:
    line = REGULAR.runs(" · ".join(fields))

    drawn = [(font.name, cluster) for font, found in line for cluster in found]
    assert "".join(cluster for _, cluster in drawn) == " · ".join(fields)
    assert all(before[0] is not after[0] for before, after in itertools.pairwise(line))
    alone = [
        (font.name, cluster)
        for field in fields[:1]
        if field
        for font, found in REGULAR.runs(field)
        for cluster in found
    ]
    assert drawn[: len(alone)] == alone
