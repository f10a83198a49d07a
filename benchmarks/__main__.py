"""Runs every benchmark: python -m benchmarks [--smoke] [--write] [--huge] [--reference] [--only E1,E6]."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import copy_cost, decide, machine
from benchmarks.pdf_engine.rows import Row
from benchmarks.pdf_engine.running import run
from benchmarks.report import failing, page, table
from benchmarks.scale import pages
from benchmarks.serving import bars as serving

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"


def main() -> int:
    """Run all; exit 1 when a bar that binds is missed."""
    wish = argparse.ArgumentParser(prog="make bench ARGS=...")
    wish.add_argument("--smoke", action="store_true", help="a short run on small documents, to see that all works")
    wish.add_argument("--write", action="store_true", help="write docs/performance.md")
    wish.add_argument("--huge", action="store_true", help="also prepare a scan of 1 GB")
    wish.add_argument("--reference", action="store_true", help="let absolute bars bind too")
    wish.add_argument(
        "--only",
        default="",
        help="ids of bars, with commas; S for serving, D for decisions; N, only when named, for pages on a long history",
    )
    chosen = wish.parse_args()
    only = [part for part in chosen.only.split(",") if part]
    started, before = datetime.now(UTC), machine.lines()
    print("\n".join(before), flush=True)
    found = _all(chosen, only)
    after = machine.lines()[-1]
    print(after)
    print(table(found))
    if chosen.write:
        PAGE.write_text(page(found, [*before, f"{after} at the end"], started, sys.argv[1:]), encoding="utf-8")
    bad = failing(found, chosen.smoke)
    print(f"\n{len(found)} rows; {len(bad)} of them do not hold" if bad else f"\n{len(found)} rows; all that bind hold")
    return 1 if bad else 0


def _all(chosen: argparse.Namespace, only: list[str]) -> list[Row]:
    found: list[Row] = []
    if not only or any(part.startswith("E") and part != "E19" for part in only):
        found += run(chosen.smoke, chosen.huge, chosen.reference, only)
    if not only or {"S", "E19"} & set(only):
        found += serving.rows(chosen.smoke)
    if not only or "D" in only:
        found += [Row("-", *row) for row in _told(_older(chosen.smoke))]
    if "N" in only:  # filling takes minutes
        found += [Row("N", *row) for row in _told(pages.run(chosen.smoke))]
    return found


def _older(smoke: bool) -> list[tuple[str, str, str, bool]]:
    """The rows of the benchmarks that tell name, value, bar and outcome only."""
    return [*decide.run(smoke), *copy_cost.run(smoke)]


def _told(rows: Iterable[tuple[str, str, str, bool]]) -> list[tuple[str, str, str, str, str, str]]:
    return [(name, value, "", "", bar, "pass" if good else "FAIL") for name, value, bar, good in rows]


if __name__ == "__main__":
    sys.exit(main())
