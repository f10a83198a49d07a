"""Looking at a copy at the desk, before it is published or after: it counts nothing and publishes nothing."""

from __future__ import annotations

from delivery.copy_terms import copy_spec
from delivery.errors import Conflict, DeliveryError
from delivery.numbers import delivery_number
from delivery.people import Person, Role
from delivery.services.context import Context, require, require_library
from delivery.services.copy_passwords import copy_password
from delivery.services.copy_reading import whole_file
from delivery.services.preparing import read_ready
from drm.pdf.values import PdfRefused


def preview_page(ctx: Context, staff: Person, number: str, page: int, width: int = 900) -> bytes:
    """One page of the stamped copy as the reader will see it, as PNG. DeliveryError with the reason where there is none."""
    with ctx.store.read() as work:
        require(staff, Role.LIBRARIAN, Role.RIGHTS_OFFICER)
        request = work.requests.get(number)
        require_library(staff, request.library_id)
        deliveries = work.deliveries.of_request(number)
        ready = read_ready(ctx, work, request) if request.found.get("blob") else None
    live = [delivery for delivery in deliveries if delivery.blob_removed_at is None]
    try:
        if live:
            with whole_file(ctx, live[0]) as path:
                return ctx.pdf.render_page(path, page, width, copy_password(ctx, live[0]))
        if ready is None:
            raise Conflict("nothing-to-show", "There is no file for this request yet.")
        code = delivery_number(ctx.ring.derive("rushlight.delivery.v1"), request.claim)
        with ctx.blobs.workspace() as folder, ctx.blobs.local(str(request.found["blob"])) as source:
            ctx.pdf.make_copy(source, folder / "preview.pdf", copy_spec(ctx, ready, code, ctx.clock()))
            return ctx.pdf.render_page(folder / "preview.pdf", page, width)
    except PdfRefused as refusal:
        raise DeliveryError(refusal.code, refusal.text) from refusal
