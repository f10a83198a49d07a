"""Runs the soak part by part: python -m tests.soak [--only F1,F7] [--again] [--table]

What has passed at this commit is not run again; stop it whenever you like (control-C) and start it again. First it says how long
it will take. Exit 1 where a part failed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.soak.diary import Diary, Outcome, table
from tests.soak.parts import PARTS, ROOT, Part

FIGURES = re.compile(
    r"^.*?((?:\d[\d,]* (?:kills|rounds|calls|restarts|files)|\w+: \d+ times|(?:ledger|naive): |\d+ (?:passed|failed)).*)$"
)
"""Lines in which a part tells what it did."""


def commit_of(root: Path) -> str:
    """The commit that is checked out, with a plus where files differ from it."""
    words = ("git", "-C", str(root))
    name = subprocess.check_output([*words, "rev-parse", "--short=10", "HEAD"], text=True).strip()
    changed = subprocess.check_output([*words, "status", "--porcelain", "--untracked-files=no"], text=True).strip()
    return name + ("+" if changed else "")


def run(part: Part, log: Path) -> Outcome:
    """Run one part to its end; its output goes into ``log``."""
    start = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "HYPOTHESIS_PROFILE": "soak", "PYTHONUNBUFFERED": "1"}
    command = [*part.command, *(["-rP"] if "pytest" in part.command else [])]
    with log.open("wb") as output:
        code = subprocess.call(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    ended = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    return Outcome(part.name, code == 0, round(time.monotonic() - start, 1), ended, figures(log))


def figures(log: Path) -> str:
    """The lines in which a part told what it did, and how it closed."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    told = [found[1].strip(" =") for line in lines if (found := FIGURES.match(line.strip(" =")))]
    return "; ".join(dict.fromkeys(told))[:600].replace("|", "/")


def soak(parts: Sequence[Part], diary: Diary, folder: Path) -> bool:
    """Run what has not passed yet; whether all parts are good now."""
    done = diary.outcomes()
    left = [part for part in parts if part.name not in done or not done[part.name].good]
    minutes = sum(part.minutes for part in left)
    print(
        f"{len(parts) - len(left)} of {len(parts)} parts have passed at this commit; {len(left)} are left, about {minutes:.0f} minutes."
    )
    for part in left:
        print(f"{part.name}: {part.injects}, about {part.minutes:.0f} minutes ...", end=" ", flush=True)
        outcome = run(part, folder / f"{part.name}.log")
        diary.add(outcome)
        done[part.name] = outcome
        print(f"{'good' if outcome.good else 'FAILED'} after {outcome.seconds / 60:.1f}: {outcome.closing}", flush=True)
    return all(done[part.name].good for part in parts)


def main() -> int:
    """Run, or print the table of what has been run."""
    wish = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    wish.add_argument("--only", default="", help="parts by name, with commas")
    wish.add_argument("--again", action="store_true", help="forget what has passed at this commit")
    wish.add_argument("--table", action="store_true", help="run nothing; print what has been run as a table")
    chosen = wish.parse_args()
    names = [name for name in chosen.only.split(",") if name]
    unknown = set(names) - {part.name for part in PARTS}
    if unknown:
        wish.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(part.name for part in PARTS)}")
    parts = [part for part in PARTS if not names or part.name in names]
    commit = commit_of(ROOT)
    folder = ROOT / "var" / "soak" / commit
    diary = Diary(folder / "diary.jsonl")
    if chosen.again:
        (folder / "diary.jsonl").unlink(missing_ok=True)
    if chosen.table:
        print(table(commit, [(part.name, part.injects) for part in parts], diary.outcomes()))
        return 0
    good = soak(parts, diary, folder)
    print(table(commit, [(part.name, part.injects) for part in parts], diary.outcomes()))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
