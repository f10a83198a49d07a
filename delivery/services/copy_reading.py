"""Reading a copy: a master and its tail as one run of bytes, in parts that a server can send, or as one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from delivery.copies import CopyState, Delivery
from delivery.errors import Unavailable
from delivery.outgoing import SLICE, Chained, FileParts, FileSlice, Part, close, flat
from delivery.services.context import Context
from drm.pdf.tail.serving import assemble

RECHECK_BYTES = SLICE
FETCHED_WHOLE = 4 * 1024 * 1024
"""Blobs up to this many bytes come whole from a store on another machine, within some 50 ms."""


@dataclass(frozen=True)
class Download:
    """A copy about to be served: the first ``base_bytes`` of its blob, then ``tail``. ``etag`` is strong and always the same."""

    delivery: Delivery
    tail: bytes = b""

    @property
    def etag(self) -> str:
        """The strong entity tag (RFC 9110, 8.8.3), known without reading the copy."""
        return f'"{self.delivery.sha256}"'

    @property
    def base_bytes(self) -> int:
        """How many bytes of the blob belong to the copy."""
        return self.delivery.bytes if self.delivery.base_bytes is None else self.delivery.base_bytes

    @property
    def size(self) -> int:
        """Bytes in the whole file."""
        return self.delivery.bytes


def read_file(ctx: Context, download: Download, start: int, length: int) -> Iterator[bytes]:
    """The bytes of a download. A running transfer ends early only when the copy is withdrawn.

    BlobMissing or Unavailable before the first piece, where not all of the copy is there.
    """
    return flat(read_parts(ctx, download, start, length))


def read_parts(ctx: Context, download: Download, start: int, length: int) -> Iterator[Part]:
    """The same as slices of files where the store has files; can be closed before its end."""
    parts = _joined(download, start, length, lambda stop: _of_blob_at_hand(ctx, download, start, stop - start))
    return Watched(parts, lambda: _withdrawn(ctx, download.delivery.number))


def copy_file(ctx: Context, download: Download, write: bool) -> Path | None:
    """The whole copy as a file in the cache; None where there is none, or with ``write``, where it cannot be had at once."""
    if not write:
        return ctx.copies.find(download.etag)
    return ctx.copies.make(download.etag, download.size, lambda: whole_parts(ctx, download))


def whole_parts(ctx: Context, download: Download) -> Iterator[Part]:
    """All of a copy in as few parts as may be. OtherBytes at the end where its blob comes as another than was published."""
    return stored_parts(ctx, download, 0, download.size, download.size)


def stored_parts(ctx: Context, download: Download, start: int, length: int, most: int = SLICE) -> Iterator[Part]:
    """The same in slices of ``most`` bytes, whatever becomes of the copy meanwhile: of its blob, then of its tail."""
    return _joined(download, start, length, lambda stop: _of_blob(ctx, download, start, stop - start, most))


def _joined(download: Download, start: int, length: int, of_base: Callable[[int], Iterator[Part]]) -> Iterator[Part]:
    """What ``of_base`` brings up to where it is told to stop, then what is wanted of the tail."""
    base, tail, stop = download.base_bytes, download.tail, start + length
    if base + len(tail) != download.size:
        raise Unavailable("incomplete-copy", "This copy is not complete here. Ask your library to send it again.", 60)
    first = of_base(min(stop, base)) if start < base else iter(())
    return Chained(first, iter([tail[max(0, start - base) : stop - base]] if stop > base else []))


class OtherBytes(Unavailable):
    """The store gave other bytes than were published. Asked again it may give the right ones, if it was the way that spoilt them."""

    def __init__(self) -> None:
        super().__init__("blob-store", "The blob store gave back other bytes.", 30)


def _of_blob(ctx: Context, download: Download, start: int, length: int, most: int) -> Iterator[Part]:
    file = ctx.blobs.file(download.delivery.blob)
    return _from_afar(ctx, download, start, length) if file is None else FileParts(file, start, length, most)


def _from_afar(ctx: Context, download: Download, start: int, length: int) -> Iterator[bytes]:
    """A part of a blob on another machine. All of it is asked for as a whole and proved: a store gives no checksum of a part."""
    delivery, size = download.delivery, download.base_bytes
    if (start, length) != (0, size):
        return ctx.blobs.open(delivery.blob, start, length)
    digest = delivery.sha256 if delivery.base_bytes is None else delivery.master
    return _proved(ctx.blobs.open(delivery.blob), size, digest)


def _proved(pieces: Iterator[bytes], size: int, digest: str) -> Iterator[bytes]:
    """The first ``size`` bytes, the last piece only after all were found to be what was published: nothing else comes to its end."""
    at, seen, last = 0, sha256(), b""
    try:
        for piece in pieces:
            last = piece[: size - at]
            at += len(last)
            seen.update(last)
            if at == size:
                break
            yield last
        if at != size or seen.hexdigest() != digest:
            raise OtherBytes
        yield last
    finally:
        close(pieces)


def _of_blob_at_hand(ctx: Context, download: Download, start: int, length: int) -> Iterator[Part]:
    """The same through the cache where the store is on another machine: readers of one article then ask it once.

    A small blob that is wanted whole is fetched before its first byte is sent; a large one would let its reader wait. Of
    what is not in the cache a part is asked for alone.
    """
    name, size = download.delivery.blob, download.base_bytes
    file = ctx.blobs.file(name)
    if file is None:
        key, whole = f"blob|{name}", length == size <= FETCHED_WHOLE
        path = ctx.copies.make(key, size, lambda: _from_afar(ctx, download, 0, size)) if whole else ctx.copies.find(key)
        with suppress(OSError):  # it may have been pushed out just now
            file = path.open("rb", buffering=0) if path else None
    return _from_afar(ctx, download, start, length) if file is None else FileParts(file, start, length, SLICE)


class Watched:
    """Parts of a copy, until it is withdrawn. Asked now and then, never between every two parts."""

    def __init__(self, parts: Iterator[Part], withdrawn: Callable[[], bool]) -> None:
        self._parts = parts
        self._withdrawn = withdrawn
        self._unasked = 0

    def __iter__(self) -> Iterator[Part]:
        return self

    def __next__(self) -> Part:
        if self._unasked >= RECHECK_BYTES:
            self._unasked = 0
            if self._withdrawn():
                self.close()
                raise StopIteration
        part = next(self._parts)
        self._unasked += part.length if isinstance(part, FileSlice) else len(part)
        return part

    def close(self) -> None:
        """Let go of what the parts hold open."""
        close(self._parts)


def _withdrawn(ctx: Context, number: str) -> bool:
    with ctx.store.read() as work:
        return work.deliveries.get(number).state in {CopyState.REVOKED, CopyState.REPLACED}


@contextmanager
def whole_file(ctx: Context, delivery: Delivery) -> Iterator[Path]:
    """A published copy as one file to read, for as long as the context lasts; kept for the next page where the cache has room."""
    if delivery.base_bytes is None and _is_here(ctx, delivery.blob):
        with ctx.blobs.local(delivery.blob) as path:
            yield path
        return
    with ctx.store.read() as work:
        tail = work.deliveries.tail(delivery.number) if delivery.base_bytes is not None else b""
    copy = Download(delivery, tail)
    with ctx.copies.held(copy.etag, copy.size, lambda: whole_parts(ctx, copy)) as kept:
        if kept is not None:
            yield kept
            return
    with ctx.blobs.workspace() as folder, ctx.blobs.local(delivery.blob) as master:
        assemble(master, copy.base_bytes, tail, folder / "copy.pdf")
        yield folder / "copy.pdf"


def _is_here(ctx: Context, name: str) -> bool:
    file = ctx.blobs.file(name)
    if file is not None:
        file.close()
    return file is not None
