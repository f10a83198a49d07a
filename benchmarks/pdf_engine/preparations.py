"""E6, E7, E16, E20: what preparing, rewriting and proving cost, each in a warm child, beside pikepdf in a warm child."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.pdf_engine import ours
from benchmarks.pdf_engine.clock import each
from benchmarks.pdf_engine.nursery import nothing
from benchmarks.pdf_engine.ours import KEYS, SPEC
from benchmarks.pdf_engine.peers import append
from benchmarks.pdf_engine.plan import Plan
from benchmarks.pdf_engine.rows import FAIL, PASS, Row, at_most, counted, percentile, told, within
from benchmarks.pdf_engine.scans import HUGE_PAGES, scan
from drm.pdf.tail.light import check_tail
from drm.pdf.tail.personalise import personalise
from drm.pdf.tail.prepare import record_of
from drm.pdf.verifying import Expectation, verify

BARS = {"1 p": 3.0, "14 p": 2.0, "50 p": 3.0, "scan": 2.0}
SOON = 3
MEBI = 1024 * 1024
PEER = "pikepdf append + AES"


def rows(plan: Plan) -> Iterator[Row]:
    """E6, E16 and E20, a document after the other."""
    for name, source in plan.all.items():
        yield from _document(plan, name, source)


def rest(plan: Plan) -> list[Row]:
    """E7, and the light check of E16."""
    return [*_memory(plan), *_light(plan)]


def _works(plan: Plan, source: Path) -> dict[str, Callable[[], object]]:
    asking = ours.readers()

    def first() -> object:
        answer = plan.nursery.run(ours.preparing, source, plan.folder)
        return personalise(record_of(answer, KEYS), next(asking), KEYS)

    def whole() -> object:
        with plan.clock.counted_sandbox():
            return ours.prepared(source, apart)

    apart = plan.folder / "apart"
    apart.mkdir(exist_ok=True)
    copy = plan.folder / "proved.pdf"
    ready = plan.master(source)
    ready.copy(copy)
    with plan.clock.counted_sandbox():
        assert verify(copy, None, ours.LIMITS).good

    def proved() -> object:
        with plan.clock.counted_sandbox():
            return verify(copy, None, ours.LIMITS)

    return {
        "first": first,
        "prepare": lambda: plan.nursery.run(ours.preparing, source, plan.folder),
        "whole": whole,
        "verify": proved,
        "rewrite": lambda: plan.nursery.run(ours.rewriting, source, plan.out),
        "peer": lambda: plan.nursery.run(append, source, plan.folder / "peer.pdf", True),
        "peer here": lambda: append(source, plan.folder / "peer.pdf", True),
        "copy": lambda: ready.copy(plan.folder / "copy.pdf"),
        "empty": lambda: plan.nursery.run(nothing),
    }


def _document(plan: Plan, name: str, source: Path) -> list[Row]:
    works = _works(plan, source)
    if source.stat().st_size < 10_000_000:
        plan.clock.by_turns(works, 1)
    taken = plan.clock.by_turns(works, plan.rounds)
    good = _rewrite_is_good(plan)
    first, peer, here = taken["first"], taken["peer"], taken["peer here"]
    note = "fork, end of the child and first tail in ours; fork and end of the child in the peer's"
    child, own = f"{PEER}, child", f"{PEER}, no fork"
    bar = BARS.get(name)
    rewrite = at_most(
        "E20", f"rewrite, {name}", taken["rewrite"], peer, 1.3, child, "copy passes all checks, done apart"
    )
    proof = taken["whole"] - taken["prepare"]
    return [
        at_most("E6", f"prepare + first tail, {name}", first, peer, bar, child, note)
        if bar
        else told("E6", f"prepare + first tail, {name}", first, peer, child, note),
        told(
            "E6",
            f"prepare + first tail, {name}",
            first,
            here,
            own,
            f"an empty child costs {taken['empty'] * 1e3:.1f} ms",
        ),
        *_break_even(name, taken, proof),
        at_most("E16", f"proof of a master, {name}", max(proof, 1e-6), taken["prepare"], 2.0, "prepare", "one child"),
        at_most("E16", f"verify a copy, {name}", taken["verify"], taken["prepare"], 2.0, "prepare"),
        rewrite if good else Row("E20", rewrite.what, "", "", "", rewrite.bar, FAIL, "the copy does not pass verify"),
    ]


def _rewrite_is_good(plan: Plan) -> bool:
    expect = Expectation(ours.page_count(plan.out), SPEC.delivery, SPEC.reader or "", True)
    return verify(plan.out, expect, ours.LIMITS).good


def _break_even(name: str, taken: dict[str, float], proof: float) -> list[Row]:
    """From which delivery on a master has cost less than as many copies by the peer."""
    if name not in {"1 p", "14 p", "50 p"}:
        return []
    saved = taken["peer"] - taken["copy"]
    plain, proved = (
        math.ceil(cost / saved) if saved > 0 else 10**6 for cost in (taken["prepare"], taken["prepare"] + proof)
    )
    note = f"with its proof: delivery {proved}"
    outcome = PASS if plain <= SOON else FAIL
    return [Row("E6", f"master pays off, {name}, at delivery", str(plain), PEER, "", f"<= {SOON}", outcome, note)]


def _memory(plan: Plan) -> list[Row]:
    """E7: how much more memory a child had at its largest than one that does nothing."""
    found = []
    for name, bar, source in (("scan", 32, plan.scan), ("1 GB", 64, None)):
        what = f"memory of preparing, {name}"
        if source is None and not plan.huge:
            found.append(Row("E7", what, "", "", "", f"<= {bar} MiB", "reported", "only with --huge"))
            continue
        document = source or scan(HUGE_PAGES, plan.kept)
        base = plan.nursery.live(nothing).peak
        peak = plan.nursery.live(ours.preparing, document, plan.folder).peak
        note = f"{document.stat().st_size / 1e6:.0f} MB; the empty child has {base / MEBI:.0f} MiB"
        found.append(counted("E7", what, round((peak - base) / MEBI, 1), bar, " MiB", note))
    return found


def _light(plan: Plan) -> list[Row]:
    ready = plan.master(plan.article(14))
    tail = ready.tail()
    taken = each(lambda: check_tail(ready.master, tail), 100 if plan.smoke else 1000)
    return [within("E16", "light check of a tail, p99", percentile(taken, 0.99), 1e-3, plan.reference)]
