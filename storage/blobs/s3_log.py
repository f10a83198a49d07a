"""A bucket that keeps checkpoints, under object lock where the bucket has it: nobody can take them back then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from delivery.log_places import PlaceFailed, Seen
from delivery.ports import Clock
from storage.blobs.s3 import Bucket

if TYPE_CHECKING:
    pass

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
        """Put the checkpoint under its size, for ten years where the bucket locks."""
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
        """The first object of the listing."""
        try:
            found = self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=f"{self._prefix}checkpoint-", MaxKeys=1
            ).get("Contents", [])
            if not found:
                return 0, None
            key = found[0]["Key"]
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read(1 << 20)
            return NEWEST - int(key.rpartition("-")[2]), body
        except (BotoCoreError, ClientError, ValueError) as error:
            raise PlaceFailed(f"the bucket cannot be read ({_told(error)})") from None

    def seen(self, note: bytes, old: int, prove: Callable[[int], list[bytes]]) -> Seen:
        """What the newest object says."""
        size, kept = self.newest()
        return Seen(size, () if kept is None else ((size, kept),))


def _told(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
