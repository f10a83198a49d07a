"""What a source of full texts is to the use cases: the fetcher's port, its values, and its one error."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from delivery.citation import Citation
from delivery.errors import disk_trouble

FETCH_CODES = (
    "bad-redirect",
    "damaged-holdings",
    "file-missing",
    "login-page",
    "network",
    "no-open-copy",
    "not-a-pdf",
    "not-found",
    "not-held",
    "rate-limited",
    "refused-address",
    "server-error",
    "source-off",
    "timeout",
    "too-large",
    "truncated",
)
"""Every reason for which a source does not give a full text."""

PIECE = 256 * 1024
MAGIC = b"%PDF-"
MAGIC_WITHIN = 1024


class FetchFailed(Exception):
    """A source could not give the text. ``permanent`` says that trying again soon cannot help."""

    def __init__(self, code: str, text: str, permanent: bool = True) -> None:
        super().__init__(code, text)
        if code not in FETCH_CODES:
            raise ValueError(f"unknown code {code!r}")
        self.code, self.text, self.permanent = code, text, permanent


@dataclass(frozen=True)
class HeldWork:
    """What holdings know of a work, as agreements ask for it. Empty and None mean unknown. ``issns`` are all of its journal."""

    work_id: str = ""
    work_class: str = ""
    rights: str = ""
    total_pages: int | None = None
    published: str = ""
    work_genre: str = ""
    counted_pages: int | None = None
    price: str = ""
    themed: bool | None = None
    next_published: bool | None = None
    issns: tuple[str, ...] = ()
    flags: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """A source that could serve. ``certain`` says that it holds the work; otherwise only trying can tell."""

    certain: bool
    open_access: bool = False
    citation: Citation | None = None
    held: HeldWork | None = None


@dataclass(frozen=True)
class Fetched:
    """A full text that has arrived. ``location`` may be shown to people and holds no secrets."""

    path: Path
    bytes: int
    sha256: str
    location: str = ""
    version: str = ""
    licence: str = ""
    open_access: bool = False


class Fetcher(Protocol):
    """One source of full texts."""

    def find(self, citation: Citation) -> Candidate | None:
        """Whether this source could serve the citation: a look into holdings, never the network."""

    def fetch(self, citation: Citation, into: Path, deadline: float) -> Fetched:
        """Bring the full text to ``into`` before the monotonic ``deadline``, or raise FetchFailed and leave nothing there."""


class _Source:
    """A stream that remembers its own failure, to be told from one of the disk that it is written to."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def read(self) -> bytes:
        """The next piece."""
        try:
            return self._stream.read(PIECE)
        except OSError as error:
            self.error = error
            raise


def receive(stream: BinaryIO, into: Path, most: int, declared: int | None = None) -> Fetched:
    """Write a stream to a new file, durably, within ``most`` bytes; it must begin like a PDF and be as long as declared.

    Used for every way in: folder, network, upload. FetchFailed leaves no file behind; neither does Unavailable, which says that
    our own disk is full or fails.
    """
    if declared is not None and declared > most:
        raise FetchFailed("too-large", f"The file has {declared} bytes; at most {most} are taken.")
    digest, size, head = hashlib.sha256(), 0, b""
    source = _Source(stream)
    try:
        with into.open("xb") as file:
            while piece := source.read():
                size += len(piece)
                if size > most:
                    raise FetchFailed("too-large", f"The file has more than {most} bytes.")
                if len(head) < MAGIC_WITHIN:
                    head += piece[:MAGIC_WITHIN]
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if declared is not None and size != declared:
            raise FetchFailed("truncated", f"{declared} bytes were announced, {size} arrived.", permanent=False)
        _look_at_head(head)
    except FileExistsError:
        raise
    except OSError as error:
        into.unlink(missing_ok=True)
        if error is source.error:
            raise
        # Our own disk, not the source: another source would fare no better.
        raise disk_trouble(error) from error
    except BaseException:
        into.unlink(missing_ok=True)
        raise
    return Fetched(into, size, digest.hexdigest())


def _look_at_head(head: bytes) -> None:
    if MAGIC in head[: MAGIC_WITHIN + len(MAGIC)]:
        return
    start = head.lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head")):
        raise FetchFailed("login-page", "A web page came instead of a PDF, most likely a sign-in page.")
    raise FetchFailed("not-a-pdf", "The file is no PDF.")


def receive_upload(stream: BinaryIO, name: str, declared: int | None, into: Path, most: int) -> Fetched:
    """A librarian's upload; the name is only shown, never used as a path."""
    fetched = receive(stream, into, most, declared)
    return Fetched(fetched.path, fetched.bytes, fetched.sha256, location=Path(name.replace("\\", "/")).name[:200])
