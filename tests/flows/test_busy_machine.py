"""A machine that is too busy to work on documents: nobody's copy and nobody's file pays for it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from admin.pdf_works import SandboxedPdfWorks
from delivery.jobs import CHECK, NewJob
from delivery.lifecycle import State
from delivery.services.working import run_job, sweep
from drm.pdf import sandbox
from drm.pdf.values import Limits
from tests.flows.test_masters import supplied
from tests.world import World


@contextmanager
def busy(world: World) -> Iterator[None]:
    """Nothing comes to an end in time, and whoever works has too little of the processor."""
    usual = world.ctx
    world.ctx = replace(usual, pdf=SandboxedPdfWorks(Limits(wall_seconds=0.01)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "BUSY", math.inf)
        yield
    world.ctx = usual


def tried(world: World) -> list[str]:
    """Work on what is due; what went wrong."""
    wrong: list[str] = []
    while due := sweep(world.ctx):
        for job_id in due:
            run_job(world.ctx, job_id, lambda what, job, error: wrong.append(str(error)) if error else None)
    return wrong


def test_a_document_waits_for_a_better_time_and_is_then_delivered(world: World) -> None:
    number = world.ask().number
    with busy(world):
        wrong = tried(world)
        waiting = world.get(number)
    world.clock.move(timedelta(minutes=2))
    world.work()

    assert len(wrong) == 1
    assert "too busy" in wrong[0]
    assert (waiting.state, world.get(number).state) == (State.PREPARING, State.SUPPLIED)
    assert "request:file_rejected" not in world.kinds(number)


def test_a_document_that_never_comes_to_an_end_is_a_persons_after_ten_tries(world: World) -> None:
    number, wrong = world.ask().number, []
    with busy(world):
        for _ in range(12):
            wrong += tried(world)
            world.clock.move(timedelta(minutes=30))

    assert len(wrong) == 10
    assert world.get(number).state is State.AT_DESK


def test_the_later_check_of_a_copy_comes_to_no_verdict(world: World) -> None:
    delivery = supplied(world)
    with world.store.write() as work:
        work.jobs.add(NewJob(CHECK, f"check:{delivery.number}", {"delivery": delivery.number}), world.clock())
    with busy(world):
        wrong = tried(world)
        told = world.kinds(delivery.request)
    world.clock.move(timedelta(minutes=2))
    world.work()

    assert len(wrong) == 1
    assert "copy:checked" not in told
    assert world.kinds(delivery.request)[-1] == "copy:checked"
    assert world.delivery(delivery.request) == delivery
