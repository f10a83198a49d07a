"""Plants the seeded bugs one by one in a copy of the tree and runs the tests that must see each.

    python -m tests.mutations [--all | --some N | --only WORD] [--at-once N] [--known-good]

``--some N`` takes N of them, others each day; ``--at-once N`` works in so many trees at the same time. Exit 1 when a bug is not
caught, or when the tests fail without any bug; ``--known-good`` leaves that to whoever runs all tests beside it.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from compileall import compile_dir
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import SimpleQueue

from tests.mutations.bug import Bug
from tests.mutations.catalogue import BUGS

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("admin", "delivery", "deploy", "docs", "drm", "fetchers", "storage", "tests")
SECONDS = 300


def copied(into: Path) -> Path:
    """A copy of the packages and of what pytest reads."""
    for package in PACKAGES:
        ignore = shutil.ignore_patterns("__pycache__", "*.ttf")
        shutil.copytree(ROOT / package, into / package, ignore=ignore)
    # Fonts are large and no bug lies in them.
    for font in (ROOT / "drm" / "pdf" / "fonts").glob("*.ttf"):
        (into / "drm" / "pdf" / "fonts" / font.name).symlink_to(font)
    shutil.copy(ROOT / "setup.cfg", into / "setup.cfg")
    # Each of the many processes that the tests start would compile all of it again. By hash: a bug may keep size and second.
    compile_dir(into, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    return into


def plant(tree: Path, bug: Bug) -> str:
    """Put a bug into the tree; returns the file as it was. SystemExit when its place is not found exactly once."""
    path = tree / bug.file
    text = path.read_text(encoding="utf-8")
    if text.count(bug.old) != 1:
        sys.exit(f"{bug.name}: {bug.file} holds {bug.old!r} {text.count(bug.old)} times; mend the catalogue")
    path.write_text(text.replace(bug.old, bug.new), encoding="utf-8")
    return text


def passes(tree: Path, tests: Sequence[str], seconds: int = SECONDS) -> bool:
    """Whether the tests pass in the tree within so many seconds. They import from it: the working folder comes first on the path."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        *tests,
    ]
    try:
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return False
    # A bug that keeps the tests from being read at all is none that anybody would overlook: it has to be seeded better.
    if done.returncode not in {0, 1}:
        sys.exit(f"pytest could not run {tests}: {done.stdout.decode()[-2000:]}")
    return done.returncode == 0


def chosen(options: argparse.Namespace) -> Sequence[Bug]:
    """All bugs, those whose name holds a word, or some in rotation."""
    if options.only:
        return [bug for bug in BUGS if options.only in bug.name]
    if options.all:
        return BUGS
    first = datetime.datetime.now(datetime.UTC).toordinal() * options.some % len(BUGS)
    return [BUGS[(first + place) % len(BUGS)] for place in range(options.some)]


def hunted(trees: SimpleQueue[Path], bug: Bug) -> tuple[Bug, bool]:
    """The bug, and whether its tests caught it in a tree that nobody else has meanwhile."""
    tree = trees.get()
    try:
        before = plant(tree, bug)
        caught = not passes(tree, bug.tests)
        (tree / bug.file).write_text(before, encoding="utf-8")
        return bug, caught
    finally:
        trees.put(tree)


def main() -> int:
    """Plant, run, tell."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--all", action="store_true")
    given.add_argument("--some", type=int, default=5)
    given.add_argument("--only", default="")
    given.add_argument("--at-once", type=int, default=1)
    given.add_argument("--known-good", action="store_true")
    options = given.parse_args()
    bugs, missed = chosen(options), 0
    with tempfile.TemporaryDirectory() as scratch:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(options.at_once):
            trees.put(copied(Path(scratch) / f"tree-{number}"))
        tree, all_tests = trees.get(), sorted({test for bug in bugs for test in bug.tests})
        if not options.known_good and not passes(tree, all_tests, SECONDS * max(1, len(bugs) // 5)):
            print("the tests fail without any bug")
            return 1
        trees.put(tree)
        with ThreadPoolExecutor(options.at_once) as pool:
            for bug, caught in pool.map(partial(hunted, trees), bugs):
                missed += not caught
                print(f"{'caught' if caught else 'NOT CAUGHT'}  {bug.name}", flush=True)
    # The closing line is read by whoever counts tests.
    print(f"{len(bugs) - missed} passed, {missed} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
