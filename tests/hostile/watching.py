"""What the children of the sandbox take while a job runs, read from /proc by a thread that looks again and again."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from drm.pdf import sandbox

TICKS = os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> list[int]:
    """All processes below one."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        try:
            words = Path(f"/proc/{one}/task/{one}/children").read_text(encoding="ascii").split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found += [int(word) for word in words]
        waiting += [int(word) for word in words]
    return found


def fork_server() -> int:
    """The process id of this process's fork server; 0 before it is started."""
    process = sandbox._server._process
    return process.pid if process is not None else 0


@dataclass
class Watch:
    """Seconds of processor time of all children together, and the most memory that one of them had, in MiB."""

    cpu_by_child: dict[int, float] = field(default_factory=dict)
    peak_mib: float = 0.0
    _done: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    @property
    def cpu(self) -> float:
        return sum(self.cpu_by_child.values())

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        assert self._thread is not None
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.02):
            for child in descendants(fork_server()) if fork_server() else ():
                self._note(child)

    def _note(self, child: int) -> None:
        try:
            words = Path(f"/proc/{child}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
            status = Path(f"/proc/{child}/status").read_text(encoding="ascii", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return
        self.cpu_by_child[child] = (int(words[11]) + int(words[12])) / TICKS
        peak = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
        self.peak_mib = max(self.peak_mib, *(kib / 1024 for kib in peak), 0.0)
