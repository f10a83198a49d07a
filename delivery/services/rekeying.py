"""Wrapping the file keys of prepared documents under the newest key of the service."""

from __future__ import annotations

from dataclasses import replace

from delivery.services.context import Context
from drm.audit.events import Event
from drm.pdf.tail.keys import MasterKeys
from drm.pdf.values import PdfRefused

BATCH = 200


def rewrap_masters(ctx: Context) -> tuple[int, tuple[str, ...]]:
    """Bring every kept master under the newest key; how many were, and the ids of those whose own key is not here.

    Copies keep their bytes: nothing in them follows from the service's keys. Safe to run again, and while copies are made.
    """
    keys, now, done = MasterKeys(ctx.ring), ctx.clock(), 0
    lost: set[str] = set()
    while True:
        with ctx.store.write() as work:
            batch = work.masters.under_other_keys(ctx.ring.current, BATCH + len(lost))
            fresh = 0
            for kept in batch:
                try:
                    work.masters.rewrapped(replace(kept, master=keys.rewrap(kept.master)))
                    fresh += 1
                except PdfRefused:
                    lost.add(kept.id)
            if fresh:
                work.record(
                    Event("master:rewrapped", now, "operator", code=ctx.ring.current, counts={"masters": fresh})
                )
        done += fresh
        if not fresh:
            return done, tuple(sorted(lost))
