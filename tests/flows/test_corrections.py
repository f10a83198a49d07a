"""What a copy counts as: back-dated and corrected fills, limits that change, groups, and several readers who ask together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from delivery.document_request import DocumentRequest
from delivery.errors import Conflict, Invalid
from delivery.lifecycle import State
from delivery.services import correcting, desk, joining, linking
from delivery.services.replaying import replay
from delivery.stores import AgreementVersion, LogFilter
from tests.delivery.web_test_support import signed_in, token_of
from tests.world import LIMITED, World


def bound(world: World, text: str) -> None:
    world.load(text)
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])


def by_fill(most: int, per: str = "entity") -> str:
    return LIMITED.format(most=most, per=per, effect="deny").replace(
        'unit = "month"', 'unit = "month", anchor = "filled_at"'
    )


def supplied(world: World, doi: str = "10.5555/lantern.2021.0001") -> DocumentRequest:
    number = world.ask(doi=doi).number
    world.work()
    assert world.get(number).state is State.SUPPLIED
    return world.get(number)


def breaches(world: World) -> list[tuple[str, str]]:
    with world.store.read() as work:
        return [(entry.request, entry.code) for entry in work.log.find(LogFilter(kind="quota:breach")).entries]


def test_a_back_dated_fill_that_overfills_a_past_window_is_logged_and_nothing_is_taken_back(world: World) -> None:
    bound(world, by_fill(1))
    waiting = world.ask()
    world.clock.move(timedelta(hours=1))
    world.work()
    assert waiting.number
    october = world.clock.now
    world.clock.move(timedelta(days=31))
    second = supplied(world)
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        connection.exec_driver_sql("UPDATE usage_records SET requested_at = '2026-11-01 00:00:00'")

    found = correcting.correct(
        world.ctx, world.librarian, second.number, "it went out in November", october + timedelta(hours=1)
    )

    assert [(breach.request, breach.rule) for breach in found] == [(second.number, "limited.per_month")]
    assert found[0].counts == {"used": 1, "this": 1, "limit": 1}
    assert breaches(world) == [(second.number, "limited.per_month")]
    assert world.get(second.number).state is State.SUPPLIED
    assert world.ask().state is State.NEW


DECEMBER = datetime(2026, 12, 5, 9, 0, tzinfo=UTC)


def two_copies(world: World, most: int) -> tuple[DocumentRequest, DocumentRequest]:
    """One filled in November, one in December, both asked for in November, under a monthly limit by fill."""
    bound(world, by_fill(most))
    first = supplied(world)
    world.clock.now = DECEMBER
    second = supplied(world, "10.5555/lantern.2022.0002")
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        connection.exec_driver_sql("UPDATE usage_records SET requested_at = '2026-11-01 00:00:00'")
    return first, second


def versioned(world: World, most: int, begins: datetime | None, confirmed: datetime | None = None) -> None:
    """One more version of the agreement, with another limit, effective or confirmed at these instants."""
    text = by_fill(most).replace("version = 1\n[[", "version = 2\n[[")
    version = AgreementVersion("limited", 2, "L", text, "confirmed", begins, confirmed_at=confirmed)
    with world.store.write() as work:
        work.agreements.add(version, world.clock())


def moved_to_november(world: World, request: DocumentRequest) -> list[dict[str, object]]:
    found = correcting.correct(
        world.ctx, world.librarian, request.number, "it went out in November", datetime(2026, 11, 25, tzinfo=UTC)
    )
    return [dict(breach.counts) for breach in found]


@pytest.mark.parametrize("confirmed", [None, DECEMBER])
def test_a_limit_raised_since_hides_no_breach_of_the_month_before(world: World, confirmed: datetime | None) -> None:
    _, second = two_copies(world, 1)
    versioned(world, 50, None if confirmed else DECEMBER.replace(hour=0), confirmed)

    assert moved_to_november(world, second) == [{"used": 1, "this": 1, "limit": 1}]


def test_a_version_that_begins_later_breaks_nothing_now(world: World) -> None:
    _, second = two_copies(world, 2)
    versioned(world, 1, datetime(2027, 6, 1, tzinfo=UTC))

    assert moved_to_november(world, second) == []


def test_a_fill_dated_back_to_before_its_agreement_is_judged_in_its_first_words(world: World) -> None:
    _, second = two_copies(world, 1)
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        connection.exec_driver_sql("UPDATE agreements SET effective_from = '2026-12-01 00:00:00' WHERE id = 'limited'")

    assert moved_to_november(world, second) == [{"used": 1, "this": 1, "limit": 1}]


def test_a_copy_is_counted_by_all_that_its_own_version_counts_it_by(world: World) -> None:
    bound(world, by_fill(1, "work"))
    first = supplied(world)
    world.clock.now = DECEMBER
    by_library = by_fill(2).replace("version = 1\n[[", "version = 2\n[[").replace("limited.per_month", "limited.all")
    with world.store.write() as work:
        version = AgreementVersion("limited", 2, "L", by_library, "confirmed", DECEMBER.replace(hour=0))
        work.agreements.add(version, world.clock())
    supplied(world, "10.5555/lantern.2022.0002")
    world.clock.move(timedelta(hours=1))
    last = supplied(world, "10.5555/lantern.2021.0001")

    found = correcting.correct(world.ctx, world.librarian, first.number, "in December", DECEMBER - timedelta(hours=1))

    assert [(breach.request, breach.rule) for breach in found] == [(last.number, "limited.all")]


def test_a_copy_that_a_correction_breaks_is_judged_by_its_own_version_and_not_by_that_of_the_other(
    world: World,
) -> None:
    bound(world, by_fill(9, "work"))
    first = supplied(world)
    world.clock.now = datetime(2027, 2, 10, 9, 0, tzinfo=UTC)
    rolling = by_fill(2).replace('type = "calendar", unit = "month"', 'type = "rolling", duration = "P60D"')
    by_library = rolling.replace("version = 1\n[[", "version = 2\n[[").replace("limited.per_month", "limited.all")
    with world.store.write() as work:
        begins = datetime(2027, 2, 1, tzinfo=UTC)
        work.agreements.add(AgreementVersion("limited", 2, "L", by_library, "confirmed", begins), world.clock())
    supplied(world, "10.5555/lantern.2019.0003")
    world.clock.move(timedelta(hours=1))
    last = supplied(world, "10.5555/lantern.2021.0001")

    found = correcting.correct(world.ctx, world.librarian, first.number, "late", datetime(2026, 12, 20, tzinfo=UTC))

    assert [(breach.request, breach.rule) for breach in found] == [(last.number, "limited.all")]


def test_corrected_pages_count_from_now_on_and_the_old_decision_replays_as_it_was(world: World) -> None:
    pages = LIMITED.format(most=20, per="reader", effect="deny").replace('"copies"', '"pages"')
    bound(world, pages)
    first = supplied(world)

    assert (
        correcting.correct(world.ctx, world.librarian, first.number, "only two pages were scanned", pages="211-212")
        == ()
    )

    with world.store.read() as work:
        record = work.ledger.record(first.claim)
    assert record is not None
    assert record.facts["request"]["pages"] == ["211-212"]  # type: ignore[index]
    again = replay(world.ctx, first.number)
    assert again is not None
    assert again.differs == ()


@pytest.mark.parametrize("days", [1, -400])
def test_a_fill_is_never_in_the_future_nor_before_its_request(world: World, days: int) -> None:
    number = supplied(world).number

    with pytest.raises(Invalid):
        correcting.correct(world.ctx, world.librarian, number, "typo", world.clock.now + timedelta(days=days))


def test_what_was_not_supplied_has_nothing_to_correct(world: World) -> None:
    with pytest.raises(Conflict):
        correcting.correct(world.ctx, world.librarian, world.ask().number, "typo", pages="1")


def test_a_lowered_limit_counts_what_was_supplied_before_it_in_the_same_window(world: World) -> None:
    bound(world, LIMITED.format(most=3, per="entity", effect="deny"))
    supplied(world)
    supplied(world)
    world.load(LIMITED.format(most=2, per="entity", effect="deny").replace("version = 1\n[[", "version = 2\n[["))

    refused = world.ask()

    assert refused.state is State.REFUSED
    assert refused.decision["decision"]["counts"] == {"limited.per_month": {"used": 2, "this": 1, "limit": 2}}  # type: ignore[index]


def test_a_copy_for_two_readers_counts_for_each_of_them_and_once_for_the_library(world: World) -> None:
    text = LIMITED.format(most=1, per="reader", effect="deny")
    more = (
        LIMITED.format(most=9, per="entity", effect="deny")
        .split("[[agreement.rule]]")[1]
        .replace("per_month", "of_all")
    )
    bound(world, f"{text}\n[[agreement.rule]]{more}")
    number = world.ask(title="Nobody has this", year="2020").number
    world.work()

    joining.join(world.ctx, world.librarian, number, world.other.email)

    assert world.ask(world.other).state is State.REFUSED
    refused = world.ask()
    assert refused.state is State.REFUSED
    counts = refused.decision["decision"]["counts"]  # type: ignore[index]
    assert counts["limited.of_all"] == {"used": 1, "this": 1, "limit": 9}


def test_a_reader_whose_limit_is_used_up_cannot_be_joined_and_nothing_changes(world: World) -> None:
    bound(world, LIMITED.format(most=1, per="reader", effect="deny"))
    world.ask(world.other)
    number = world.ask(title="Nobody has this", year="2020").number
    world.work()

    with pytest.raises(Conflict):
        joining.join(world.ctx, world.librarian, number, world.other.email)

    assert "joint" not in world.get(number).found


def test_nobody_of_another_library_can_be_joined(world: World) -> None:
    number = world.ask(title="Nobody has this", year="2020").number
    world.work()

    with pytest.raises(Invalid):
        joining.join(world.ctx, world.librarian, number, world.stranger.email)


def test_the_desk_corrects_and_joins_on_the_page_in_the_librarys_time(world: World) -> None:
    world.clock.now = datetime(2026, 7, 10, 9, 0, tzinfo=UTC)
    number = supplied(world).number
    world.clock.move(timedelta(days=2))
    client = signed_in(world.staff_app(), world.librarian)
    token = token_of(client.get(f"/requests/{number}").get_data(as_text=True))
    fields = {"csrf_token": token, "filled_at": "2026-07-11T12:00", "pages": "5-9", "reason": "late entry"}

    right = client.post(f"/requests/{number}/correct", data=fields)
    wrong = client.post(f"/requests/{number}/correct", data={**fields, "pages": "five"})

    assert (right.status_code, wrong.status_code) == (303, 422)
    with world.store.read() as work:
        record = work.ledger.record(f"{number}/1")
    assert record is not None
    assert record.filled_at == datetime(2026, 7, 11, 11, 0, tzinfo=UTC)
    assert "late entry" in client.get(f"/requests/{number}").get_data(as_text=True)


BY_TITLE = LIMITED.format(most=1, per="title", effect="deny")


def held(world: World, number: str) -> dict[str, int]:
    """Slots held or settled by scope."""
    with world.services.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT scope, SUM(CASE kind WHEN 'reserve' THEN 1 WHEN 'settle' THEN 0 ELSE -1 END) FROM ledger "
            "WHERE claim LIKE ? GROUP BY scope",
            (f"{number}/%",),
        )
        return {str(scope): int(count) for scope, count in rows}


def uploaded(world: World, collection: Path, issn: str) -> DocumentRequest:
    number = world.ask(title="Tides of an island", issn=issn, year="2020", volume="4").number
    world.work()
    with next(collection.rglob("*.pdf")).open("rb") as file:
        desk.upload(world.ctx, world.librarian, number, file, "found.pdf", None)
    world.work()
    assert world.get(number).state is State.SUPPLIED
    return world.get(number)


def test_a_copy_of_another_title_moves_there_and_what_that_breaks_is_logged(world: World, collection: Path) -> None:
    bound(world, BY_TITLE)
    uploaded(world, collection, "0378-5955")
    world.clock.move(timedelta(hours=1))
    wrong = uploaded(world, collection, "2049-3630")
    fields = {**wrong.citation.to_dict(), "issn": "0378-5955"}
    desk.edit_citation(world.ctx, world.librarian, wrong.number, fields, wrong.version)

    found = correcting.correct(world.ctx, world.librarian, wrong.number, "the journal was another", by_citation=True)

    assert [(breach.request, breach.rule) for breach in found] == [(wrong.number, "limited.per_month")]
    assert breaches(world) == [(wrong.number, "limited.per_month")]
    assert held(world, wrong.number) == {
        "limited.per_month|title=issn:20493630": 0,
        "limited.per_month|title=issn:03785955": 1,
    }
    assert world.ask(title="Another", issn="2049-3630", year="2020", volume="4").state is State.NEW


def test_a_corrected_copy_is_refunded_like_any_other_and_its_decision_replays(world: World, collection: Path) -> None:
    bound(world, BY_TITLE)
    wrong = uploaded(world, collection, "2049-3630")
    fields = {**wrong.citation.to_dict(), "issn": "0378-5955"}
    desk.edit_citation(world.ctx, world.librarian, wrong.number, fields, wrong.version)
    correcting.correct(world.ctx, world.librarian, wrong.number, "the journal was another", by_citation=True)

    again = replay(world.ctx, wrong.number)
    linking.revoke(world.ctx, world.librarian, world.get(wrong.number).delivery, "wrong article", give_back=True)

    assert again is not None
    assert again.differs == ()
    assert set(held(world, wrong.number).values()) == {0}
    assert world.ask(title="Another", issn="0378-5955", year="2020", volume="4").state is State.NEW


def renamed(world: World, number: str, issn: str) -> DocumentRequest:
    """The request with another journal, as a librarian corrects it."""
    request = world.get(number)
    fields = {**request.citation.to_dict(), "issn": issn}
    return desk.edit_citation(world.ctx, world.librarian, number, fields, request.version)


def test_a_citation_corrected_at_the_desk_is_counted_as_the_work_that_it_names(world: World, collection: Path) -> None:
    bound(world, BY_TITLE)
    number = world.ask(title="Nobody has it", issn="2049-3630", year="2020", volume="4").number
    world.work()

    renamed(world, number, "0378-5955")

    assert held(world, number) == {
        "limited.per_month|title=issn:20493630": 0,
        "limited.per_month|title=issn:03785955": 1,
    }
    with next(collection.rglob("*.pdf")).open("rb") as file:
        desk.upload(world.ctx, world.librarian, number, file, "found.pdf", None)
    world.work()
    assert world.get(number).state is State.SUPPLIED
    assert world.ask(title="More", issn="0378-5955", year="2020", volume="5").state is State.REFUSED
    assert world.ask(title="More", issn="2049-3630", year="2020", volume="5").state is State.NEW


def test_a_correction_to_a_title_that_is_used_up_says_so_and_can_itself_be_corrected(
    world: World, collection: Path
) -> None:
    bound(world, BY_TITLE)
    uploaded(world, collection, "0378-5955")
    number = world.ask(title="Nobody has it", issn="2049-3630", year="2020", volume="4").number
    world.work()

    used_up = renamed(world, number, "0378-5955")

    assert (used_up.state, used_up.reason) == (State.AT_DESK, "ROLLING_QUOTA")
    assert renamed(world, number, "2049-3630").reason == "OK"
    assert held(world, number)["limited.per_month|title=issn:20493630"] == 1


def test_what_was_corrected_to_a_used_up_title_is_not_supplied(world: World, collection: Path) -> None:
    bound(world, BY_TITLE)
    uploaded(world, collection, "0378-5955")
    number = world.ask(title="Nobody has it", issn="2049-3630", year="2020", volume="4").number
    world.work()
    renamed(world, number, "0378-5955")

    with next(collection.rglob("*.pdf")).open("rb") as file:
        desk.upload(world.ctx, world.librarian, number, file, "found.pdf", None)
    world.work()

    assert world.get(number).state is State.REFUSED
    assert world.get(number).delivery == ""
