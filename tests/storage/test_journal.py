"""The journal of usage tells every moment, and nothing of a reader who was forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from delivery.stores import UsageRecord
from storage.models import UsageChangeRow
from tests.world import World

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
BOTH = [({"entity": "harbour"}, None)]


def counted(world: World, category: str, status: str) -> int:
    """What a claim counts as from now on; where the journal ends then."""
    facts = {"reader": {"id": "r", "category": category}, "request": {"copies": 1}}
    with world.store.write() as work:
        number = work.requests.same_work(("doi:10.5555/lantern.2021.0001",), "harbour")[0].number
        keys = {"entity": "harbour", "reader": "r"}
        record = UsageRecord("a claim", number, "harbour", status, ("limited",), facts, keys, NOW, None)
        work.ledger.put_record(record, NOW)
        return work.ledger.journal_head()


def then(world: World, head: int) -> Mapping[str, object]:
    with world.store.read() as work:
        [record] = [one for one in work.ledger.history_at(BOTH, head) if one.claim == "a claim"]
        return record.facts


def without_category(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**facts, "reader": {"id": facts["reader"]["id"]}}


def test_each_change_can_be_looked_back_at_and_a_forgotten_category_is_in_none(world: World) -> None:
    world.ask()
    heads = [counted(world, category, "reserved") for category in ("student", "student", "staff", "guest")]
    assert [then(world, head)["reader"]["category"] for head in heads] == ["student", "student", "staff", "guest"]  # type: ignore[index]

    with world.store.write() as work:
        work.privacy.rewrite_usage("a claim", without_category, str)

    assert [then(world, head)["reader"] for head in heads] == [{"id": "r"}] * 4
    with world.services.engine.connect() as connection:
        kept = connection.execute(select(UsageChangeRow.before).where(UsageChangeRow.claim == "a claim")).scalars()
        assert set(kept) == {None}
