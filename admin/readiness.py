"""Whether a process can serve now, for what stands in front of it."""

from __future__ import annotations

import shutil

from admin.doctor import LEAST_FREE
from admin.settings import Settings
from delivery.errors import DeliveryError
from delivery.services.context import Context

NO_BLOB = "0" * 64


def troubles(ctx: Context, settings: Settings) -> list[str]:
    """What keeps it from serving, as codes; empty when nothing does. Looks at the database, the blob store and the disk."""
    found = []
    try:
        with ctx.store.read() as work:
            work.libraries.all()
    except DeliveryError as error:
        found.append(error.code)
    try:
        ctx.blobs.exists(NO_BLOB)
    except (DeliveryError, OSError):
        found.append("blobs-away")
    if shutil.disk_usage(settings.home).free < LEAST_FREE:
        found.append("disk-full")
    return found
