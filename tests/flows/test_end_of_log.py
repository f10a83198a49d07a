"""The end of the log is looked at often and quickly: what was changed there is named, and where the log must end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from admin.doctor import examine
from delivery.services.log_checking import check_end
from drm.audit.chain import LogVerdict
from tests.flows.test_log import events, execute
from tests.world import World


def looked_at(world: World, most: int = 256) -> LogVerdict:
    head = world.services.audit_log.kept_head()
    return check_end(world.store, world.services.keys.audit, world.ctx.log.keys, head, most)


def test_the_last_events_of_a_whole_log_are_whole(world: World) -> None:
    assert looked_at(world).whole
    events(world, 600)

    assert looked_at(world) == world.ctx.check_log() == LogVerdict(True, world.services.audit_log.kept_head().size)  # type: ignore[union-attr]


@pytest.mark.parametrize("column", ["leaf", "chain"])
def test_a_change_among_the_last_events_is_named_and_one_before_is_left_to_the_whole_check(
    world: World, column: str
) -> None:
    events(world, 600)
    execute(world, "DROP TRIGGER audit_events_no_update", f"UPDATE audit_events SET {column} = kind WHERE seq = 590")
    assert looked_at(world).first_bad == 590
    assert looked_at(world, most=2).first_bad == 590  # whole tiles are looked at

    execute(world, "UPDATE audit_head SET chain = chain", f"UPDATE audit_events SET {column} = kind WHERE seq = 3")
    assert world.ctx.check_log().first_bad == 3


def test_a_log_that_was_cut_off_is_shorter_than_its_heads_know(world: World) -> None:
    events(world, 40)
    size = looked_at(world).size
    execute(world, "DROP TRIGGER audit_events_no_delete", f"DELETE FROM audit_events WHERE seq > {size - 5}")

    found = looked_at(world)

    assert (found.whole, found.first_bad) == (False, size - 4)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_head SET chain = zeroblob(32)",
        "UPDATE audit_head SET frontier = 'abc'",
        "UPDATE audit_head SET size = 3, hashed = 0, frontier = x''",
        "DELETE FROM audit_head",
    ],
)
def test_a_head_row_that_the_next_event_must_not_be_built_on_is_noticed_at_once(world: World, change: str) -> None:
    events(world, 40)
    execute(world, change)

    assert "head row" in looked_at(world).problem


def test_an_event_before_the_first_is_noticed_at_once_and_by_the_whole_check(world: World) -> None:
    events(world, 3)
    rest = "leaf, chain, at, kind, actor, library_id, request, delivery, agreements"
    execute(world, f"INSERT INTO audit_events (seq, {rest}) SELECT -7, {rest} FROM audit_events WHERE seq = 2")

    assert looked_at(world) == world.ctx.check_log() == LogVerdict(False, 3, -7, "event -7 stands before the first")


def test_a_head_file_that_names_another_event_is_noticed(world: World) -> None:
    events(world, 10)
    head = world.services.audit_log.kept_head()
    assert head is not None

    found = check_end(
        world.store, world.services.keys.audit, world.ctx.log.keys, replace(head, chain=b"\1" * 32), most=256
    )

    assert "head file" in found.problem


def test_the_operators_page_looks_at_the_end_and_the_doctor_at_everything(world: World) -> None:
    events(world, 600)
    execute(world, "DROP TRIGGER audit_events_no_update", "UPDATE audit_events SET leaf = chain WHERE seq = 3")

    def log_of(quick: bool) -> bool:
        return next(found.good for found in examine(world.services.settings, quick=quick) if found.part == "log")

    assert not log_of(quick=False)
    assert not log_of(quick=True)  # so short a log is looked at whole
