"""Every hostile file becomes a sound copy or is refused for the right reason, in either engine, and calls nobody."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.hostile.catalogue import HOSTILE, POISON, classes
from tests.hostile.drafts import CANARY_HOST, CANARY_PORT, Hostile
from tests.hostile.judging import ENGINES, judged
from tests.hostile.watching import descendants, fork_server

pytestmark = pytest.mark.filterwarnings("ignore")
CLASSES = classes(HOSTILE)


@contextmanager
def listening(host: str) -> Iterator[socket.socket]:
    """Listens at the port of the files; several runs may listen at once."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, CANARY_PORT))
        listener.listen()
        listener.setblocking(False)
        yield listener


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """Listens where the files say that somebody shall call."""
    with listening(CANARY_HOST) as listener:
        yield listener


def is_called(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def wrong(files: list[Hostile], engine: str) -> list[str]:
    return [str(outcome) for outcome in (judged(one, engine) for one in files) if outcome.wrong]


def test_there_are_enough_files_and_no_two_are_alike() -> None:
    files = [one.make() for one in HOSTILE]

    assert len(set(files)) == len(files) >= 200
    assert len({(one.kind, one.name) for one in HOSTILE}) == len(files)
    assert len({(one.kind, one.name) for one in POISON}) == len(POISON) >= 40


def test_the_canary_would_be_heard() -> None:
    # At an address of its own: the call could be another run's to hear, which would then take a file for the caller.
    with listening(f"127.0.{os.getpid() % 250 + 1}.{os.getpid() // 250 % 250 + 1}") as listener:
        socket.create_connection(listener.getsockname()).close()

        assert is_called(listener)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", CLASSES)
def test_a_file_is_delivered_whole_or_refused_for_the_right_reason(
    kind: str, engine: str, canary: socket.socket
) -> None:
    # Here each file by one engine; make soak takes all of them by both.
    files = CLASSES[kind][list(ENGINES).index(engine) :: len(ENGINES)]

    found = wrong(files, engine)

    assert not found, "\n".join(["", *found])
    assert not is_called(canary)


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", CLASSES)
def test_every_file_is_right_in_either_engine(kind: str, engine: str, canary: socket.socket) -> None:
    found = wrong(CLASSES[kind], engine)

    assert not found, "\n".join(["", *found])
    assert not is_called(canary)


def test_no_child_is_left_behind() -> None:
    for one in HOSTILE[:10]:
        judged(one, "rewrite")
    end = time.monotonic() + 20
    while descendants(fork_server()) and time.monotonic() < end:
        time.sleep(0.05)

    assert descendants(fork_server()) == []
