"""What becomes of every file: the corpus by source, the hostile and poison files by class, as a table in docs/pdf-outcomes.md."""

from __future__ import annotations

import argparse
import multiprocessing
import re
import statistics
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from tests.hostile.catalogue import HOSTILE, POISON
from tests.hostile.drafts import DELIVERED
from tests.hostile.judging import ENGINES, Outcome, judged, judged_file
from tests.hostile.real_files import MasterLook, judged_real, look_at_master, real_files

PAGE = Path(__file__).resolve().parents[1] / "docs" / "pdf-outcomes.md"
TITLES = {"hostile": "Hostile files", "poison": "Poison files", "real": "Real files"}
SETS = {"hostile": HOSTILE, "poison": POISON}
LARGE = 50_000
HEAD = """# What becomes of every file

Each file is given to both engines. It is delivered, or refused with a reason; *wrong* counts copies with any fault, refusals for a wrong
reason, and everything else that should not happen. A delivered copy was checked by the product, by qpdf, by pdfium and by a walker of the tests
that looks for active content on its own. `make outcomes` writes this page; the real files come from the folder that `RUSHLIGHT_CORPUS` names.
"""


@dataclass(frozen=True)
class Job:
    """One file of one set, by its place there, for one engine."""

    of: str
    index: int
    engine: str


@dataclass(frozen=True)
class Done:
    """What became of it; for real files also how large the source is, and how its master looks."""

    job: Job
    outcome: Outcome
    source_size: int = 0
    look: MasterLook | None = None


def do(of: str, index: int) -> list[Done]:
    """One file by each engine, in a process of its own kind, since pdfium serves one thread only."""
    warnings.simplefilter("ignore")
    if of not in SETS:
        return [_real(Job(of, index, engine)) for engine in ENGINES]
    one = SETS[of][index]
    data = one.make()  # once, for some take seconds
    return [Done(Job(of, index, engine), judged(replace(one, make=lambda: data), engine)) for engine in ENGINES]


def _real(job: Job) -> Done:
    real = real_files()[job.index]
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        outcome = judged_file(judged_real(real), job.engine, real.path, Path(folder) / "copy.pdf")
    look = look_at_master(real.path) if job.engine == "tail" and outcome.code == DELIVERED else None
    return Done(job, outcome, real.path.stat().st_size, look)


def places(of: Iterable[str]) -> list[tuple[str, int]]:
    """Every file of these sets."""
    counts = {**{name: len(files) for name, files in SETS.items()}, "real": len(real_files())}
    return [(name, index) for name in of for index in range(counts[name])]


def table(done: list[Done]) -> list[str]:
    """One line for each class."""
    lines = ["| class | files | delivered | refused | wrong |", "|---|---|---|---|---|"]
    for kind in dict.fromkeys(one.outcome.kind for one in done):
        lines.append(_row(kind, [one.outcome for one in done if one.outcome.kind == kind]))
    return [*lines, _row("**all**", [one.outcome for one in done]), ""]


def _row(kind: str, outcomes: list[Outcome]) -> str:
    refused = Counter(one.code for one in outcomes if one.code != DELIVERED)
    delivered, wrong = sum(one.code == DELIVERED for one in outcomes), sum(bool(one.wrong) for one in outcomes)
    reasons = ", ".join(f"{code} {count}" for code, count in sorted(refused.items())) or "-"
    return f"| {kind} | {len({(one.kind, one.name) for one in outcomes})} | {delivered} | {reasons} | {wrong} |"


def figures(done: list[Done]) -> list[str]:
    """Sizes and looks of the real files' copies by the tail engine."""
    tails = [one for one in done if one.job.engine == "tail" and one.outcome.code == DELIVERED]
    ratios = [
        one.outcome.size / one.source_size for one in tails if one.source_size > LARGE and not one.outcome.fallback
    ]
    looks = [one.look for one in tails if one.look]
    lines = [
        f"- Copies by the tail engine: {len(looks)}; fallen back to the other engine: {sum(bool(one.outcome.fallback) for one in tails)}."
    ]
    if len(ratios) > 1:
        ninth = statistics.quantiles(ratios, n=10)[8]
        lines.append(
            f"- Size of copy to source, {len(ratios)} sources above 50 KB: median {statistics.median(ratios):.3f}, "
            f"p90 {ninth:.3f}, max {max(ratios):.3f}."
        )
    lines += [_likeness(looks, comparable) for comparable in (True, False)]
    asked = list(dict.fromkeys(name for look in looks for name in look.opened_by))
    opened = sum(any(look.opened_by.values()) for look in looks)
    return [*lines, f"- Masters that open alone in any of {', '.join(asked)}: {opened} of {len(looks)}."]


def _likeness(looks: list[MasterLook], comparable: bool) -> str:
    """How far copies with a blank stamp look like their sources."""
    shares = [look.share for look in looks if look.share is not None and look.comparable == comparable]
    of = (
        "where nothing visible was removed or repaired"
        if comparable
        else "of the others, such as flattened forms and large notes"
    )
    same, near = sum(share == 0 for share in shares), sum(0 < share < 0.002 for share in shares)
    return (
        f"- A copy with a blank stamp looks like its source, {of}: identical {same} of {len(shares)}, "
        f"below 0.2 % of samples {near}, more {len(shares) - same - near}."
    )


def section(of: str, done: list[Done]) -> str:
    """The part of the page about one set."""
    some = sorted((one for one in done if one.job.of == of), key=lambda one: one.job.index)
    return "\n".join([f"## {TITLES[of]}\n", *table(some), *([*figures(some), ""] if of == "real" else [])])


def page(kept: str, chosen: list[str], done: list[Done]) -> str:
    """The whole page: new sections for the sets that were run, the others as they stand in ``kept``."""
    parts = [HEAD]
    for of, title in TITLES.items():
        old = re.search(rf"^## {title}\n.*?(?=^## |\Z)", kept, re.S | re.M)
        parts.append(section(of, done) if of in chosen else old[0] if old else "")
    return "\n".join(part.rstrip() + "\n" for part in parts if part)


def main() -> int:
    """Run the sets that are asked for and write their parts of the page; 1 where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", help="hostile, poison, real; all of them if none is named")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    chosen = given.sets or list(TITLES)
    done: list[Done] = []
    with ProcessPoolExecutor(given.processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(do, *place) for place in places(chosen)]):
            done += future.result()
            for one in future.result():
                if one.outcome.wrong:
                    print(one.outcome, file=sys.stderr, flush=True)
    kept = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    PAGE.write_text(page(kept, chosen, done), encoding="utf-8")
    return 1 if any(one.outcome.wrong for one in done) else 0


if __name__ == "__main__":
    sys.exit(main())
