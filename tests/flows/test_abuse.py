"""Misuse: links that go round, readers and programs that take everything, several accounts of one card."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from admin.keys import add_key, read_keys
from delivery.errors import NotAllowed, NotFound, TooFast
from delivery.people import Person, Role
from delivery.services import accounts, downloading, forgetting, pacing, requesting, watching
from delivery.services.expiring import forget_old
from delivery.services.requesting import Asked
from delivery.stores import LogFilter
from delivery.watching import AlarmKind, Rate, Tally, estimated, read_pace
from tests.delivery.web_test_support import signed_in, token_of
from tests.faults.test_races import at_once
from tests.world import LIMITED, START, World, make_world


def told(world: World, kind: str) -> list[str]:
    with world.store.read() as work:
        return [f"{entry.delivery}{entry.code}" for entry in work.log.find(LogFilter(kind=kind)).entries]


def visit(world: World, token: str, addresses: list[str]) -> FlaskClient:
    client = world.reader_app().test_client()
    for address in addresses:
        client.get(f"/d/{token}", environ_overrides={"REMOTE_ADDR": address})
    return client


def supplied(world: World) -> tuple[str, str]:
    number = world.ask().number
    world.work()
    delivery = world.get(number).delivery
    return delivery, world.ctx.links.sign(delivery)


def test_a_link_asked_for_from_many_networks_raises_one_alarm_a_day(world: World) -> None:
    delivery, token = supplied(world)

    visit(world, token, [f"192.0.{n}.7" for n in range(9)] + ["192.0.8.99"])
    before = told(world, "link:overshared")
    visit(world, token, [f"2001:db8:{n:x}::1" for n in range(40)])
    world.clock.move(timedelta(hours=16))
    visit(world, token, ["198.51.100.1"])

    assert before == []
    assert told(world, "link:overshared") == [delivery, delivery]


def test_a_new_key_makes_no_second_network_of_one(world: World) -> None:
    number = world.ask().number
    world.work()
    delivery = world.delivery(number)
    key_file = world.services.settings.key_file

    for _ in range(3):
        for network in range(9):
            watching.asked_from(world.ctx, delivery, f"192.0.{network}.7")
        add_key(key_file)
        world.ctx = replace(world.ctx, ring=read_keys(key_file).ring)

    assert told(world, "link:overshared") == []


def test_no_address_and_no_network_is_kept(world: World) -> None:
    _, token = supplied(world)

    visit(world, token, [f"192.0.{n}.7" for n in range(12)])

    assert "192.0." not in repr(world.tables())


def test_networks_of_links_are_forgotten_after_the_time_that_is_looked_back(world: World) -> None:
    _, token = supplied(world)
    visit(world, token, [f"192.0.{n}.7" for n in range(9)])

    world.clock.move(timedelta(hours=25))
    visit(world, token, ["192.0.77.7", "192.0.78.7"])
    forget_old(world.ctx)

    assert told(world, "link:overshared") == []
    with world.services.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM link_networks").scalar() == 2


def test_machines_that_only_look_raise_no_alarm(world: World) -> None:
    _, token = supplied(world)
    client = world.reader_app().test_client()

    for n in range(20):
        client.head(f"/d/{token}", environ_overrides={"REMOTE_ADDR": f"192.0.{n}.7"})

    assert told(world, "link:overshared") == []


def test_a_crowd_fills_no_table(world: World) -> None:
    _, token = supplied(world)

    visit(world, token, [f"10.{n // 250}.{n % 250}.1" for n in range(260)])

    with world.services.engine.connect() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM link_networks").scalar()
    assert count == watching.MOST_NETWORKS


def test_staff_of_the_library_see_an_overshared_link_and_withdraw_it_at_once(world: World) -> None:
    delivery, token = supplied(world)
    visit(world, token, [f"192.0.{n}.7" for n in range(12)])
    client = signed_in(world.staff_app(), world.librarian)
    page = client.get("/alarms").get_data(as_text=True)

    [shown] = watching.alarms(world.ctx, world.librarian)
    fields = {"csrf_token": token_of(page), "reason": "The link went round."}
    answer = client.post(f"/alarms/{shown.alarm.id}/withdraw", data=fields)

    assert delivery in page
    assert "12 networks" in page
    assert answer.status_code == 303
    assert downloading.look(world.ctx, token).state is downloading.LinkState.REVOKED
    assert client.get("/alarms").get_data(as_text=True).count("Withdraw the copy") == 0


def test_another_library_neither_sees_nor_withdraws_it(world: World) -> None:
    _, token = supplied(world)
    visit(world, token, [f"192.0.{n}.7" for n in range(12)])
    [shown] = watching.alarms(world.ctx, world.officer)

    assert watching.alarms(world.ctx, world.stranger) == ()
    with pytest.raises(NotFound):
        watching.withdraw(world.ctx, world.stranger, shown.alarm.id, "word")


def test_a_withdrawal_without_words_is_asked_for_again(world: World) -> None:
    _, token = supplied(world)
    visit(world, token, [f"192.0.{n}.7" for n in range(12)])
    client = signed_in(world.staff_app(), world.officer)
    page = client.get("/alarms").get_data(as_text=True)
    [shown] = watching.alarms(world.ctx, world.officer)

    answer = client.post(f"/alarms/{shown.alarm.id}/withdraw", data={"csrf_token": token_of(page), "reason": " "})

    assert answer.status_code == 422
    assert f'id="reason-{shown.alarm.id}-wrong"' in answer.get_data(as_text=True)


@pytest.fixture
def slow(tmp_path: Path, collection: Path) -> World:
    """A world where a reader may ask for 3 a minute, a library for 5, a token for 2."""
    paces = {"reader_pace": "3 per minute", "library_pace": "5 per minute", "token_pace": "2 per minute"}
    return make_world(tmp_path / "slow", collection, **paces)


def form(page: str, **more: str) -> dict[str, str]:
    return {"csrf_token": token_of(page), "title": "Some title", "year": "2020", "deliberate": "yes", **more}


def test_a_reader_who_asks_too_fast_is_told_to_wait_and_staff_hear_of_it_once(slow: World) -> None:
    client = signed_in(slow.reader_app(), slow.reader)
    page = client.get("/ask").get_data(as_text=True)

    answers = [client.post("/requests", data=form(page, volume=str(n))) for n in range(30)]

    assert [answer.status_code for answer in answers] == [303] * 3 + [429] * 27
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert "too-fast" in answers[-1].get_data(as_text=True)
    assert told(slow, "pace:exceeded") == ["ask:reader"]
    [shown] = watching.alarms(slow.ctx, slow.librarian)
    assert (shown.alarm.kind, shown.alarm.subject, shown.alarm.count) == (AlarmKind.READER, slow.reader.reader_key, 27)


def test_who_waited_goes_on(slow: World) -> None:
    for _ in range(3):
        pacing.admit(slow.ctx, pacing.ASK, slow.reader)
    with pytest.raises(TooFast):
        pacing.admit(slow.ctx, pacing.ASK, slow.reader)

    slow.clock.move(timedelta(minutes=2))

    pacing.admit(slow.ctx, pacing.ASK, slow.reader)


def test_all_readers_of_a_library_together_have_a_limit_too(slow: World) -> None:
    for reader in (slow.reader, slow.reader, slow.other, slow.other, slow.officer):
        pacing.admit(slow.ctx, pacing.ASK, reader)

    with pytest.raises(TooFast):
        pacing.admit(slow.ctx, pacing.ASK, slow.officer)
    pacing.admit(slow.ctx, pacing.ASK, slow.stranger)
    assert told(slow, "pace:exceeded") == ["ask:library"]


def test_an_api_token_has_a_limit_of_its_own(slow: World) -> None:
    for _ in range(2):
        pacing.admit(slow.ctx, pacing.ASK, slow.reader, "t1")

    with pytest.raises(TooFast):
        pacing.admit(slow.ctx, pacing.ASK, slow.reader, "t1")
    pacing.admit(slow.ctx, pacing.ASK, slow.reader, "t2")
    assert told(slow, "pace:exceeded") == ["ask:token:t1"]


def test_opens_are_counted_for_the_reader_the_copies_are_of(slow: World) -> None:
    _, token = supplied(slow)
    nonces = [downloading.look(slow.ctx, token).nonce for _ in range(4)]
    for nonce in nonces[:3]:
        downloading.open_window(slow.ctx, token, nonce, None)

    with pytest.raises(TooFast):
        downloading.open_window(slow.ctx, token, nonces[3], None)
    again = downloading.open_window(slow.ctx, token, nonces[2], None)

    assert again.secret
    assert told(slow, "pace:exceeded") == ["open:reader"]
    with slow.store.read() as work:
        assert work.deliveries.get(downloading.look(slow.ctx, token).delivery.number).opens_used == 3  # type: ignore[union-attr]  # it is there


def test_many_at_once_never_get_more_than_the_pace(slow: World) -> None:
    let_in: list[int] = []

    def ask() -> None:
        try:
            pacing.admit(slow.ctx, pacing.ASK, slow.reader)
            let_in.append(1)
        except TooFast:
            pass

    crowd = [threading.Thread(target=ask) for _ in range(16)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    assert len(let_in) == 3


def test_the_database_of_a_consortium_counts_and_alarms_just_the_same(
    tmp_path: Path, collection: Path, postgres_url: str
) -> None:
    paces = {"reader_pace": "3 per minute", "library_pace": "", "token_pace": ""}
    world = make_world(tmp_path / "pg", collection, postgres_url, **paces)
    found = at_once(12, lambda _: let_in(world))
    number = world.ask().number
    world.work()
    for network in range(24):
        watching.asked_from(world.ctx, world.delivery(number), f"192.0.{network // 2}.1")
    tries = [sign_in_code(world) for _ in range(12)]

    assert found.count(True) == 3
    assert told(world, "pace:exceeded") == ["ask:reader"]
    assert told(world, "link:overshared") == [world.get(number).delivery]
    assert [shown.alarm.count for shown in watching.alarms(world.ctx, world.officer)] == [2, 12, 9]
    assert tries == ["sign-in-failed"] * 10 + ["too-many-attempts"] * 2
    world.close()


def let_in(world: World) -> bool:
    try:
        pacing.admit(world.ctx, pacing.ASK, world.reader)
    except TooFast:
        return False
    return True


def sign_in_code(world: World) -> str:
    with pytest.raises((NotAllowed, TooFast)) as raised:
        accounts.sign_in(world.ctx, "reader", world.reader.email, "wrong")
    return str(raised.value.code)


def test_a_burst_at_the_border_of_two_minutes_counts_as_one(slow: World) -> None:
    slow.clock.move(timedelta(seconds=59))
    for _ in range(3):
        pacing.admit(slow.ctx, pacing.ASK, slow.reader)
    slow.clock.move(timedelta(seconds=2))

    with pytest.raises(TooFast):
        pacing.admit(slow.ctx, pacing.ASK, slow.reader)


def test_the_estimate_lets_the_stretch_before_fade() -> None:
    rate = Rate(10, 60)

    assert estimated(2, 8, rate, START) == 10
    assert estimated(2, 8, rate, START + timedelta(seconds=45)) == 4
    assert Tally("x", 60, 7).before == Tally("x", 60, 6)


def test_a_pace_is_read_or_refused() -> None:
    assert read_pace("30 per minute, 10 per 5 minutes") == (Rate(30, 60), Rate(10, 300))
    assert read_pace("") == ()
    for bad in ("30", "0 per minute", "many per hour", "3 per 0 days", "3 per week"):
        with pytest.raises(ValueError, match="is no rate"):
            read_pace(bad)


def with_card(world: World, name: str, card: str) -> Person:
    return accounts.add_reader(world.ctx, world.librarian, name, f"{name}@example.org", "en", card)


def test_a_hundred_accounts_of_one_card_have_one_quota(world: World) -> None:
    world.load(LIMITED.format(most=3, per="reader", effect="deny"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])

    for n in range(100):
        person = with_card(world, f"r{n}", " 4711-A" if n % 2 else "4711-a")
        world.ask(person, title="One and the same", volume=str(n), year="2020")
    other = with_card(world, "else", "4712")

    with world.store.read() as work:
        page = work.requests.of_reader(other.id, 10)
        states = [request.state for request in work.requests.created_between(None, None, "", 200)]
    assert page.total == 0
    assert sum(state != "refused" for state in states) == 3
    assert world.ask(other, title="Another", volume="1", year="2020").state != "refused"


def test_the_card_itself_is_not_kept(world: World) -> None:
    with_card(world, "holder", "CARD-4711")

    assert "4711" not in repr(world.tables())


def test_what_a_card_counts_stays_until_its_last_account_is_forgotten(world: World) -> None:
    one, two = with_card(world, "one", "4711"), with_card(world, "two", "4711")
    with world.store.read() as work:
        key = work.secrets.key_of(one.id)

    forgetting.forget(world.ctx, one, "operator")
    forget_old(world.ctx)
    with world.store.read() as work:
        kept = work.secrets.key_of(two.id)
    forgetting.forget(world.ctx, two, "operator")

    assert kept == key
    assert world.store.secrets.people() == frozenset()


def test_a_crawler_by_the_api_is_slowed_down(slow: World) -> None:
    from delivery.stores import ApiTokenRecord

    ends = START + timedelta(days=1)
    with slow.store.write() as work:
        work.tokens.add_api_token(ApiTokenRecord("t1", slow.reader.id, "x", START, ends))
    token, _ = slow.ctx.api_tokens.issue(slow.reader.id, START, timedelta(days=1), "t1")
    client = slow.reader_app().test_client()
    told_to = {"Authorization": f"Bearer {token}"}

    answers = [
        client.post("/api/v1/requests", json={"citation": {"title": "A", "volume": str(n)}}, headers=told_to)
        for n in range(20)
    ]

    assert [answer.status_code for answer in answers] == [202] * 2 + [429] * 18
    assert answers[-1].get_json()["code"] == "too-fast"
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_request_without_pace_settings_is_not_counted(world: World) -> None:
    requesting.submit(world.ctx, world.reader, Asked({"doi": "10.5555/lantern.2021.0001"}))

    with world.services.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM tallies").scalar() == 0
    assert world.reader.roles == {Role.READER}
