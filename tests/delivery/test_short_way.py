"""Files go past the framework: whoever asks must not be able to tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from delivery.copies import CopyState
from tests.behaviours.test_link_promises import supplied
from tests.serving.shop import open_window
from tests.world import World

QUERY = "by=the-long-way"
"""With a query an address is the app's to answer."""


def asked(app: Flask, path: str, method: str, long: bool, **headers: str) -> tuple[object, ...]:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    query = QUERY if long else ""
    answer = app.test_client().open(path, method=method, headers=told, query_string=query)
    kept = sorted((name, value) for name, value in answer.headers.items() if name != "X-Request-Id")
    assert len(answer.headers["X-Request-Id"]) == 16
    return answer.status_code, kept, answer.data


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Range": "bytes=0-9"},
        {"Range": "bytes=0-9,20-29"},
        {"Range": "bytes=99999999-"},
        {"Range": "bytes=0-9", "If_Range": '"other"'},
        {"If_None_Match": "*"},
        {"Cookie": "rushlight_reader=nonsense"},
        {"Host": "somebody.else"},
    ],
)
def test_both_ways_answer_alike(world: World, method: str, headers: dict[str, str]) -> None:
    app, path = world.reader_app(), open_window(world, supplied(world).number)

    short, long = (asked(app, path, method, long, **headers) for long in (False, True))

    assert short == long


def test_a_revoked_copy_and_a_fourth_network_get_no_file(world: World) -> None:
    delivery = supplied(world)
    path, client = open_window(world, delivery.number), world.reader_app().test_client()

    networks = [client.get(path, environ_base={"REMOTE_ADDR": f"192.0.{part}.1"}).status_code for part in range(4)]
    with world.store.write() as work:
        work.deliveries.save(replace(delivery, state=CopyState.REVOKED))
    after = client.get(path, environ_base={"REMOTE_ADDR": "192.0.1.1"}).status_code

    assert (networks, after) == ([200, 200, 200, 303], 303)
