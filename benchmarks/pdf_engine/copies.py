"""E1 to E5: what a copy of a prepared document costs, and how large its tail is."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial
from statistics import median

import pikepdf

from benchmarks.pdf_engine import ours
from benchmarks.pdf_engine.clock import Work, each
from benchmarks.pdf_engine.ours import HAN, KEYS, SPEC, Prepared, Records, readers
from benchmarks.pdf_engine.peers import Peer, peers
from benchmarks.pdf_engine.plan import Plan
from benchmarks.pdf_engine.rows import Row, absent, at_most, counted, faster, percentile, told, within
from drm.pdf.tail.personalise import personalise

KINDS = {
    "": "no name and no code to scan comes twice; three names in ten have diacritics",
    ", plain": "the same without the code to scan",
}
WARM = 200
"""Copies made before any is measured, so that the fixed texts and the outlines of common letters are known."""
TIMES, TAILS = 32, 128
"""A whole copy takes less than a millisecond, a tail a tenth: so many, each for another reader, make one measurement, which then
lasts as long as one of a peer's. With fewer the clock would tell what it costs to come back to an engine whose memory others
have just swept from the processor's caches."""
GROUPS = ((595, 842), (842, 595), (420, 595))


def rows(plan: Plan) -> list[Row]:
    """All of them."""
    return [*_tails(plan), *_sizes(plan), _flat(plan), *_whole(plan), *_against_peers(plan)]


def _tails(plan: Plan) -> list[Row]:
    """E1: one tail after another, each for another reader, timed one by one."""
    ready, count = plan.master(plan.article(14)), 100 if plan.smoke else 1000
    found = []
    for kind, what in KINDS.items():
        asking = list(itertools.islice(readers(), WARM + count))
        ready.asking = iter([replace(spec, check_url="") for spec in asking] if kind else asking)
        each(ready.tail, WARM)
        taken = each(ready.tail, count)
        name = f"tail, AES-256, 14 p{kind}"
        found.append(within("E1", f"{name}, median of {count}", median(taken), 0.2e-3, plan.reference, what))
        found.append(within("E1", f"{name}, p99", percentile(taken, 0.99), 0.5e-3, plan.reference, what))
    ready.asking = readers()
    records = Records(plan.folder / "records.sqlite3")
    records.put(ready.master)

    def loaded() -> object:
        return personalise(records.get(ready.master.id), next(ready.asking), KEYS)

    note = "SELECT, JSON and record built anew each time; the connection is open"
    taken = each(loaded, count)
    found.append(
        within("E1b", "the same with its record from SQLite, median", median(taken), 0.5e-3, plan.reference, note)
    )
    return found


def _sizes(plan: Plan) -> list[Row]:
    """E2: bytes of tails."""
    path = plan.folder / "three-sizes.pdf"
    with pikepdf.new() as pdf:
        for size in GROUPS:
            pdf.add_blank_page(page_size=size)
        pdf.save(path)
    found = []
    for what, ready in (("1 page size", plan.master(plan.article(14))), ("3 page sizes", plan.master(path))):
        latin = list(itertools.islice(readers(), WARM))
        largest = max(len(personalise(ready.master, spec, KEYS).data) for spec in latin)
        ascii_ = max(len(personalise(ready.master, spec, KEYS).data) for spec in latin if (spec.reader or "").isascii())
        note = f"of {len(latin)} names in Latin letters, three in ten with diacritics"
        found.append(counted("E2", f"tail, {what}, Latin name, largest", largest, 4096, " B", note))
        found.append(counted("E2", f"tail, {what}, ASCII name, largest", ascii_, 4096, " B"))
    ready = plan.master(plan.article(14))
    chinese = personalise(ready.master, replace(SPEC, reader=HAN[:32]), KEYS)
    found.append(counted("E2", "tail, 32 Han characters in the name", len(chinese.data), 10_240, " B"))
    return found


def _flat(plan: Plan) -> Row:
    """E3: a tail costs the same on any document."""
    large, small = plan.master(plan.scan), plan.master(plan.article(1))
    times = 50
    for ready in (large, small):
        ready.asking = readers()
        each(ready.tail, 2 * times)
    taken = plan.clock.by_turns({"large": large.tail, "small": small.tail}, plan.rounds, times)
    return at_most("E3", "tail of the scan against that of 1 page", taken["large"], taken["small"], 1.5, "1 p")


def _whole(plan: Plan) -> list[Row]:
    """E4: a whole copy on disk against the kernel's own copy of the source."""
    found = []
    for name, source in plan.all.items():
        ready = plan.master(source)
        ready.asking = readers()
        works: dict[str, Work] = {
            "ours": partial(ready.write, plan.out),
            "floor": partial(ours.copied, source, plan.out),
            "kept": partial(ready.copy, plan.out),
            "synced": partial(ours.copied_durably, source, plan.out),
        }
        plan.clock.by_turns(works, 1)
        taken = plan.clock.by_turns(works, plan.rounds, 1 if source.stat().st_size > 10_000_000 else TIMES)
        what, note = f"whole copy, AES-256, {name}", "neither is synced to the disk, as in a web server's cache"
        found.append(at_most("E4", what, taken["ours"], taken["floor"], 2.0, "copy_file_range", note))
        note = "both are synced to the disk (fsync), and ours comes back to caches that the kernel has used meanwhile"
        found.append(told("E4", f"{what}, synced", taken["kept"], taken["synced"], "copy + fsync", note))
    return found


def _against_peers(plan: Plan) -> list[Row]:
    """E5: a whole copy, and a tail, against the fastest peer that encrypts; and each peer for itself."""
    here = [peer for peer in peers() if not peer.missing]
    found = [absent("E5", peer.name, peer.missing) for peer in peers() if peer.missing]
    for name, source in plan.short.items():
        ready = plan.master(source)
        ready.asking = readers()
        found += _compared(plan, name, ready, here)
    return found


def _compared(plan: Plan, name: str, ready: Prepared, here: list[Peer]) -> list[Row]:
    works: dict[str, Work] = {peer.name: partial(peer.make, ready.source, plan.out) for peer in here}
    works |= {"copy": partial(ready.write, plan.out), "tail": ready.tail}
    times = {"copy": TIMES, "tail": TAILS}
    plan.clock.by_turns(works, 1, times)
    taken = plan.clock.by_turns(works, plan.rounds, times)
    best = min((taken[peer.name], peer.name) for peer in here if peer.encrypts)
    note = "ours with cover, legends and code to scan, the peers with none of these; nobody syncs"
    return [
        faster("E5", f"whole copy, AES-256, {name}", taken["copy"], best[0], 20, best[1], note),
        faster("E5", f"tail only, AES-256, {name}", taken["tail"], best[0], 100, best[1]),
        *(told("E5", f"{peer.name}, {name}", taken[peer.name], taken["copy"], "our whole copy") for peer in here),
    ]
