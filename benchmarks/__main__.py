"""Runs every benchmark: python -m benchmarks [--smoke]."""

from __future__ import annotations

import sys

from benchmarks import copy_cost, decide


def main() -> int:
    """Run all; exit 1 when a ratio breaks its bar."""
    smoke = "--smoke" in sys.argv[1:]
    results = [*decide.run(smoke), *copy_cost.run(smoke)]
    for name, value, bar, good in results:
        print(f"{'pass' if good else 'FAIL'}  {name:62} {value:22}  bar {bar}")
    return 0 if all(good for *_, good in results) else 1


if __name__ == "__main__":
    sys.exit(main())
