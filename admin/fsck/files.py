"""Files against the rows that name them: both come sorted by name and are read side by side."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from admin.fsck.guarding import reason_of
from admin.readiness import NO_BLOB
from admin.wiring import Services
from delivery.errors import Unavailable
from delivery.services.copy_making import digest_of
from delivery.violations import ExpectedFile, Patience, Repair, StoredFile, Violation
from storage.blobs.errors import BlobMissing
from storage.blobs.names import is_name
from storage.checks.files import expected_files, tails

OURS = re.compile(r"(sources|masters|copies)/")
"""What the service stores; anything else in the same bucket or folder is not ours to judge."""
AT_ONCE = 500
"""How many suspicions are asked again at once."""


def missing_and_orphans(services: Services, patience: Patience) -> Iterator[Violation]:
    """What rows need and the store lacks, and what the store holds and no row names, older than the grace time.

    Work goes on meanwhile: each suspicion is asked again, many at a time, before it is told.
    """
    before = patience.now.timestamp() - patience.grace.total_seconds()
    suspects: list[StoredFile] = []
    lacking: list[ExpectedFile] = []
    with services.store.read() as work:
        for expected, stored in _side_by_side(expected_files(work.session), services.ctx.blobs.listed()):
            if expected is None:
                if stored is not None and OURS.match(stored.name) and stored.changed < before:
                    suspects.append(stored)
            elif stored is None:
                lacking += [expected] if expected.needed else []
            elif expected.bytes not in (None, stored.bytes):
                told = f"it has {stored.bytes} bytes instead of {expected.bytes}"
                yield Violation("file-damaged", {**expected.ids, "file": expected.name}, told)
            if len(suspects) + len(lacking) >= AT_ONCE:
                yield from _again(services, suspects, lacking)
                suspects, lacking = [], []
    yield from _again(services, suspects, lacking)


def _again(services: Services, suspects: list[StoredFile], lacking: list[ExpectedFile]) -> Iterator[Violation]:
    """Those suspicions that hold when they are asked once more."""
    ours = [one.name for one in suspects if is_name(one.name)]
    known = named(services, ours + [one.name for one in lacking])
    for stored in suspects:
        if stored.name not in known:
            # What has no name of ours no store of ours can remove.
            repair = Repair.REMOVE_BLOB if is_name(stored.name) else Repair.NONE
            yield Violation("file-orphan", {"file": stored.name}, f"{stored.bytes} bytes", repair)
    for expected in lacking:
        there = is_name(expected.name) and services.ctx.blobs.exists(expected.name)
        if known.get(expected.name) and not there:
            yield Violation("file-missing", {**expected.ids, "file": expected.name}, "it is not in the store")


def named(services: Services, names: Sequence[str]) -> dict[str, bool]:
    """Which of these files a row names now, and whether it is needed."""
    with services.store.read() as work:
        return {one.name: one.needed for one in expected_files(work.session, names)} if names else {}


def _side_by_side(
    expected: Iterator[ExpectedFile], stored: Iterator[StoredFile]
) -> Iterator[tuple[ExpectedFile | None, StoredFile | None]]:
    """Both sequences by name; None where the other has no such name."""
    one, other = next(expected, None), next(stored, None)
    while one is not None or other is not None:
        if other is None or (one is not None and _bytes(one) < _bytes(other)):
            yield one, None
            one = next(expected, None)
        elif one is None or _bytes(other) < _bytes(one):
            yield None, other
            other = next(stored, None)
        else:
            yield one, other
            one, other = next(expected, None), next(stored, None)


def _bytes(file: ExpectedFile | StoredFile) -> bytes:
    """What both sequences are sorted by; a disk may hold names that are no UTF-8."""
    return file.name.encode("utf-8", "surrogateescape")


def left_over(services: Services, patience: Patience) -> Iterator[Violation]:
    """Temporary files and uploads in parts that nobody finished within the grace time."""
    before = patience.now.timestamp() - patience.grace.total_seconds()
    for name in services.ctx.blobs.unfinished(before):
        yield Violation("left-over", {"file": name}, "begun and never finished", Repair.SWEEP)


def damaged_files(services: Services) -> Iterator[Violation]:
    """Files whose bytes are not those that were stored: reads every one of them."""
    with services.store.read() as work:
        for expected in expected_files(work.session):
            if not expected.sha256 or not is_name(expected.name):
                continue
            try:
                digest = digest_of_file(services, expected.name)
            except BlobMissing:
                continue
            except (Unavailable, OSError) as trouble:
                services.ctx.blobs.exists(NO_BLOB)  # raises where the store is away: then no file can be read
                yield Violation("file-unreadable", {**expected.ids, "file": expected.name}, reason_of(trouble))
                continue
            if digest != expected.sha256:
                told = f"its SHA-256 is {digest[:16]}…, not {expected.sha256[:16]}…"
                yield Violation("file-damaged", {**expected.ids, "file": expected.name}, told)


def damaged_tails(services: Services) -> Iterator[Violation]:
    """Tails that are not those that were published: reads every one of them."""
    with services.store.read() as work:
        for number, master, digest, data in tails(work.session):
            if digest_of(master, data) != digest:
                yield Violation("tail-damaged", {"delivery": number}, "its digest is not the published one")


def digest_of_file(services: Services, name: str) -> str:
    """The SHA-256 of a stored file, read in pieces; BlobMissing when it is not there."""
    digest = hashlib.sha256()
    for piece in services.ctx.blobs.open(name):
        digest.update(piece)
    return digest.hexdigest()
