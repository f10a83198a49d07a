"""Values that are long and legal: they are kept, counted and found again on both databases, or refused where they come in."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from alembic import command
from sqlalchemy import text

from delivery.document_request import DocumentRequest
from delivery.lifecycle import State
from delivery.services import governing, officers
from delivery.stores import Source
from drm.agreements import AgreementError
from storage.migrating import _config, migrate
from storage.models.columns import MOST_KEY, bounded
from tests.world import LIMITED, World

LONG_ID = "desk-of-the-national-library-and-of-all-its-branches-in-the-west"[:63]
PAYING = LIMITED.format(most=0, per="entity", effect="needs_fee").replace(
    'effect = "needs_fee"', 'unless = [{ "flags.fee_paid" = true }]\neffect = "needs_fee"'
)
CHANCE = random.Random(1)
LATIN = " ".join("".join(CHANCE.choice("abcdefghijklmnop") for _ in range(9)) for _ in range(190))
CHINESE = "".join(chr(CHANCE.randint(0x4E00, 0x9F00)) for _ in range(1_900))


def limit(world: World, per: str, effect: str = "deny", most: int = 1) -> None:
    world.load(LIMITED.format(most=most, per=per, effect=effect))
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])


def in_a_journal(world: World, container: str, title: str) -> DocumentRequest:
    return world.ask(container=container, title=title, year="2020", volume="1")


def test_a_source_with_a_long_name_can_be_approved(either: World) -> None:
    limit(either, "reader", "needs_approval", 0)
    with either.store.write() as work:
        work.sources.save(replace(work.sources.get("desk"), active=False))
        work.sources.save(Source(LONG_ID, "desk", "A desk", "harbour", ("limited",), {}, 10))
    number = either.ask(title="Nobody has this", year="2020").number

    officers.approve(either.ctx, either.officer, number, "for a thesis")

    assert either.get(number).approved == LONG_ID


def test_the_reason_for_paying_a_royalty_may_be_long(either: World) -> None:
    either.load(PAYING)
    for source in ("collection", "desk"):
        either.bind(source, ["limited"])
    number = either.ask().number

    officers.approve(either.ctx, either.officer, number, "the library pays " * 12)

    with either.store.read() as work:
        assert [fee.reference for fee in work.consents.fees(number)] == [("the library pays " * 12)[:200]]


@pytest.mark.parametrize("per", ["title", "work", "issue"])
@pytest.mark.parametrize("name", [LATIN, CHINESE], ids=["latin", "chinese"])
def test_a_limit_counts_a_journal_by_however_long_a_name(either: World, per: str, name: str) -> None:
    limit(either, per)
    first, second = in_a_journal(either, name, "One"), in_a_journal(either, name, "Two")
    other = in_a_journal(either, f"{name[:-2]} x", "Three")

    assert [one.state for one in (first, second, other)] == [State.NEW, State.REFUSED, State.NEW]


def test_a_record_tells_its_long_keys_whole(either: World) -> None:
    request = in_a_journal(either, CHINESE, "One")

    with either.store.read() as work:
        record = work.ledger.record(request.claim)
    assert record is not None
    assert record.keys["title"] == f"work:name:{CHINESE.casefold()}"


def test_a_long_scope_keeps_the_parts_that_name_a_reader() -> None:
    scope = f"limited.m|title=work:name:{CHINESE}|reader={'k' * 32}|article=at:|{LATIN * 2}"

    kept = bounded(scope)

    assert len(kept.encode()) < MOST_KEY
    assert f"|reader={'k' * 32}|" in kept
    assert kept == bounded(kept) != bounded(f"{scope[:-1]}!")


@pytest.mark.parametrize("characters", [1_000, 3_000])
def test_any_scope_fits_into_an_index(characters: int) -> None:
    assert len(bounded("|reader=𠮷" * characters).encode()) <= MOST_KEY


def test_keys_that_were_kept_whole_are_found_after_the_migration(world: World) -> None:
    limit(world, "title")
    first = in_a_journal(world, CHINESE, "One")
    whole = {"title": f"work:name:{CHINESE.casefold()}"}
    with world.services.engine.execution_options(rushlight_write=True).connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0025")
        connection.execute(text("UPDATE usage_records SET title = :title, work = :title"), whole)
        connection.execute(text("UPDATE quota_locks SET scope = 'limited.per_month|title=' || :title"), whole)
        connection.commit()

    migrate(world.services.engine)

    assert (first.state, in_a_journal(world, CHINESE, "Two").state) == (State.NEW, State.REFUSED)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('id = "limited"', f'id = "{"i" * 65}"', "key id"),
        ('id = "limited.per_month"', f'id = "{"r" * 129}"', "key id"),
        ("ROLLING_QUOTA", "R" * 65, "key reason"),
        ('jurisdiction = "IE"', f'jurisdiction = "{"j" * 65}"', "key jurisdiction"),
        ("Limited agreement", "Limited\\u0000agreement", "number 0"),
    ],
)
def test_an_agreement_that_could_not_be_kept_is_refused_when_it_is_drafted(
    world: World, old: str, new: str, told: str
) -> None:
    draft = LIMITED.format(most=1, per="reader", effect="deny").replace(old, new)

    with pytest.raises(AgreementError, match=told):
        governing.save_draft(world.ctx, world.officer, draft)
