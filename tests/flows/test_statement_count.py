"""What a delivery asks of the database and of the bucket, from the POST to the mail: bounded, and no more after a long history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from delivery.jobs import CHECK
from delivery.lifecycle import State
from delivery.people import Person
from delivery.services import preparing
from delivery.services.working import run_along
from storage.models import JobRow
from tests.delivery.web_test_support import signed_in, token_of
from tests.services.s3 import S3Server
from tests.serving.test_downloads import s3_settings
from tests.world import LIMITED, World, make_world

FIRST, REPEATED = 45, 43
"""Statements of a source's first copy, which is prepared, and of a later one; each under an agreement with a limit."""
CALLS = 3
ENDS = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")


@dataclass
class Statements:
    """What was sent to the databases while this listens."""

    texts: list[str] = field(default_factory=list)

    def note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """A statement that is about to be sent."""
        if not statement.startswith(ENDS):
            self.texts.append(statement)

    @contextmanager
    def of(self, *engines: Engine) -> Iterator[list[str]]:
        """The statements of these engines from now on."""
        self.texts.clear()
        for engine in engines:
            event.listen(engine, "before_cursor_execute", self.note)
        yield self.texts
        for engine in engines:
            event.remove(engine, "before_cursor_execute", self.note)


def waiting(world: World) -> list[int]:
    """The jobs to be done. The full check of one copy in a hundred is not on the way to the mail."""
    with world.services.engine.connect() as connection:
        wanted = select(JobRow.id).where(JobRow.state == "queued", JobRow.kind != CHECK)
        return list(connection.scalars(wanted))


def supply(world: World, reader: Person) -> list[str]:
    """One document from the form to the letter; the statements on the way."""
    client, heard, before = signed_in(world.reader_app(), reader), Statements(), len(world.post.letters)
    token = token_of(client.get("/ask").get_data(as_text=True))
    fields = {"csrf_token": token, "doi": "10.5555/lantern.2021.0001", "deliberate": "yes"}
    engines = (world.services.engine, world.store.secrets.engine)
    with heard.of(*engines) as texts:
        sent = client.post("/requests", data=fields)
    found = list(texts)
    while jobs := waiting(world):
        for job in jobs:
            with heard.of(*engines) as texts:
                assert run_along(world.ctx, job, lambda what, job, error: None)
            found += texts
    assert world.get(sent.headers["Location"].rsplit("/", 1)[1]).state is State.SUPPLIED
    assert len(world.post.letters) == before + 1
    return found


def limited(world: World) -> World:
    """The world under an agreement that counts copies of each reader."""
    world.load(LIMITED.format(most=500, per="reader", effect="deny"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    world.ctx.store.secrets.find("nobody")  # type: ignore[attr-defined]  # makes the table of secrets, once for ever
    return world


@pytest.fixture
def counted(either: World) -> World:
    """A world on each database under an agreement with a limit."""
    return limited(either)


def test_a_delivery_takes_few_statements_and_no_more_after_a_long_history(counted: World) -> None:
    first, repeated = supply(counted, counted.reader), supply(counted, counted.other)
    for number in range(12):
        counted.ask(counted.reader, title=f"Another work {number}", container="A journal", year="2020")
        counted.work()
        supply(counted, counted.reader)
    after = supply(counted, counted.other)

    assert len(first) <= FIRST, f"{len(first)}\n" + "\n".join(first)
    assert len(repeated) <= REPEATED, f"{len(repeated)}\n" + "\n".join(repeated)
    assert len(after) <= REPEATED, f"{len(after)}\n" + "\n".join(after)


def test_a_copy_that_is_drawn_for_a_later_check_takes_no_statement_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    supply(limited(world), world.reader)
    counts = []
    for drawn in (False, True):
        monkeypatch.setattr(preparing, "is_drawn", lambda number, drawn=drawn: drawn)
        counts.append(len(supply(world, world.other)))

    assert counts[0] == counts[1] <= REPEATED
    with world.store.read() as work:
        assert any(line.kind == CHECK for line in work.jobs.lines(world.clock()))


def test_a_delivery_takes_few_calls_to_the_bucket(s3: S3Server, tmp_path: Path, collection: Path) -> None:
    world = limited(make_world(tmp_path / "home", collection, **s3_settings(s3)))
    calls: list[str] = []
    world.ctx.blobs._client.meta.events.register(  # type: ignore[attr-defined]
        "before-send.s3", lambda request, **_: calls.append(f"{request.method} {request.url}")
    )
    supply(world, world.reader)
    first = list(calls)
    supply(world, world.other)
    repeated = calls[len(first) :]
    world.close()

    assert 0 < len(first) <= CALLS, first
    assert 0 < len(repeated) <= CALLS, repeated
