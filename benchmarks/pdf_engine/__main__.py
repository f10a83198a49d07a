"""Measures the PDF engine: python -m benchmarks.pdf_engine [--smoke] [--huge] [--reference] [--only E1,E6]."""

from __future__ import annotations

import argparse
import sys

from benchmarks.pdf_engine.running import run
from benchmarks.report import failing, table


def main() -> int:
    """Print the table; exit 1 where a bar that binds is missed, or a whole run left one out."""
    wish = argparse.ArgumentParser()
    wish.add_argument("--smoke", action="store_true")
    wish.add_argument("--huge", action="store_true")
    wish.add_argument("--reference", action="store_true")
    wish.add_argument("--only", default="")
    chosen = wish.parse_args()
    rows = run(chosen.smoke, chosen.huge, chosen.reference, [part for part in chosen.only.split(",") if part])
    print(table(rows))
    return 1 if failing(rows, chosen.smoke) else 0


if __name__ == "__main__":
    sys.exit(main())
