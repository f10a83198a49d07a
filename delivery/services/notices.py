"""What agreements oblige to beside the stamp: notices that readers are shown, and intermediate copies that are destroyed."""

from __future__ import annotations

from collections.abc import Sequence

from delivery.errors import Unavailable
from delivery.people import Person
from delivery.services.context import Context
from delivery.services.deciding import DESK, Route, agreements_of
from delivery.stores import Ground, Source
from drm.agreements import Agreement
from drm.audit.events import Event
from drm.obligations import obligation_texts

DESTROY_CODES = frozenset({"destroy_on_delivery", "destroy_as_soon_as_practicable"})


def notices_of(agreements: tuple[Agreement, ...]) -> tuple[str, ...]:
    """Codes of what readers are shown before they ask and before they open."""
    return tuple(dict.fromkeys(code for one in agreements for code in one.oblige.get("notices", ())))


def form_notices(ctx: Context, reader: Person) -> tuple[str, ...]:
    """The notices of every agreement that a request of this reader may fall under: which one it will be is not known yet."""
    with ctx.store.read() as work:
        return notices_under(work.sources.active(), work.agreements.ground_of_reader(reader.id, ctx.clock(), ""))


def notices_under(sources: Sequence[Source], ground: Ground) -> tuple[str, ...]:
    """The notices of every agreement in force that a request from this library to these sources may fall under."""
    codes: dict[str, None] = {}
    for source in sources:
        if source.kind != DESK or source.library_id in (None, ground.library.id):
            found = agreements_of(Route(source, None), ground.in_force, ground.library) or ()
            codes |= dict.fromkeys(notices_of(found))
    return tuple(codes)


def texts(codes: tuple[str, ...] | list[str], language: str) -> tuple[str, ...]:
    """The words of notices, each once: two codes may share a wording."""
    return tuple(dict.fromkeys(obligation_texts(tuple(codes), language)))


def must_destroy(agreements: tuple[Agreement, ...]) -> bool:
    """Whether the file a copy was made from may not be kept."""
    return any(code in DESTROY_CODES for one in agreements for code in one.oblige.get("intermediate_copy", ()))


def destroy_source(ctx: Context, number: str, blob: str) -> None:
    """Destroy the file that a copy was made from. Unavailable, to be tried again, while another copy is being made from it."""
    with ctx.store.read() as work:
        if work.requests.preparing_from(blob):
            raise Unavailable("source-in-use", "Another copy is being made from this file.", 60)
        request = work.requests.get(number)
    ctx.blobs.remove(blob)
    with ctx.store.write() as work:
        work.record(Event("source:destroyed", ctx.clock(), "system", request.library_id, number))
