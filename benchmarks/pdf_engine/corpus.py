"""E8 to E12 over real files: each is delivered whole, stays small and looks the same, or is refused with a code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from benchmarks.pdf_engine.judging import Judgement, judge
from benchmarks.pdf_engine.nursery import Nursery
from benchmarks.pdf_engine.rows import FAIL, PASS, Row, absent, counted, percentile

BROKEN = frozenset({"crashed", "output-invalid", "stamp-missing", "active-content", "died"})
LARGE = 50 * 1024
SMALL_RUN, SMALL_FILE = 12, 100_000
READERS = 6
"""As many readers must be asked as E11 says."""

IDS = {
    "E8": "real files delivered without a complaint or refused with a code",
    "E9": "blank stamp looks like the source",
    "E10": "size of a copy against its source, files above 50 KB",
    "E11": "a master alone opens in no reader",
    "E12": "copies that are invalid or active",
}


def files(smoke: bool) -> list[Path]:
    """The PDFs of the corpus that RUSHLIGHT_CORPUS names, or of the folder beside the checkout; a few for a short run."""
    beside = Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus"
    folder = Path(os.environ.get("RUSHLIGHT_CORPUS", beside)).resolve()
    found = sorted(folder.glob("pdf/**/*.pdf")) if folder.is_dir() else []
    if smoke:
        small = [path for path in found if path.stat().st_size <= SMALL_FILE]
        return small[:: max(1, len(small) // SMALL_RUN)][:SMALL_RUN]
    return found


def judged(found: Sequence[Path], nurseries: Sequence[Nursery]) -> list[Judgement]:
    """All files judged, each in a child of its own, in as many at once as there are nurseries."""
    free: SimpleQueue[Nursery] = SimpleQueue()
    for nursery in nurseries:
        free.put(nursery)

    def one(path: Path) -> Judgement:
        nursery = free.get()
        try:
            verdict: Judgement = nursery.run(judge, path)
            return verdict
        except ChildProcessError:
            return Judgement(path.name, code="died")
        finally:
            free.put(nursery)

    with ThreadPoolExecutor(len(nurseries)) as pool:
        return list(pool.map(one, found))


def rows(smoke: bool, nurseries: Sequence[Nursery]) -> list[Row]:
    """The bars of the corpus; not measured where there is none."""
    found = files(smoke)
    if not found:
        return [absent(id, what, "no corpus: RUSHLIGHT_CORPUS names a folder") for id, what in IDS.items()]
    return bars(judged(found, nurseries))


def bars(all_: Sequence[Judgement]) -> list[Row]:
    """The rows from what was found."""
    good = [one for one in all_ if not one.code]
    broken = [f"{one.name} {one.code}" for one in all_ if one.code in BROKEN]
    refused = f"{len(all_) - len(good) - len(broken)} refused"
    complained = [f"{one.name} {one.complaint}" for one in good if one.complaint]
    active = [f"{one.name} {one.active}" for one in good if one.active]
    return [
        counted(
            "E8", f"{IDS['E8']}: {len(good)} of {len(all_)}, {refused}; neither", len(broken), 0, " files", _few(broken)
        ),
        _same(good),
        *_sizes(good),
        _alone(good),
        counted(
            "E12",
            f"{IDS['E12']}; with a complaint that the source has not",
            len(complained),
            0,
            " files",
            _few(complained),
        ),
        counted("E12", f"{IDS['E12']}; with an action", len(active), 0, " files", _few(active)),
    ]


def _alone(good: Sequence[Judgement]) -> Row:
    alone = [f"{one.name} {one.alone}" for one in good if one.alone]
    asked = min((one.readers for one in good), default=READERS)
    if asked < READERS and not alone:
        return absent(
            "E11", IDS["E11"], f"only {asked} of {READERS} readers are here: sh benchmarks/peers.sh says which"
        )
    return counted(
        "E11", f"{IDS['E11']} ({asked} readers, {len(good)} masters); opened", len(alone), 0, " files", _few(alone)
    )


def _few(names: Sequence[str]) -> str:
    return "; ".join(name[:100] for name in names[:8])


def _same(good: Sequence[Judgement]) -> Row:
    shares = [one.changed for one in good if one.changed is not None]
    if not shares:
        return absent("E9", IDS["E9"], "nothing comparable")
    same, worst = sum(share == 0 for share in shares) / len(shares), max(shares)
    what = f"{IDS['E9']} ({len(shares)} comparable)"
    outcome = PASS if same >= 0.995 and worst < 0.002 else FAIL
    names = _few([f"{one.name} {one.changed:.4%}" for one in good if one.changed])
    return Row("E9", what, f"{same:.2%} identical", "", f"worst {worst:.3%}", ">= 99.5 %, rest < 0.2 %", outcome, names)


def _sizes(good: Sequence[Judgement]) -> list[Row]:
    large = sorted((one.copy_bytes / one.source_bytes, one.name) for one in good if one.source_bytes > LARGE)
    if not large:
        return [absent("E10", IDS["E10"], "no file above 50 KB")]
    ratios = [ratio for ratio, _ in large]
    names = _few([f"{name} {ratio:.3f}" for ratio, name in large[::-1]])
    middle, most = percentile(ratios, 0.5), ratios[-1]
    told = f"median {middle:.3f}"
    ninety = percentile(ratios, 0.9)
    return [
        Row(
            "E10",
            f"{IDS['E10']} ({len(large)}), p90",
            f"{ninety:.3f}",
            told,
            "",
            "<= 1.05",
            PASS if ninety <= 1.05 else FAIL,
        ),
        Row("E10", f"{IDS['E10']}, largest", f"{most:.3f}", told, "", "<= 1.10", PASS if most <= 1.10 else FAIL, names),
    ]
