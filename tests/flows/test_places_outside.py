"""What places outside tell of a log that was set back or rewritten, and what is not taken for their word."""

from __future__ import annotations

import random
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from admin.log_wiring import check_log
from delivery.services.asking_places import Trouble
from delivery.services.witnessing import give_checkpoints, seen_before, seen_outside
from drm.audit.chain import LogVerdict
from drm.audit.checkpoints import Checkpoint
from drm.audit.notes import Signer
from drm.audit.tree import EMPTY
from drm.audit.witnessing import cosignature_from, write_submission
from fetchers.log_witness import WitnessPlace
from tests.flows.test_log import events, execute, sign
from tests.flows.witness_server import AGENT, STRANGER, Told, answering, uses, witnessing
from tests.storage.log_forging import Forger
from tests.world import World, make_world

SIZE = "text/x.tlog.size"


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path / "witness", Path())
    yield made
    made.close()


@contextmanager
def witnessed(world: World, witness: World, size: int) -> Iterator[WitnessPlace]:
    """A log of so many events, signed, and a witness that is asked about it."""
    events(world, size)
    sign(world)
    with witnessing(witness, world) as place:
        uses(world, place)
        yield place


def checked(world: World) -> tuple[LogVerdict, dict[str, Trouble]]:
    """What the check says of a log after all places were asked."""
    known, troubles = seen_outside(world.ctx)
    log = world.ctx.log
    verdict = check_log(world.store, world.services.audit_log, log.keys, known, witnesses=log.witnesses)
    return verdict, troubles


def rewritten(world: World, size: int) -> None:
    """One event of the first ``size`` says something else, and everything is computed and signed anew, with all keys."""
    world.services.engine.dispose()
    with closing(sqlite3.connect(world.services.settings.home / "rushlight.db", isolation_level=None)) as database:
        signer = world.ctx.log.keys.signer(world.clock())
        triggers = database.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        Forger(database, world.services.keys.audit, signer, size, random.Random(5)).recompute_all()
        for (trigger,) in triggers:
            database.execute(trigger)
    world.services.settings.head_file.unlink()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, "text/plain"),
        (400, "text/plain"),
        (403, "text/plain"),
        (404, "text/plain"),
        (409, "text/plain"),
        (429, "text/plain"),
        (502, "text/x.tlog.size"),
    ],
)
def test_a_witness_that_answers_with_an_error_has_said_nothing(world: World, status: int, kind: str) -> None:
    events(world, 5)
    sign(world)
    with answering(Told([(status, kind, b"5\n")])) as place:
        uses(world, place)
        _, troubles = seen_outside(world.ctx)
        given = give_checkpoints(world.ctx)

    assert set(troubles) == set(given) == {place.name}


def test_a_witness_shows_that_the_log_was_rewritten_with_every_key(world: World, witness: World) -> None:
    with witnessed(world, witness, 300) as place:
        assert give_checkpoints(world.ctx) == {}
        assert checked(world) == (LogVerdict(True, 300), {})
        rewritten(world, 300)
        execute(world, "DROP TRIGGER audit_cosignatures_no_delete", "DELETE FROM audit_cosignatures")

        verdict, troubles = checked(world)

    assert verdict.whole
    assert troubles[place.name].differs
    assert "another log of 300 events" in str(troubles[place.name])


def test_a_witness_is_shown_that_the_log_continues_what_it_saw(world: World, witness: World) -> None:
    with witnessed(world, witness, 300):
        give_checkpoints(world.ctx)
        events(world, 20)
        sign(world)
        assert checked(world) == (LogVerdict(True, 320), {})
        # It has seen more by now than our record says, for it was asked.
        events(world, 20)
        sign(world)
        assert checked(world) == (LogVerdict(True, 340), {})
        assert give_checkpoints(world.ctx) == {}


def test_a_log_that_was_rewritten_and_grew_is_refused_and_the_refusal_stays_a_finding(
    world: World, witness: World
) -> None:
    with witnessed(world, witness, 300) as place:
        give_checkpoints(world.ctx)
        rewritten(world, 300)
        events(world, 20)
        sign(world)

        assert "does not continue" in give_checkpoints(world.ctx)[place.name]
        assert "does not continue" in str(checked(world)[1][place.name])

    # Also when nobody can be asked any more.
    assert checked(world)[1][place.name].differs
    assert seen_before(world.ctx)[1][place.name].differs


def test_a_kept_cosignature_shows_that_its_checkpoint_was_replaced(world: World, witness: World) -> None:
    with witnessed(world, witness, 300) as place:
        give_checkpoints(world.ctx)
    rewritten(world, 300)

    log = world.ctx.log
    verdict = check_log(world.store, world.services.audit_log, log.keys, witnesses=log.witnesses)

    assert (verdict.whole, verdict.first_bad) == (False, 1)
    assert f"what {place.name} signed over 300 events is not the checkpoint" in verdict.problem


def test_a_witness_that_saw_a_log_which_is_gone_says_so_before_anything_is_signed_anew(
    world: World, witness: World
) -> None:
    with witnessed(world, witness, 5) as place:
        give_checkpoints(world.ctx)
        execute(world, "DROP TRIGGER audit_checkpoints_no_delete", "DELETE FROM audit_checkpoints")
        execute(world, "DELETE FROM audit_places")

        _, troubles = checked(world)

    assert troubles[place.name].differs
    assert "5 events" in str(troubles[place.name])


@pytest.mark.parametrize(
    ("answers", "differs"),
    [
        ([(409, SIZE, b"3\n"), (409, SIZE, b"3\n")], True),
        ([(409, SIZE, b"3\n"), (422, "text/plain", b"")], True),
        ([(409, SIZE, b"3\n"), (502, "text/plain", b"")], False),
        ([(409, SIZE, b"3\n"), (200, "text/plain", b"rubbish\n")], False),
        ([(200, "text/plain", STRANGER.line(b"another\n", 1).encode())], False),
        ([(409, SIZE, "\u0663\n".encode())], False),
    ],
)
def test_only_a_contradiction_counts_as_one(world: World, answers: list[tuple[int, str, bytes]], differs: bool) -> None:
    events(world, 5)
    sign(world)
    with answering(Told(answers)) as place:
        uses(world, place)

        _, troubles = checked(world)

    assert troubles[place.name].differs == differs


@pytest.mark.parametrize(("more", "whole"), [(0, False), (10, True)])
def test_a_witness_that_has_seen_more_than_was_signed_is_noticed_even_when_the_log_has_grown_so_long(
    world: World, more: int, whole: bool
) -> None:
    events(world, 5)
    sign(world)
    events(world, more)
    with answering(Told([(409, SIZE, b"9\n")])) as place:
        uses(world, place)

        verdict, troubles = checked(world)

    assert verdict.whole == whole
    assert whole == (place.name in troubles)


OTHER = Signer("other.example/log", b"o" * 32)


def asked(witness: World, note: bytes) -> tuple[int, bytes]:
    """What a witness of the log of somebody else answers, over HTTP as it goes through the app."""
    witness.ctx = replace(witness.ctx, log=replace(witness.ctx.log, witnessed=(OTHER.verifier,)))
    answer = witness.reader_app().test_client().post("/log/add-checkpoint", data=write_submission(0, [], note))
    return answer.status_code, answer.data


def test_a_cosignature_covers_the_lines_that_another_log_adds_to_its_checkpoint(witness: World) -> None:
    text = Checkpoint(OTHER.name, 3, EMPTY).text + b"a line of its own\n"
    note = text + b"\n" + OTHER.line(text).encode()

    status, line = asked(witness, note)

    assert status == 200
    assert cosignature_from(line, note, witness.ctx.log.keys.witness.verifier)


@pytest.mark.parametrize(("size", "status"), [(2**63 - 1, 200), (2**63, 400), (10**19 - 1, 400)])
def test_a_witness_reads_no_size_beyond_what_can_be_kept(witness: World, size: int, status: int) -> None:
    assert asked(witness, Checkpoint(OTHER.name, size, EMPTY).signed(OTHER))[0] == status


def test_a_size_beyond_what_can_be_kept_is_no_answer_of_a_witness(world: World) -> None:
    events(world, 5)
    sign(world)
    with answering(Told([(409, SIZE, b"%d\n" % 2**63)])) as place:
        uses(world, place)

        assert "no size" in str(checked(world)[1][place.name])


def test_a_place_that_never_answers_is_not_waited_for(world: World) -> None:
    events(world, 5)
    sign(world)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/log"
        uses(world, WitnessPlace(url, STRANGER.verifier, AGENT))
        began = time.monotonic()

        _, troubles = seen_outside(world.ctx, 0.1)

    assert time.monotonic() - began < 10
    assert troubles == {STRANGER.name: Trouble("does not answer in time", False)}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("garbage", "cannot be read"),
        ("", "cannot be read"),
        ("\u2014 some/witness AAAAAAAAAAA\n", "cannot be read"),
        ("\u2014 some/witness \u00e9\n", "cannot be read"),
        (STRANGER.line(b"anything\n", 1) * 2, "cannot be read"),
        (STRANGER.line(b"anything\n", 1).strip(), "cannot be read"),
        (STRANGER.line(b"anything\n", 1).replace("partner", "another"), "was signed by another"),
        (STRANGER.line(b"anything\n", 1), "is not the checkpoint"),
    ],
)
def test_what_is_no_line_of_a_witness_is_noticed(world: World, line: str, told: str) -> None:
    events(world, 5)
    sign(world)
    with world.store.write() as work:
        work.tree.add_cosignature(5, STRANGER.name, line, world.clock())

    log = world.ctx.log
    verdict = check_log(world.store, world.services.audit_log, log.keys, witnesses=(STRANGER.verifier,))

    assert not verdict.whole
    assert told in verdict.problem


@pytest.mark.parametrize("left", ["audit_places", "audit_cosignatures", ""])
def test_checkpoints_that_were_removed_are_missed_where_a_place_was_given_them(
    world: World, witness: World, left: str
) -> None:
    with witnessed(world, witness, 5):
        give_checkpoints(world.ctx)
    execute(world, *(f"DROP TRIGGER audit_{name}_no_delete" for name in ("checkpoints", "cosignatures")))
    for table in {"audit_checkpoints", "audit_places", "audit_cosignatures"} - {left}:
        execute(world, f"DELETE FROM {table}")
    events(world, 5)
    sign(world)

    # Where not even the record of a place is left, only the places themselves can tell.
    assert world.ctx.check_log().whole == (not left)
