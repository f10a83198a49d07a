"""The fork server: forks a guard for each job, and the guard forks the child that touches the file."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1
CLONE_NEWNET = 0x40000000
OPEN_FILES = 64
NEARLY_ALL = 0.5
MOST_OUTPUT = 64 * 1024 * 1024
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Serve jobs until the parent is gone."""
    _end_with(os.getppid())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; we end when our parent does
    commands = socket.socket(fileno=int(sys.argv[1]))
    from drm.pdf import sandbox_tasks

    sandbox_tasks.warm_up()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    commands.sendall(b"r")
    while True:
        message, descriptors, _, _ = socket.recv_fds(commands, 1, 1)
        if not message:
            return
        for descriptor in descriptors:
            server = os.getpid()
            if os.fork() == 0:
                commands.close()
                _guard(socket.socket(fileno=descriptor), server)
            os.close(descriptor)


def _end_with(parent: int) -> None:
    """End with the parent (prctl(2)); at once when it has gone already."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _guard(answer: socket.socket, server: int) -> NoReturn:
    """Run the job in a child, watch its time, and tell how it ended."""
    try:
        _end_with(server)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        job = json.loads(_all(answer))
        ended, used = _watched(job)
        spent = used.ru_utime + used.ru_stime
        answer.sendall(json.dumps({**ended, "spent": spent}).encode())
    except (OSError, ValueError):
        pass
    finally:
        os._exit(0)


def _all(source: socket.socket) -> bytes:
    data = bytearray()
    while piece := source.recv(65_536):
        data += piece
    return bytes(data)


def _watched(job: dict[str, Any]) -> tuple[dict[str, Any], resource.struct_rusage]:
    """How the job ended, or its value, and what it used."""
    reading, writing = os.pipe()
    guard = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(job, writing, guard)
    os.close(writing)
    data, late = _collect(reading, time.monotonic() + float(job["limits"]["wall_seconds"]))
    if late:
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(child, signal.SIGKILL)
    _, status, used = os.wait4(child, 0)
    if late:
        return {"end": "timeout", "late": True}, used
    if os.WIFSIGNALED(status):
        return {"end": _killed(status, used, int(job["limits"]["memory_bytes"]))}, used
    try:
        content = json.loads(data)
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {"end": "crashed"}, used


def _killed(status: int, used: resource.struct_rusage, memory_bytes: int) -> str:
    # A library that gets no more memory may end the process, not raise an error.
    if used.ru_maxrss * 1024 > NEARLY_ALL * memory_bytes:
        return "memory"
    return "timeout" if os.WTERMSIG(status) == signal.SIGXCPU else "crashed"


def _collect(reading: int, end: float) -> tuple[bytes, bool]:
    data = bytearray()
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return bytes(data), True
        piece = os.read(reading, 65_536)
        if not piece:
            return bytes(data), False
        data += piece


def _child(job: dict[str, Any], writing: int, guard: int) -> NoReturn:
    """Do the task under limits and write its answer. Leaves without cleaning up: nothing of the parent's may run here."""
    code = 0
    try:
        os.setsid()
        _end_with(guard)
        _close_all_but({0, 1, 2, writing})
        _limit(job)
        from drm.pdf import sandbox_tasks

        answer = sandbox_tasks.perform(job["task"], job["arguments"], job["limits"])
        os.write(writing, b"")
        data = json.dumps(answer).encode()
        while data:
            data = data[os.write(writing, data) :]
    except MemoryError:
        os.write(writing, b'{"end": "memory"}')
    except OSError as error:
        os.write(writing, json.dumps({"errno": error.errno or 0, "text": error.strerror or ""}).encode())
    except BaseException:  # noqa: BLE001 - whatever went wrong, the guard must see an end and nothing else
        code = 1
    finally:
        os._exit(code)


def _close_all_but(kept: set[int]) -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                continue


def _limit(job: dict[str, Any]) -> None:
    limits = job["limits"]
    most = max(MOST_OUTPUT, 4 * int(job["arguments"].get("source_bytes", 0)))
    cpu = int(limits["cpu_seconds"])
    for kind, value in (
        (resource.RLIMIT_AS, int(limits["memory_bytes"])),
        (resource.RLIMIT_FSIZE, most),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 2))
    _libc.unshare(CLONE_NEWNET)  # refused without the right to: then the empty environment and no sockets must do


if __name__ == "__main__":
    main()
