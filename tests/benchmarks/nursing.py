"""Lets children of a nursery work, and tells what was counted: python -m tests.benchmarks.nursing."""

from __future__ import annotations

import json
from contextlib import closing

from benchmarks.pdf_engine.nursery import Nursery


def burn() -> int:
    """Work that takes some processor time, and memory that can be seen."""
    return len(b"x" * 50_000_000) + sum(range(1_000_000))


def refuse() -> None:
    """Work that fails."""
    raise ValueError("no")


def main() -> None:
    """Print what the nursery says of a child that does nothing, of one that works and of one that fails."""
    with closing(Nursery(lambda: None)) as nursery:
        idle, busy, error = nursery.live(int), nursery.live(burn), ""
        try:
            nursery.run(refuse)
        except ValueError as raised:
            error = str(raised)
    more, times = busy.peak - idle.peak, {"idle": idle.seconds, "busy": busy.seconds, "all": nursery.seconds}
    print(json.dumps({"value": busy.value, "more": more, "error": error, **times}))


if __name__ == "__main__":
    main()
