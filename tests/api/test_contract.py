"""The API as its description says it is: answers of the described shape, for any input, and one effect for each key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from delivery.services import downloading
from delivery.services.expiring import forget_old
from tests.faults.test_races import at_once
from tests.flows.test_pages import bearer
from tests.world import World

# A body of the right shape can still lack anything to find a work by: that is a 422 with its reason, as it should be.
LEFT_OUT = {"positive_data_acceptance"}


OPERATIONS = [
    "GET /requests",
    "POST /requests",
    "GET /requests/{number}",
    "POST /requests/{number}/cancel",
    "POST /requests/{number}/open",
]


def described(world: World) -> dict[str, Any]:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", world.reader_app())
    found = [result for result in schema.get_all_operations() if isinstance(result, Ok)]
    return {result.ok().label: result.ok() for result in found}


def test_every_operation_is_tried(world: World) -> None:
    assert sorted(described(world)) == sorted(OPERATIONS)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("label", OPERATIONS)
def test_whatever_is_sent_the_answer_is_as_described(world: World, label: str, mode: GenerationMode) -> None:
    operation, headers = described(world)[label], bearer(world)
    checks: list[Any] = [check for check in CHECKS.get_all() if check.__name__ not in LEFT_OUT]

    @settings(max_examples=25, suppress_health_check=list(HealthCheck), database=None)
    @given(operation.as_strategy(generation_mode=mode))
    def answered(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(headers=headers, checks=checks)

    answered()


def test_many_calls_with_one_key_make_one_request(world: World) -> None:
    app, headers = world.reader_app(), {**bearer(world), "Idempotency-Key": "once"}
    body = {"citation": {"doi": "10.5555/lantern.2021.0001"}, "deliberate": True}

    answers = at_once(16, lambda _: app.test_client().post("/api/v1/requests", json=body, headers=headers).json)

    with world.store.read() as work:
        assert work.requests.of_reader(world.reader.id, 10).total == 1
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_a_thousand_times_eight_calls_with_one_key_make_one_request_each_time(world: World) -> None:
    app, headers = world.reader_app(), bearer(world)

    def ask(place: int) -> tuple[int, bytes]:
        body = {"citation": {"title": f"Tides {place}", "year": "2020"}, "deliberate": True}
        own = {**headers, "Idempotency-Key": f"key-{place}"}
        answer = app.test_client().post("/api/v1/requests", json=body, headers=own)
        return answer.status_code, answer.data

    for place in range(1_000):
        answers = at_once(8, lambda _, place=place: ask(place))  # type: ignore[misc]  # mypy infers no lambda with a default
        [answer] = set(answers)
        assert isinstance(answer, tuple)
        assert answer[0] == 202

    with world.store.read() as work:
        assert work.requests.of_reader(world.reader.id, 10).total == 1_000


def test_a_key_is_kept_a_day_and_a_longer_one_than_255_is_refused(world: World) -> None:
    client, headers = world.reader_app().test_client(), bearer(world)
    body = {"citation": {"doi": "10.5555/lantern.2021.0001"}, "deliberate": True}

    def status(key: str) -> int:
        return client.post("/api/v1/requests", json=body, headers={**headers, "Idempotency-Key": key}).status_code

    assert (status("k" * 255), status("k" * 256)) == (202, 422)
    world.clock.move(timedelta(hours=23))
    forget_old(world.ctx)
    assert status("k" * 255) == 202
    with world.store.read() as work:
        assert work.requests.of_reader(world.reader.id, 10).total == 1


def test_an_open_that_is_asked_for_again_with_its_key_is_counted_once(world: World) -> None:
    client, headers, number = world.reader_app().test_client(), bearer(world), world.ask().number
    world.work()

    def opened(key: str) -> str:
        given = {**headers, "Idempotency-Key": key} if key else headers
        answer = client.post(f"/api/v1/requests/{number}/open", headers=given)
        world.clock.move(timedelta(minutes=1))
        return str((answer.json or {}).get("url", answer.status_code))

    first, again = opened("k1"), opened("k1")
    used = world.delivery(number).opens_used
    others = [opened("k2"), opened("")]

    assert (first, used) == (again, 1)
    assert client.get(first).status_code == 200
    assert len({first, *others}) == 3
    assert opened("k" * 256) == "422"


def test_one_readers_key_opens_no_window_of_another(world: World) -> None:
    number = world.ask().number
    world.work()
    token = world.ctx.links.sign(world.get(number).delivery)

    opened = [
        downloading.open_window(world.ctx, token, downloading.RetryKey("k"), person).secret
        for person in (world.reader, world.other, world.reader)
    ]

    assert opened[0] == opened[2] != opened[1]
