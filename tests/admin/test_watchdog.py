"""When a worker takes the broker for silent, and when for deaf."""

from __future__ import annotations

import threading
import time

from admin.watchdog import Hearing, LoneWork, Watchdog


def test_a_job_that_is_due_for_seconds_is_done_without_a_ring() -> None:
    dog = Watchdog()

    assert dog.look(100, [7], 100) is Hearing.GOOD
    assert dog.look(104, [7], 100) is Hearing.GOOD
    assert dog.look(105.1, [7], 100) is Hearing.ALONE


def test_while_the_broker_brings_jobs_a_long_queue_is_no_silence() -> None:
    dog = Watchdog()
    for second in range(100, 200):
        with dog.brought(second):
            pass
        assert dog.look(second + 0.5, [1, 2, 3], second) is Hearing.GOOD


def test_who_is_at_work_is_not_deaf() -> None:
    dog = Watchdog()
    dog.look(100, [7], 100)

    with dog.brought(101):
        assert dog.look(400, [8, 9], 399) is Hearing.GOOD


def test_rings_that_were_taken_and_bring_nothing_for_half_a_minute_mean_deafness() -> None:
    dog = Watchdog()
    dog.look(100, [7], 100)
    dog.look(110, [7], 100)

    assert dog.look(129, [7], 129) is Hearing.ALONE
    assert dog.look(130.1, [7], 129) is Hearing.DEAF


def test_a_broker_that_takes_no_rings_is_away_and_no_reason_to_begin_anew() -> None:
    dog = Watchdog()
    dog.look(100, [7], 0.0)

    assert dog.look(900, [7], 0.0) is Hearing.ALONE


def test_a_job_that_others_took_leaves_no_suspicion() -> None:
    dog = Watchdog()
    dog.look(100, [7], 100)
    dog.look(101, [], 100)

    assert dog.look(500, [8], 100) is Hearing.GOOD


def test_lone_work_does_all_that_is_due_and_stops() -> None:
    left, done, lock = list(range(20)), [], threading.Lock()

    def due(limit: int) -> list[int]:
        return left[:limit]

    def run(job: int) -> None:
        with lock:
            left.remove(job)
            done.append(job)

    lone = LoneWork(due, run, 3)
    lone.start()
    for _ in range(500):
        if not lone.busy:
            break
        time.sleep(0.01)

    assert sorted(done) == list(range(20))
    assert not lone.busy
