"""Changed files through the inspector and both engines for as long as it is told, keeping what breaks: python -m tests.hostile.fuzz"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from drm.pdf.inspecting import FIELDS, inspect
from drm.pdf.values import REFUSAL_CODES, PdfRefused
from tests.corpus import corpus_files
from tests.hostile.drafts import DELIVERED, Hostile
from tests.hostile.judging import ENGINES, judged_file
from tests.hostile.mutating import mutated, sources

SEEDS = Path(__file__).with_name("seeds")
FOUND = Path(tempfile.gettempdir()) / "rushlight-fuzz"
RIGHT = frozenset(
    {DELIVERED, *REFUSAL_CODES} - {"crashed", "timeout", "active-content", "output-invalid", "stamp-missing"}
)
LARGEST = 30_000


def faults_of(data: bytes, engine: str) -> tuple[str, list[str]]:
    """The outcome for these bytes, and what is wrong with it."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        source, out = Path(folder) / "source.pdf", Path(folder) / "copy.pdf"
        source.write_bytes(data)
        entry = Hostile("fuzz", "fuzz", source.read_bytes, RIGHT, None, unclean=True)
        wrong: list[str] = []
        try:
            report = inspect(source)
            wrong += [f"inspect: no field {name}" for name in FIELDS if name not in report]
            verdict = report["verdict"]
            wrong += (
                [f"inspect: {verdict['code']}"]
                if isinstance(verdict, dict) and verdict["code"] in {"crashed", "timeout"}
                else []
            )
        except PdfRefused as refusal:
            wrong += [f"inspect: {refusal}"] if refusal.code not in RIGHT else []
        except Exception as error:  # noqa: BLE001 - any other error is what is looked for
            wrong.append(f"inspect: {type(error).__name__} {error}")
        outcome = judged_file(entry, engine, source, out)
    # A changed byte makes a script into the data of a font, or an address into a text under a misspelt key: nobody runs or follows
    # these, and what acts is told by its keys. Of the files in the catalogue no marker may be left, whatever it stands in.
    return outcome.code, [*wrong, *(one for one in outcome.wrong if not one.startswith("marker in "))]


def one_round(seed: int, end: float, real: bool) -> tuple[Counter[str], dict[bytes, list[str]]]:
    """Change and judge files until ``end`` (seconds of the monotonic clock)."""
    warnings.simplefilter("ignore")
    chance = random.Random(seed)
    own = sources()
    bases = own + ([path.read_bytes() for path in corpus_files("pdf/**/*.pdf", LARGEST)] if real else [])
    counts: Counter[str] = Counter()
    found: dict[bytes, list[str]] = {}
    parent = os.getppid()
    while time.monotonic() < end:
        if os.getppid() != parent:
            os._exit(1)  # Whoever kills the run means its children too, which would wait for more work for ever.
        number = chance.randrange(len(bases))
        data = mutated(chance, bases[number])
        code, wrong = faults_of(data, chance.choice(list(ENGINES)))
        counts[code] += 1
        if wrong:
            found[data] = wrong
            # A changed file of the corpus stays outside the repository: it has an owner.
            kept = (SEEDS if number < len(own) else FOUND) / f"{hashlib.sha256(data).hexdigest()[:16]}.pdf"
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(data)
            print(kept, wrong[:2], flush=True)
    return counts, found


def main() -> int:
    """Fuzz; 1 where something broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--without-corpus", action="store_true")
    given = parser.parse_args()
    end, total, broken = time.monotonic() + given.minutes * 60, Counter[str](), 0
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        rounds = [
            pool.submit(one_round, given.seed + number, end, not given.without_corpus)
            for number in range(given.processes)
        ]
        for future in rounds:
            counts, found = future.result()
            total += counts
            broken += len(found)
    print(f"seed {given.seed}: {sum(total.values())} files, {dict(total)}, {broken} broke something")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
