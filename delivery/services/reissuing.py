"""Copies whose parts were lost, as after a restored older store: made anew under the same link, or withdrawn."""

from __future__ import annotations

from collections.abc import Container

from delivery.copies import CopyState
from delivery.services.checking import PASSING, make_anew
from delivery.services.context import Context
from drm.audit.events import Event


def give_up_master(ctx: Context, master: str, code: str) -> None:
    """Let a prepared document whose file is lost serve nobody any more; its source is prepared anew when it is needed."""
    now = ctx.clock()
    with ctx.store.write() as work:
        if work.masters.retire(master, code, now):
            work.record(Event("master:retired", now, "system", digest=master, code=code))


class _Everything(Container[str]):
    """Any code."""

    def __contains__(self, code: object) -> bool:
        return True


def reissue(ctx: Context, number: str, code: str, withdraw: bool) -> CopyState:
    """Make a live copy anew from its source; with ``withdraw`` what cannot be made is withdrawn, given back, and its reader told.

    ``code`` says what was found. Returns how the copy stands. DeliveryError or PdfRefused, and all as it was, where it cannot be
    made: without ``withdraw`` for whatever reason, with it where a store or the machine is in trouble, for that may pass.
    """
    with ctx.store.read() as work:
        delivery = work.deliveries.get(number)
    if delivery.state is CopyState.LIVE:
        waits = PASSING if withdraw else _Everything()
        make_anew(ctx, number, delivery.master, code, lambda: None, waits)
    with ctx.store.read() as work:
        return work.deliveries.get(number).state
