"""Warm children whose time and memory can be told: forked from a small process, as the sandbox forks its own.

The sandbox's fork server lets the kernel bury its children, so their time appears in no account (getrusage(2) counts children
that were waited for). And a fork of the benchmark itself would copy the page tables of every peer in it. So a process with
no more in it than that server has is forked first of all; it forks a child for each work and waits for it with wait4(2).
"""

from __future__ import annotations

import os
import pickle
import resource
import struct
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

LENGTH = struct.Struct(">Q")


@dataclass(frozen=True)
class Life:
    """How a child lived: its value, processor seconds with the fork and its end, and its largest resident memory in bytes."""

    value: Any
    seconds: float
    peak: int


class Nursery:
    """Runs works in warm children. ``seconds`` is what all of them took so far."""

    def __init__(self, warm: Callable[[], None]) -> None:
        to_server, to_us = os.pipe(), os.pipe()
        if os.fork() == 0:
            os.close(to_server[1])
            os.close(to_us[0])
            _serve(warm, to_server[0], to_us[1])
        os.close(to_server[0])
        os.close(to_us[1])
        self._out, self._in = os.fdopen(to_server[1], "wb"), os.fdopen(to_us[0], "rb")
        self.seconds = 0.0

    def live(self, work: Callable[..., Any], *arguments: Any) -> Life:
        """Run a function of a module with plain arguments in a child; an exception of it is raised here."""
        _send(self._out, (work, arguments))
        answer = _receive(self._in)
        if answer is None:
            raise ChildProcessError("the nursery of the benchmark is gone")
        value, seconds, peak = answer
        self.seconds += seconds
        if isinstance(value, BaseException):
            raise value
        return Life(value, seconds, peak)

    def run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Only the value."""
        return self.live(work, *arguments).value

    def close(self) -> None:
        """End the process; the end of its input is its signal."""
        self._out.close()
        self._in.close()


def _send(pipe: BinaryIO, value: Any) -> None:
    data = pickle.dumps(value)
    pipe.write(LENGTH.pack(len(data)) + data)
    pipe.flush()


def _receive(pipe: BinaryIO) -> Any:
    head = pipe.read(LENGTH.size)
    return pickle.loads(pipe.read(LENGTH.unpack(head)[0])) if len(head) == LENGTH.size else None


def _serve(warm: Callable[[], None], reading: int, writing: int) -> NoReturn:
    try:
        warm()
        with os.fdopen(reading, "rb") as orders, os.fdopen(writing, "wb") as answers:
            while (order := _receive(orders)) is not None:
                _send(answers, _raised(*order))
    finally:
        os._exit(0)


def _raised(work: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, float, int]:
    before = resource.getrusage(resource.RUSAGE_SELF)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(work, arguments, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    _, status, used = os.wait4(child, 0)
    after = resource.getrusage(resource.RUSAGE_SELF)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    value = pickle.loads(data) if data and not status else ChildProcessError(f"a child ended with status {status}")
    return value, used.ru_utime + used.ru_stime + own, used.ru_maxrss * 1024


def _child(work: Callable[..., Any], arguments: tuple[Any, ...], writing: int) -> NoReturn:
    code = 1
    try:
        try:
            value = work(*arguments)
        except Exception as error:  # noqa: BLE001 - it is raised again where the work was asked for
            value = error
        data = pickle.dumps(value)
        while data:
            data = data[os.write(writing, data) :]
        code = 0
    except BaseException:  # noqa: BLE001 - an end must be seen
        traceback.print_exc()
    finally:
        os._exit(code)


def nothing() -> None:
    """The work of a child that only lives and ends: what forking costs."""
