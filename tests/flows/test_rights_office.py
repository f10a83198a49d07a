"""The rights office in the browser's words: draft, error with its place, simulate, propose, confirm by another officer."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask.testing import FlaskClient

from delivery.people import Role
from tests.delivery.web_test_support import signed_in, token_of
from tests.world import LIMITED, World

ONE = LIMITED.format(most=1, per="reader", effect="deny")


def keep(client: FlaskClient, text: str) -> tuple[int, str, str]:
    page = client.get("/rights/agreements/new").get_data(as_text=True)
    answer = client.post("/rights/agreements/new", data={"csrf_token": token_of(page), "text": text})
    return answer.status_code, answer.headers.get("Location", ""), answer.get_data(as_text=True)


def press(client: FlaskClient, address: str, act: str, note: str = "") -> int:
    page = client.get(address).get_data(as_text=True)
    return client.post(f"{address}/{act}", data={"csrf_token": token_of(page), "note": note}).status_code


def test_a_wrong_text_comes_back_whole_with_agreement_rule_and_key(world: World) -> None:
    status, _, page = keep(signed_in(world.staff_app(), world.officer), ONE.replace('"calendar"', '"fortnight"'))

    assert status == 422
    assert "rule limited.per_month" in page
    assert "key window.type" in page
    assert "fortnight" in page


def test_a_text_is_drafted_proposed_by_one_and_confirmed_by_another(world: World) -> None:
    first = signed_in(world.staff_app(), world.officer)
    second = signed_in(world.staff_app(), world.add_person("second", Role.RIGHTS_OFFICER))
    _, address, _ = keep(first, ONE)

    assert press(first, address, "propose", "agreed with the publisher") == 303
    assert "another rights officer confirms it" in first.get(address).get_data(as_text=True)
    assert (
        first.post(
            f"{address}/confirm", data={"csrf_token": token_of(first.get(address).get_data(as_text=True))}
        ).status_code
        == 409
    )
    assert press(second, address, "confirm") == 303

    with world.store.read() as work:
        assert [one.id for one in work.agreements.in_force(world.clock(), ZoneInfo("Europe/Dublin"))] == [
            "limited",
            "open",
        ]


def test_a_proposal_is_sent_back_with_a_word(world: World) -> None:
    client = signed_in(world.staff_app(), world.officer)
    _, address, _ = keep(client, ONE)
    press(client, address, "propose")

    assert press(client, address, "send-back") == 422
    assert press(client, address, "send-back", "the limit is ten") == 303
    assert "the limit is ten" in client.get(address).get_data(as_text=True)


def test_a_simulation_tells_how_many_requests_would_have_been_refused(world: World) -> None:
    world.load(LIMITED.format(most=9, per="reader", effect="deny"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    for doi in ("10.5555/lantern.2021.0001", "10.5555/lantern.2022.0002", "10.5555/lantern.2019.0003"):
        world.ask(doi=doi)
        world.work()
    client = signed_in(world.staff_app(), world.officer)
    _, address, _ = keep(client, ONE.replace("version = 1\n[[", "version = 2\n[["))

    page = client.get(f"{address}/simulation?since=2026-01-01&until=2026-12-31").get_data(as_text=True)

    assert "2 of 3 requests would have been refused" in page
    assert client.get(f"{address}/simulation?since=soon&until=later").status_code == 422


def test_a_new_text_is_tried_on_the_source_or_the_library_that_is_chosen(world: World) -> None:
    for _ in range(3):
        world.ask()
        world.work()
    client = signed_in(world.staff_app(), world.officer)
    _, address, _ = keep(client, ONE)
    period = "since=2026-01-01&until=2026-12-31"

    own = client.get(f"{address}/simulation?{period}&reach=source:collection").get_data(as_text=True)
    other = client.get(f"{address}/simulation?{period}&reach=library:glenmore").get_data(as_text=True)

    assert "2 of 3 requests would have been refused" in own
    assert "0 of 0 requests would have been refused" in other
    assert client.get(f"{address}/simulation?{period}&reach=library:nobody").status_code == 404
    assert 'value="library:glenmore"' in client.get(address).get_data(as_text=True)


def test_a_request_that_waits_for_approval_leads_the_officer_there(world: World) -> None:
    world.load(LIMITED.format(most=0, per="reader", effect="needs_approval"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    number = world.ask().number

    page = signed_in(world.staff_app(), world.officer).get(f"/requests/{number}").get_data(as_text=True)

    assert "Approve or refuse it" in page


def test_the_difference_to_the_version_in_force_is_on_the_page(world: World) -> None:
    world.load(ONE)
    client = signed_in(world.staff_app(), world.officer)
    _, address, _ = keep(client, ONE.replace("version = 1\n[[", "version = 2\n[[").replace("max = 1", "max = 7"))

    page = client.get(address).get_data(as_text=True)

    assert "-max = 1" in page
    assert "+max = 7" in page
