"""A full disk, a busy database, a vanished file: a clear answer with advice when to come again, and nothing lost."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from delivery.errors import StorageFull, Unavailable
from delivery.lifecycle import State
from delivery.ports import Blob
from delivery.services import desk
from delivery.services.working import run_job, sweep
from storage.blobs.local import LocalBlobs
from tests.behaviours.test_link_promises import address, press, supplied
from tests.delivery.web_test_support import signed_in, token_of
from tests.drm.pdf.bad_files import good
from tests.world import World


class FullBlobs(LocalBlobs):
    """A store whose disk is full."""

    def put(self, name: str, path: Path) -> Blob:
        """Nothing fits."""
        raise StorageFull("storage-full", "The disk is full. What was stored before is safe; try again later.", 60)


def full(world: World) -> World:
    return replace(world, ctx=replace(world.ctx, blobs=FullBlobs(world.services.settings.home / "blobs")))


def run_all(world: World) -> None:
    for _ in range(10):
        for job in sweep(world.ctx):
            run_job(world.ctx, job, lambda *_: None)


@contextmanager
def database_held(world: World) -> Iterator[None]:
    """Somebody else writes and does not end."""
    other = sqlite3.connect(world.services.settings.home / "rushlight.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def at_desk(world: World) -> str:
    number = world.ask(title="Nobody has this one", year="2020").number
    world.work()
    return number


def test_a_full_disk_delays_a_delivery_and_does_not_lose_or_refuse_it(world: World) -> None:
    number = world.ask().number
    run_all(full(world))
    assert world.get(number).state in {State.FETCHING, State.PREPARING}

    world.clock.now = world.clock.now.replace(hour=23)
    run_all(world)

    assert world.get(number).state is State.SUPPLIED


def test_a_full_disk_turns_an_upload_away_with_advice_and_keeps_the_request(world: World) -> None:
    number = at_desk(world)
    client = signed_in(full(world).staff_app(), world.librarian)
    page = client.get(f"/requests/{number}").get_data(as_text=True)

    answer = client.post(
        f"/requests/{number}/upload", data={"csrf_token": token_of(page), "file": (io.BytesIO(good()), "scan.pdf")}
    )

    assert answer.status_code == 507
    assert answer.headers["Retry-After"]
    assert "no room" in answer.get_data(as_text=True)
    assert world.get(number).state is State.AT_DESK


@pytest.mark.slow
def test_a_busy_database_is_a_503_that_says_when_to_come_again(world: World) -> None:
    client = signed_in(world.reader_app(), world.reader)
    token = token_of(client.get("/ask").get_data(as_text=True))

    with database_held(world):
        answer = client.post("/requests", data={"csrf_token": token, "doi": "10.5555/lantern.2021.0001"})

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Traceback" not in answer.get_data(as_text=True)
    again = client.post("/requests", data={"csrf_token": token, "doi": "10.5555/lantern.2021.0001"})
    assert again.status_code == 303


def test_a_vanished_file_is_a_503_and_never_half_a_document(world: World) -> None:
    delivery = supplied(world)
    client = world.reader_app().test_client()
    window = press(client, address(world, delivery))
    world.ctx.blobs.remove(delivery.blob)

    answer = client.get(window)

    assert answer.status_code == 503
    assert answer.mimetype != "application/pdf"


def test_a_vanished_source_file_sends_the_request_to_look_again(world: World) -> None:
    number = world.ask().number
    for job in sweep(world.ctx):
        run_job(world.ctx, job, lambda *_: None)
    found = world.get(number)
    assert found.state is State.PREPARING
    world.ctx.blobs.remove(str(found.found["blob"]))
    for _ in range(8):
        run_all(world)
        world.clock.move(timedelta(days=1))

    assert world.get(number).state in {State.SUPPLIED, State.AT_DESK}


def test_an_upload_that_breaks_off_leaves_the_request_as_it_was(world: World) -> None:
    number = at_desk(world)

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError("the client went away")
            return super().read(100)

    stream: BinaryIO = Broken(good())
    with pytest.raises((OSError, Unavailable)):
        desk.upload(world.ctx, world.librarian, number, stream, "scan.pdf", None)

    assert world.get(number).state is State.AT_DESK
