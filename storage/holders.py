"""Which process holds a job, and whether that process is gone: a restart need not wait for leases to run out."""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path


def _place() -> str:
    """This host since its start, as processes see each other: two containers of one host are two places."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{socket.gethostname()[:60]}/{boot[:13]}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process started, in ticks since boot (proc(5), field 22 of stat); "" when there is none.

    A process id is given out again; together with its start it is not.
    """
    try:
        words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return "" if words[0] == "Z" else words[19]
    except (OSError, IndexError):
        return ""


@lru_cache(maxsize=8)
def _name(pid: int) -> str:
    return f"{_place()}/{pid}/{_started(pid)}"


def this_process() -> str:
    """The name of this process, kept with each job it takes."""
    return _name(os.getpid())


def is_gone(holder: str) -> bool:
    """Whether the holder is certainly dead: a process of this very place that no longer runs. In doubt it lives."""
    place, _, rest = holder.rpartition("/")[0].rpartition("/")
    pid, started = rest, holder.rpartition("/")[2]
    if not place or place != _place() or not pid.isdecimal() or not started:
        return False
    return _started(int(pid)) != started
