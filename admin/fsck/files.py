"""Files against the rows that name them: both come sorted by name and are read side by side."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from admin.wiring import Services
from delivery.services.copy_making import digest_of
from delivery.violations import ExpectedFile, Patience, Repair, StoredFile, Violation
from storage.blobs.errors import BlobMissing
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
    known = named(services, [one.name for one in suspects] + [one.name for one in lacking])
    for stored in suspects:
        if stored.name not in known:
            yield Violation("file-orphan", {"file": stored.name}, f"{stored.bytes} bytes", Repair.REMOVE_BLOB)
    for expected in lacking:
        if known.get(expected.name) and not services.ctx.blobs.exists(expected.name):
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
        if other is None or (one is not None and one.name.encode() < other.name.encode()):
            yield one, None
            one = next(expected, None)
        elif one is None or other.name.encode() < one.name.encode():
            yield None, other
            other = next(stored, None)
        else:
            yield one, other
            one, other = next(expected, None), next(stored, None)


def left_over(services: Services, patience: Patience) -> Iterator[Violation]:
    """Temporary files and uploads in parts that nobody finished within the grace time."""
    before = patience.now.timestamp() - patience.grace.total_seconds()
    for name in services.ctx.blobs.unfinished(before):
        yield Violation("left-over", {"file": name}, "begun and never finished", Repair.SWEEP)


def damaged_files(services: Services) -> Iterator[Violation]:
    """Files whose bytes are not those that were stored: reads every one of them."""
    with services.store.read() as work:
        for expected in expected_files(work.session):
            if not expected.sha256:
                continue
            try:
                digest = digest_of_file(services, expected.name)
            except BlobMissing:
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
