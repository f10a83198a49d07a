"""Runs all parts of the benchmark of the PDF engine, one after the other."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.pdf_engine import copies, corpus, hostile, names, preparations
from benchmarks.pdf_engine.nursery import Nursery
from benchmarks.pdf_engine.peers import warm_peers
from benchmarks.pdf_engine.plan import Plan
from benchmarks.pdf_engine.rows import Row, shown
from drm.pdf import sandbox_tasks

WORKERS = 2
PARTS: dict[str, Callable[[Plan], Iterable[Row]]] = {
    "E1 E1b E2 E3 E4 E5": copies.rows,
    "E6 E16 E20": preparations.rows,
    "E7 E16": preparations.rest,
    "E13 E15 E18": names.rows,
    "E17": hostile.rows,
}
CORPUS = "E8 E9 E10 E11 E12"


def run(smoke: bool, huge: bool = False, reference: bool = False, only: Sequence[str] = ()) -> list[Row]:
    """All rows, or those of the parts that hold one of ``only``."""
    nursery = Nursery(
        sandbox_tasks.warm_up
    )  # before anything else is loaded: its children are as small as the sandbox's
    judges = [Nursery(_warm_all) for _ in range(WORKERS)]
    sandbox_tasks.warm_up()
    warm_peers()
    kept = Path("var", "benchmarks", "documents").absolute()
    kept.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=kept.parent))
    found: list[Row] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # peers' own
            plan = Plan(smoke, huge, reference, kept, folder, nursery)
            for ids, part in PARTS.items():
                if not only or set(ids.split()) & set(only):
                    found += shown(part(plan))
            if not only or set(CORPUS.split()) & set(only):
                found += shown(corpus.rows(smoke, judges))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for one in (nursery, *judges):
            one.close()
    return sorted(found, key=_place)


def _warm_all() -> None:
    sandbox_tasks.warm_up()
    warm_peers()


def _place(row: Row) -> tuple[int, str]:
    number = row.id[1:].rstrip("b")
    return int(number), row.id
