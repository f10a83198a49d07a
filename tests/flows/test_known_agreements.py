"""Agreements as laws, guidelines and contracts have them bite in the product: each is bound, and one of its rules is met."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from delivery.document_request import DocumentRequest
from delivery.errors import Conflict, Invalid
from delivery.people import Standing
from delivery.services import officers, telling
from delivery.services.consenting import declare
from delivery.services.requesting import Asked, submit
from drm.agreements import load_agreements
from tests.world import World

TEXT = (Path(__file__).parent / "known_agreements.toml").read_text(encoding="utf-8")
ARTICLE = {"genre": "article", "issn": "0378-5955", "title": "On wicks", "year": "2026", "volume": "1", "issue": "1"}
PART = {"genre": "book_part", "isbn": "978-3-16-148410-0", "title": "On wicks", "chapter": "2", "pages": "1-60"}
WHOLE = {"genre": "whole_work", "isbn": "978-3-16-148410-0", "title": "On wicks"}


def bound(world: World, name: str, **settings: object) -> World:
    """The world whose desk supplies under one known agreement."""
    body = next(part for part in TEXT.split("[[agreement]]") if f'\nid = "{name}"\n' in part)
    world.load(f"vocabulary = 1\n[[agreement]]{body}")
    with world.store.write() as work:
        work.sources.save(replace(work.sources.get("desk"), agreements=(name,), settings=settings))
    return world


def ask(world: World, fields: dict[str, str], purpose: str = "private_study", **more: str) -> DocumentRequest:
    asked = Asked({**fields, **more}, purpose=purpose, deliberate=True)
    return submit(world.ctx, world.reader, asked).request


def change_library(world: World, **changes: object) -> None:
    with world.store.write() as work:
        work.libraries.save(replace(work.libraries.get("harbour"), **changes))  # type: ignore[arg-type]  # fields by name


def test_the_sixth_article_of_a_journal_from_another_library_needs_a_fee(world: World) -> None:
    bound(world, "us-contu", via="ill", states=["ccg"])

    asked = [ask(world, ARTICLE, issue=str(number), title=f"Article {number}") for number in range(8)]

    assert [one.reason for one in asked] == ["OK"] * 5 + ["CONTU_RULE_OF_FIVE"] * 3


def test_a_royalty_that_the_library_pays_is_recorded_and_the_copy_not_counted(world: World) -> None:
    bound(world, "us-contu", via="ill", states=["ccg"])
    sixth = [ask(world, ARTICLE, title=f"Article {number}") for number in range(6)][-1]

    officers.approve(world.ctx, world.officer, sixth.number, "invoice 7", "35.00", "usd")

    with world.store.read() as work:
        [fee] = work.consents.fees(sixth.number)
        record = work.ledger.record(sixth.claim)
    assert (fee.amount, fee.currency, fee.way, fee.reference) == ("35.00", "USD", "library-royalty", "invoice 7")
    assert record is not None
    assert record.facts["flags"]["fee_paid"] is True  # type: ignore[index]
    counts = ask(world, ARTICLE, title="Article 7").decision["decision"]["counts"]  # type: ignore[index]
    assert counts["us.contu.periodical"] == {"used": 5, "this": 1, "limit": 5}


def test_a_royalty_whose_amount_is_not_known_is_recorded_with_nothing(world: World) -> None:
    bound(world, "us-contu", via="ill", states=["ccg"])
    sixth = [ask(world, ARTICLE, title=f"Article {number}") for number in range(6)][-1]
    with pytest.raises(Invalid):
        officers.approve(world.ctx, world.officer, sixth.number, "", "many", "USD")

    officers.approve(world.ctx, world.officer, sixth.number, "")

    with world.store.read() as work:
        assert [(fee.amount, fee.currency) for fee in work.consents.fees(sixth.number)] == [("0", "")]


def test_articles_of_the_own_library_are_none_of_the_five(world: World) -> None:
    bound(world, "us-contu")

    assert {ask(world, ARTICLE, title=f"Article {number}").reason for number in range(8)} == {"OK"}


def test_a_copy_from_another_librarys_collection_is_an_interlibrary_copy(world: World) -> None:
    bound(world, "us-contu", states=["ccg"])
    with world.store.write() as work:
        source = work.sources.get("collection")
        work.sources.save(replace(source, library_id="glenmore", agreements=("us-contu",)))
        work.sources.save(replace(work.sources.get("desk"), agreements=()))

    assert ask(world, {"doi": "10.5555/lantern.2021.0001"}).reason == "COPYRIGHT_COMPLIANCE_MISSING"


def test_the_librarian_states_compliance_in_the_librarys_name(world: World) -> None:
    bound(world, "us-contu", via="ill")
    held = ask(world, ARTICLE)

    told = telling.tell(world.ctx, world.librarian, held.number, {}, ["ccg"])

    assert (held.reason, told.reason, told.hold) == ("COPYRIGHT_COMPLIANCE_MISSING", "OK", "")
    with world.store.read() as work:
        [kept] = work.consents.declarations(held.number)
    assert list(kept.statements) == ["ccg"]


def test_a_subscription_that_the_desk_tells_of_frees_the_sixth_article(world: World) -> None:
    bound(world, "us-contu", via="ill", states=["ccg"])
    for number in range(5):
        ask(world, ARTICLE, title=f"Article {number}")
    sixth = ask(world, ARTICLE, title="Article 6")

    told = telling.tell(world.ctx, world.librarian, sixth.number, {"flags.subscribed": "yes"})

    assert (sixth.hold, told.hold, told.reason) == ("approval", "", "OK")
    assert "request:told" in world.kinds(sixth.number)


@pytest.mark.parametrize(
    ("name", "fields", "purpose", "reason"),
    [
        ("us-108", WHOLE, "private_study", "INVESTIGATION_REQUIRED"),
        ("us-108", ARTICLE, "commercial", "PURPOSE_NOT_ALLOWED"),
        ("uk-42a", ARTICLE, "commercial", "COPYRIGHT_FEE_PAID_ROUTE"),
        ("uk-43", WHOLE, "private_study", "DECLARATION_INCOMPLETE"),
        ("de-60e", ARTICLE, "private_study", "UNKNOWN_PERIODICAL_CLASS"),
        ("ca-30.2", {**ARTICLE, "year": "2026"}, "research", "TOO_RECENT"),
        ("au-s50", ARTICLE, "research", "DECLARATION_INCOMPLETE"),
        ("jp-31-2", {**ARTICLE, "year": "2026"}, "research", "TOO_RECENT"),
        ("jp-31-2", {**ARTICLE, "year": "2020"}, "research", "COMPENSATION_DUE"),
        ("cn-reg7", ARTICLE, "research", "OUTSIDE_PREMISES_NEEDS_LICENCE"),
        ("ucdrs", PART, "research", "PAGES_PER_REQUEST"),
        ("ucdrs-rolling", PART, "research", "UNKNOWN_TOTAL_PAGES"),
        ("lic-nesli2", ARTICLE, "commercial", "LICENCE_NONCOMMERCIAL"),
        ("lic-delivery-cap", {**ARTICLE, "year": "2026"}, "research", "LICENCE_CURRENT_YEAR_CLOSED"),
        ("lic-authorised-users", ARTICLE, "research", "LICENCE_USER_CATEGORY"),
    ],
)
def test_a_gate_of_a_known_agreement_bites(
    world: World, name: str, fields: dict[str, str], purpose: str, reason: str
) -> None:
    assert ask(bound(world, name), fields, purpose).reason == reason


@pytest.mark.parametrize(
    ("name", "fields", "free", "reason"),
    [
        ("us-108", ARTICLE, 1, "ONE_ARTICLE_PER_ISSUE"),
        ("de-subito-2008", ARTICLE, 10, "LICENCE_JOURNAL_CAP"),
        ("lic-delivery-cap", {**ARTICLE, "year": "2024"}, 3, "LICENCE_VOLUME_CAP"),
        ("house-daily", ARTICLE, 5, "DAILY_QUOTA"),
        ("house-p1d", ARTICLE, 1, "ROLLING_QUOTA"),
        ("house-pt24h", ARTICLE, 1, "ROLLING_QUOTA"),
    ],
)
def test_a_limit_of_a_known_agreement_bites(
    world: World, name: str, fields: dict[str, str], free: int, reason: str
) -> None:
    bound(world, name)

    asked = [ask(world, fields, title=f"Article {number}").reason for number in range(free + 1)]

    assert asked == ["OK"] * free + [reason]


def test_a_library_conducted_for_profit_has_no_privilege(world: World) -> None:
    change_library(bound(world, "uk-42a"), for_profit=True)

    assert ask(world, ARTICLE).reason == "LIBRARY_CONDUCTED_FOR_PROFIT"


def test_the_second_article_of_an_issue_needs_a_fee_in_the_united_kingdom(world: World) -> None:
    bound(world, "uk-42a")
    first = ask(world, ARTICLE)
    with world.store.read() as work:
        codes = [
            rule.all_of
            for one in load_agreements(work.agreements.get("uk-42a", 1).text)
            for rule in one.rules
            if rule.by
        ]

    assert declare(world.ctx, world.reader, first.number, codes[0]).reason == "OK"
    assert ask(world, ARTICLE, title="On lamps").reason == "ONE_ARTICLE_PER_ISSUE"


@pytest.mark.parametrize(
    ("name", "told", "reason"),
    [
        ("de-60e", {"work.class": "newspaper"}, "NOT_SCHOLARLY_PERIODICAL"),
        ("uk-42a", {"flags.declaration_known_false": "yes"}, "DECLARATION_KNOWN_FALSE"),
        ("uk-43", {"flags.owner_prohibits": "yes"}, "OWNER_PROHIBITS_COPYING"),
        ("uk-43", {"flags.published_before_deposit": "yes"}, "PUBLISHED_BEFORE_DEPOSIT"),
        ("au-s50", {"flags.commercially_unavailable": "no"}, "COMMERCIALLY_AVAILABLE"),
    ],
)
def test_what_staff_tell_is_decided_on(world: World, name: str, told: dict[str, str], reason: str) -> None:
    asked = ask(bound(world, name), ARTICLE)

    assert telling.tell(world.ctx, world.librarian, asked.number, told).reason == reason


def test_a_second_article_for_the_same_research_is_free_in_australia(world: World) -> None:
    bound(world, "au-s50", original="print")
    ask(world, ARTICLE)
    second = ask(world, ARTICLE, title="On lamps")

    assert second.reason == "ONE_ARTICLE_PER_ISSUE"
    bound(world, "au-s50", original="print", flags={"same_research_or_course": True})
    assert ask(world, ARTICLE, title="On oil").reason == "DECLARATION_INCOMPLETE"


def test_a_fee_by_price_is_known_when_staff_tell_price_and_pages(world: World) -> None:
    asked = ask(bound(world, "jp-31-2"), PART, pages="1-40")
    told = telling.tell(
        world.ctx, world.librarian, asked.number, {"work.price": "3000", "work.pages": "200", "issue.date": "2001"}
    )

    assert told.decision["decision"]["counts"]["jp.31.compensation"] == {"amount": 6000, "currency": "JPY"}  # type: ignore[index]


def test_whoever_is_not_registered_gets_nothing_where_the_law_asks_it(world: World) -> None:
    bound(world, "jp-31-2")
    with world.store.write() as work:
        work.people.save(replace(world.reader, standing=Standing.UNCONFIRMED))

    assert ask(world, {**ARTICLE, "year": "2020"}).reason == "READER_NOT_REGISTERED"


def test_a_licence_that_forbids_interlibrary_supply_lets_the_own_reader_have_it(world: World) -> None:
    assert ask(bound(world, "lic-no-ill"), ARTICLE).reason == "OK"
    assert ask(bound(world, "lic-no-ill", via="ill"), ARTICLE).reason == "LICENCE_PROHIBITS_ILL"


def test_a_licence_for_one_country_denies_the_other(world: World) -> None:
    bound(world, "lic-nesli2", via="ill", country="GB", delivery="secure_electronic_print_then_delete")

    assert ask(world, ARTICLE).reason == "LICENCE_COUNTRY"
    change_library(world, country="GB")
    assert ask(world, ARTICLE).reason == "OK"


def test_on_the_premises_no_licence_is_needed(world: World) -> None:
    assert ask(bound(world, "cn-reg7", delivery="on_premises"), ARTICLE).reason == "OK"
    assert ask(bound(world, "lic-authorised-users", delivery="on_premises"), ARTICLE).reason == "OK"


def test_facts_can_be_told_only_while_somebody_waits(world: World) -> None:
    asked = ask(bound(world, "us-contu", via="ill"), ARTICLE)
    with pytest.raises(Invalid):
        telling.tell(world.ctx, world.librarian, asked.number, {"work.pages": "many", "request.via": "pigeon"})
    officers.refuse_held(world.ctx, world.officer, asked.number, "not today")

    with pytest.raises(Conflict):
        telling.tell(world.ctx, world.librarian, asked.number, {"flags.owned": "yes"})
