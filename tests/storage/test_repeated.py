"""Whom a stored decision names is found by a mark: the own reader, and everybody where several asked together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.world import World


def named(world: World, key: str) -> list[str]:
    with world.store.read() as work:
        return list(work.privacy.decisions_naming(key))


@pytest.mark.parametrize("by", ["save", "change"])
def test_a_request_that_counts_for_several_is_found_by_the_key_of_each(world: World, by: str) -> None:
    number = world.ask(title="Nobody has this", year="2020").number
    with world.store.write() as work:
        own, other = work.secrets.key_of(world.reader.id), work.secrets.key_of(world.librarian.id)
        request = work.requests.lock(number)
        joint = replace(request, found={**request.found, "joint": [own, other]})
        assert (work.requests.save(joint) if by == "save" else work.requests.change(request, joint)) is not None

    assert named(world, own) == named(world, other) == [number]
    assert named(world, "f" * 32) == []


def test_a_refused_or_waiting_request_is_found_by_its_own_readers_key_alone(world: World) -> None:
    number = world.ask(title="Nobody has this", year="2020").number
    with world.store.write() as work:
        own, other = work.secrets.key_of(world.reader.id), work.secrets.key_of(world.librarian.id)

    assert named(world, own) == [number]
    assert named(world, other) == []
