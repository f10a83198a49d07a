"""A bucket that keeps checkpoints, under object lock where the bucket has it: nobody can take them back then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain, islice
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from delivery.log_places import PlaceFailed, Seen, is_there
from delivery.ports import Clock
from drm.audit.checkpoints import LARGEST
from storage.blobs.s3 import Bucket

AT_ONCE = 8
"""How many objects are read beside each other."""
KEPT = timedelta(days=3650)
NEWEST = 10**19
"""Names count down from here, so that the newest checkpoint is the first in a listing."""


class S3Place:
    """One object for each checkpoint. A minute apart at least: each is kept for ten years."""

    every_seconds = 60

    def __init__(self, bucket: Bucket, clock: Clock) -> None:
        self._bucket = bucket.name
        self._prefix = bucket.folder
        self.name = f"s3://{bucket.name}/{self._prefix}".rstrip("/")
        self._clock = clock
        self._locks: bool | None = None
        self._client = bucket.connect(Config(connect_timeout=5, read_timeout=20, retries={"max_attempts": 2}))

    def give(self, note: bytes, old: int, prove: Callable[[int], list[bytes]]) -> str:
        """Put the checkpoint under its size, for ten years where the bucket locks, where it continues the newest that is there."""
        if is_there(self.newest(), note, old, prove):
            return ""
        size = int(note.split(b"\n")[1])
        more: dict[str, Any] = {}
        if self._is_locked():
            more = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": self._clock() + KEPT}
        key = f"{self._prefix}checkpoint-{NEWEST - size:020d}"
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=note, ContentType="text/plain; charset=utf-8", **more
            )
        except (BotoCoreError, ClientError) as error:
            raise PlaceFailed(f"the bucket refuses ({_told(error)})") from None
        return ""

    def _is_locked(self) -> bool:
        if self._locks is None:
            try:
                found = self._client.get_object_lock_configuration(Bucket=self._bucket)
                self._locks = found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"
            except ClientError as error:
                # Only a clear answer is one: after trouble it is asked again, so that no checkpoint goes there without its lock.
                if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") not in {400, 404, 501}:
                    raise PlaceFailed(f"the bucket refuses ({_told(error)})") from None
                self._locks = False
            except BotoCoreError as error:
                raise PlaceFailed(f"the bucket does not answer ({_told(error)})") from None
        return self._locks

    def newest(self) -> tuple[int, bytes | None]:
        """The size and the note of the newest object."""
        size, key, version = next(self._listed(10), (0, "", ""))
        return size, self._read(key, version) if key else None

    def seen(self, note: bytes, old: int, prove: Callable[[int], list[bytes]]) -> Seen:
        """All objects; in a bucket with object lock every version of them, whatever was laid over it since."""
        found = self._listed(1_000)
        first = next(found, None)
        if first is None:
            return Seen(0)
        return Seen(first[0], self._notes(chain([first], found)))

    def _listed(self, page: int) -> Iterator[tuple[int, str, str]]:
        """Size, name and version of each checkpoint, the largest first."""
        locked = self._is_locked()
        pages: Any = self._client.get_paginator("list_object_versions" if locked else "list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{self._prefix}checkpoint-", PaginationConfig={"PageSize": page}
        )
        try:
            for one in pages:
                for found in one.get("Versions" if locked else "Contents", []):
                    digits = found["Key"].rpartition("-")[2]
                    size = NEWEST - int(digits) if digits.isascii() and digits.isdecimal() else -1
                    if 0 <= size <= LARGEST:
                        yield size, found["Key"], found.get("VersionId", "")
        except (BotoCoreError, ClientError) as error:
            raise PlaceFailed(f"the bucket cannot be read ({_told(error)})") from None

    def _notes(self, listed: Iterator[tuple[int, str, str]]) -> Iterator[tuple[int, bytes]]:
        with ThreadPoolExecutor(AT_ONCE) as readers:
            while batch := list(islice(listed, 16 * AT_ONCE)):
                bodies = readers.map(lambda one: self._read(one[1], one[2]), batch)
                yield from zip((size for size, _, _ in batch), bodies, strict=True)

    def _read(self, key: str, version: str) -> bytes:
        more: dict[str, Any] = {"VersionId": version} if version else {}
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=key, **more)["Body"]
            return bytes(body.read(1 << 20))
        except (BotoCoreError, ClientError) as error:
            raise PlaceFailed(f"the bucket cannot be read ({_told(error)})") from None


def _told(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
