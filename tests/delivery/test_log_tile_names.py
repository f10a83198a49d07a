"""Which tiles of a log must be there, and which can be none."""

from __future__ import annotations

import pytest

from delivery.services.log_tile_names import names_problem, tiles_kept

Names = list[tuple[object, object]]
LOWEST: Names = [(0, number) for number in range(600)]
WHOLE: Names = [*LOWEST, (1, 0), (1, 1)]
SIZE = 600 * 256 + 7


def problem(names: Names, size: int = SIZE, signed: int = SIZE) -> str:
    return names_problem(tiles_kept(names), size, signed)


def test_all_tiles_of_a_log_may_be_there() -> None:
    assert problem(WHOLE) == ""
    assert problem([], size=0, signed=0) == ""


def test_tiles_that_no_checkpoint_needs_may_be_there_or_not() -> None:
    assert problem([], signed=255) == ""
    assert problem([(0, 0)], signed=0) == ""
    assert problem(LOWEST[:255], signed=255 * 256) == ""


@pytest.mark.parametrize("gone", [(0, 0), (0, 300), (0, 599), (1, 0), (1, 1)])
def test_a_tile_that_is_missing_is_named(gone: tuple[int, int]) -> None:
    names = [name for name in WHOLE if name != gone]

    assert problem(names) == f"the tile {gone[1]} of level {gone[0]} is missing"


@pytest.mark.parametrize(
    "stray", [(0, -1), (0, 600), (0, 10**18), (1, 2), (1, -1), (2, 0), (-1, 0), (10**9, 0), (0, "x"), ("x", 0)]
)
def test_a_tile_that_the_events_do_not_fill_is_named(stray: tuple[object, object]) -> None:
    def place(name: tuple[object, object]) -> tuple[tuple[bool, str], ...]:
        return tuple((isinstance(part, str), f"{part:030}" if isinstance(part, int) else str(part)) for part in name)

    assert f"a tile {stray[1]} of level {stray[0]}," in problem(sorted([*WHOLE, stray], key=place))


def test_a_tile_that_is_filled_before_those_below_it_are_made_is_named() -> None:
    assert "a tile 0 of level 1," in problem([*LOWEST[:255], (1, 0)], signed=0)
