"""A worker command that is started again, by a fork, whenever it was killed: what systemd does, without importing all anew.

python -m tests.faults.nursery
"""

from __future__ import annotations

import os
import signal
import sys

import admin.worker_process  # noqa: F401 - what a worker imports, once for all of them
from admin.cli import rushlight
from admin.serving import die_with_parent


def main() -> int:
    """Fork workers until one ends in another way than by kill -9."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = os.getpid()
    while True:
        child = os.fork()
        if child == 0:
            die_with_parent(parent)
            rushlight(["worker"])
        _, status = os.waitpid(child, 0)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            return 1


if __name__ == "__main__":
    sys.exit(main())
