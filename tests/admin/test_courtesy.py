"""Jobs stand back while a rush of requests is answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from admin.courtesy import FEW, Courtesy

LONG = 30.0


def nobody(status: str, headers: object, error: object = None) -> Any:
    """Hears what an app says of its answer."""


class Held:
    """An app whose answers wait until they are let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.here = threading.Semaphore(0)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """WSGI."""
        self.here.release()
        assert self.go.wait(LONG)
        return [b""]


@contextmanager
def under_way(courtesy: Courtesy, count: int, method: str = "POST") -> Iterator[Held]:
    """So many requests that are being answered."""
    app = Held()
    counted = courtesy.around(app)
    with ThreadPoolExecutor(count) as pool:
        asked = [pool.submit(counted, {"REQUEST_METHOD": method}, nobody) for _ in range(count)]
        for _ in range(count):
            assert app.here.acquire(timeout=LONG)
        try:
            yield app
        finally:
            app.go.set()
            for one in asked:
                one.result()


def test_a_job_waits_while_many_requests_are_answered_and_goes_on_after_them() -> None:
    courtesy, went = Courtesy(LONG), threading.Event()

    def work() -> None:
        courtesy.stand_back()
        went.set()

    with under_way(courtesy, FEW + 1) as app:
        job = threading.Thread(target=work)
        job.start()
        assert not went.wait(0.2)
        app.go.set()
        assert went.wait(LONG)
    job.join()


def test_a_job_does_not_wait_for_ever() -> None:
    courtesy = Courtesy(0.1)
    with under_way(courtesy, FEW + 1):
        began = time.monotonic()
        courtesy.stand_back()
        assert time.monotonic() - began >= 0.1


@pytest.mark.parametrize(("count", "method"), [(FEW, "POST"), (3 * FEW, "GET"), (3 * FEW, "HEAD")])
def test_few_requests_and_such_as_only_read_let_no_job_wait(count: int, method: str) -> None:
    courtesy = Courtesy(LONG)
    with under_way(courtesy, count, method):
        began = time.monotonic()
        courtesy.stand_back()
        assert time.monotonic() - began < LONG / 2


def test_a_request_that_fails_is_no_longer_under_way() -> None:
    courtesy = Courtesy(LONG)

    def broken(environ: object, start_response: object) -> Iterable[bytes]:
        raise ValueError

    for _ in range(FEW + 1):
        with pytest.raises(ValueError):
            courtesy.around(broken)({"REQUEST_METHOD": "POST"}, nobody)
    with under_way(courtesy, FEW):
        courtesy.stand_back()
