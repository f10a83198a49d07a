"""E17: hostile files cost little, end in time, and do not hold up the work on others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread

from benchmarks.pdf_engine import ours
from benchmarks.pdf_engine.plan import Plan
from benchmarks.pdf_engine.rows import FAIL, PASS, Row, absent, counted, milliseconds, percentile
from drm.pdf.inspecting import inspect
from drm.pdf.values import PdfRefused

FILES, SECONDS, MOST_MEMORY = 200, 30.0, 1 << 30
BLOCKS, JOBS = 4, 15
HOLDS_UP = 1.5


def rows(plan: Plan) -> list[Row]:
    """All of them, through the real sandbox, by the clock on the wall."""
    bombs, files = _write(plan.folder / "hostile", plan.smoke)
    taken = {path.name: _seconds(lambda path=path: _prepare(plan, path)) for path in files}  # type: ignore[misc]  # a bound default
    late = [f"{name} {seconds:.0f} s" for name, seconds in taken.items() if seconds > SECONDS]
    worst = max(taken, key=lambda name: taken[name])
    note = f"worst {worst}: {taken[worst]:.1f} s; no child may have more than {ours.LIMITS.memory_bytes >> 20} MiB"
    capped = ours.LIMITS.memory_bytes <= MOST_MEMORY
    found = [
        counted(
            "E17",
            f"of {len(files)} hostile files longer than {SECONDS:.0f} s",
            len(late),
            0,
            "",
            "; ".join([note, *late]),
        ),
        Row(
            "E17",
            "address space of a child",
            f"{ours.LIMITS.memory_bytes >> 20} MiB",
            "",
            "",
            "<= 1024 MiB",
            PASS if capped else FAIL,
        ),
    ]
    what = "another job's p95 beside bombs"
    return [*found, absent("E17", what, "left out of a short run") if plan.smoke else _beside(plan, what, bombs)]


def _write(folder: Path, smoke: bool) -> tuple[list[Path], list[Path]]:
    """The files that the tests make: those that are refused each for a reason, and damaged ones by the hundred."""
    from tests.drm.pdf.bad_files import REFUSED, damaged

    folder.mkdir()
    bombs: list[Path] = []
    others: list[Path] = []
    for number, (name, (make, codes)) in enumerate(REFUSED.items()):
        if smoke and "bomb" in codes:
            continue
        path = folder / f"{number:03}-{name.replace(' ', '-')}.pdf"
        path.write_bytes(make())
        (bombs if "bomb" in codes else others).append(path)
    for name, data in damaged(17, 20 if smoke else FILES):
        path = folder / f"damaged-{name}.pdf"
        path.write_bytes(data)
        others.append(path)
    return bombs, [*bombs, *others]


def _prepare(plan: Plan, path: Path) -> None:
    try:
        ours.prepared(path, plan.folder)
    except PdfRefused:
        return


def _seconds(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def _beside(plan: Plan, what: str, bombs: Sequence[Path]) -> Row:
    """A small job again and again, in blocks alone and beside another thread that prepares one bomb after the other."""
    source = plan.article(14)

    def job() -> object:
        return inspect(source, ours.LIMITS)

    alone, beside = [], []
    job()
    for _ in range(BLOCKS):
        alone += [_seconds(job) for _ in range(JOBS)]
        stop = Event()
        other = Thread(target=_keep_on, args=(plan, bombs, stop))
        other.start()
        beside += [_seconds(job) for _ in range(JOBS)]
        stop.set()
        other.join()
    one, two = percentile(alone, 0.95), percentile(beside, 0.95)
    outcome = PASS if two <= HOLDS_UP * one else FAIL
    note = "by the wall clock: needs a second core that is free"
    return Row(
        "E17",
        what,
        milliseconds(two),
        f"alone {milliseconds(one)}",
        f"{two / one:.2f}x",
        f"<= {HOLDS_UP}x",
        outcome,
        note,
    )


def _keep_on(plan: Plan, bombs: Sequence[Path], stop: Event) -> None:
    folder = plan.folder / "bombs"
    folder.mkdir(exist_ok=True)
    number = 0
    while not stop.is_set():
        try:
            ours.prepared(bombs[number % len(bombs)], folder)
        except PdfRefused:
            number += 1
