"""Blobs in a bucket of an S3 store, with their SHA-256 kept beside them and checked on the way back."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError, HTTPClientError

from delivery.errors import StorageFull, Unavailable
from delivery.ports import Blob
from delivery.violations import StoredFile
from storage.blobs.errors import BlobMissing
from storage.blobs.names import checked
from storage.blobs.workroom import Workroom, trouble

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MIB = 1024 * 1024
PIECE = 64 * 1024
"""Smaller than a file's: each transfer holds one piece, and the client library as much again."""
SINGLE = 64 * MIB
"""Files up to this size go in one call, with their digest checked by the store; larger ones in parts."""
TRIES = 4
"""How often in a row a transfer is taken up again that breaks off before another piece has come."""
GONE = {"NoSuchKey", "404", "NotFound"}
FULL = {"InsufficientCapacity", "QuotaExceeded", "507"}
DIGEST = "rushlight-sha256"


@dataclass(frozen=True)
class Bucket:
    """Where the bucket is and what opens it. Without keys the environment's are taken; an empty endpoint is Amazon's."""

    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    access_key: str = ""
    secret_key: str = ""

    @property
    def folder(self) -> str:
        """What all names in the bucket begin with."""
        inner = self.prefix.strip("/")
        return f"{inner}/" if inner else ""

    def connect(self, config: Config) -> S3Client:
        """A client of the store. A store that is not Amazon's is asked by path: it need not know host names."""
        by_path = Config(s3={"addressing_style": "path"} if self.endpoint else {})
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint or None,
            region_name=self.region,
            aws_access_key_id=self.access_key or None,
            aws_secret_access_key=self.secret_key or None,
            config=config.merge(by_path),
        )


class S3Blobs:
    """A bucket. Files are worked on in a local folder; nothing is ever served from the store's own addresses."""

    def __init__(self, bucket: Bucket, work_folder: Path) -> None:
        self._bucket = bucket.name
        self._prefix = bucket.folder
        self._room = Workroom(work_folder)
        retries: Any = {"mode": "standard", "total_max_attempts": 5}
        self._client = bucket.connect(
            Config(connect_timeout=5, read_timeout=30, retries=retries, max_pool_connections=64)
        )

    def _key(self, name: str) -> str:
        return self._prefix + checked(name)

    def put(self, name: str, source: Path) -> Blob:
        """Store the file under ``name``: there whole or not at all, its digest checked by the store or kept beside it."""
        key = self._key(name)
        digest, size = _digest(source)
        kept = {DIGEST: digest.hex()}
        try:
            if size <= SINGLE:
                with source.open("rb") as body:
                    self._client.put_object(
                        Bucket=self._bucket,
                        Key=key,
                        Body=body,
                        Metadata=kept,
                        ChecksumSHA256=b64encode(digest).decode(),
                        ContentType="application/octet-stream",
                    )
            else:
                self._client.upload_file(
                    str(source),
                    self._bucket,
                    key,
                    ExtraArgs={"Metadata": kept, "ChecksumAlgorithm": "SHA256"},
                    Config=TransferConfig(multipart_threshold=SINGLE, multipart_chunksize=16 * MIB, max_concurrency=4),
                )
        except OSError as error:
            raise trouble(error) from error
        except Exception as error:
            raise _failed(error, name) from error
        return Blob(name, digest.hex(), size)

    def open(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes from ``start`` in pieces; BlobMissing at once when it is not there.

        A transfer that breaks off goes on where it stopped, on the same version of the blob only. The last piece comes after the
        store's checksum was compared, where it sent one: what was spoilt on the way never comes to its end.
        """
        key = self._key(name)
        if length == 0:
            if not self.exists(name):
                raise BlobMissing(name)
            return iter(())
        return self._pieces(name, self._part(name, key, start, length, ""), start)

    def _pieces(self, name: str, first: Any, start: int) -> Iterator[bytes]:
        """What an answer of the store brings, and what is asked for again where it breaks off. The last piece comes when all is checked."""
        answer, at, left = first, start, TRIES
        end = start + int(answer["ContentLength"])
        while at < end:
            try:
                held = b""
                for piece in answer["Body"].iter_chunks(PIECE):
                    if at + len(piece) >= end:
                        held = piece
                        continue
                    at, left = at + len(piece), TRIES
                    yield piece
                at += len(held)
                if held:
                    yield held
                if at < end:
                    raise Unavailable("blob-store", "The blob store sent less than it promised.", 30)
            except FlexibleChecksumError:
                raise Unavailable("blob-store", "The blob store gave back other bytes.", 30) from None
            except (HTTPClientError, BotoCoreError, OSError, Unavailable):
                left -= 1
                if not left:
                    raise Unavailable("blob-store", "The blob store breaks off again and again.", 30) from None
                answer = self._part(name, self._key(name), at, end - at, str(first["ETag"]))

    def file(self, name: str) -> None:
        """None: the blob is on another machine."""

    def _part(self, name: str, key: str, start: int, length: int | None, etag: str) -> Any:
        asked: dict[str, Any] = {"Bucket": self._bucket, "Key": key}
        if start or length is not None:
            asked["Range"] = f"bytes={start}-" + ("" if length is None else str(start + length - 1))
        if etag:
            asked["IfMatch"] = etag
        try:
            return self._client.get_object(**asked)
        except Exception as error:
            raise _failed(error, name) from error

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """A copy of the blob on this machine, compared with the digest it was stored with; removed afterwards."""
        answer = self._part(name, self._key(name), 0, None, "")
        wanted = str(answer["Metadata"].get(DIGEST, ""))
        with self._room.workspace() as folder:
            path, digest = folder / "blob", hashlib.sha256()
            try:
                with path.open("xb") as file:
                    for piece in self._pieces(name, answer, 0):
                        digest.update(piece)
                        file.write(piece)
            except OSError as error:
                raise trouble(error) from error
            if wanted and digest.hexdigest() != wanted:
                raise Unavailable("blob-damaged", "The stored file is not what was stored. A person has to look.", 300)
            yield path

    def _head(self, name: str) -> str:
        try:
            return self._client.head_object(Bucket=self._bucket, Key=self._key(name))["Metadata"].get(DIGEST, "")
        except Exception as error:
            raise _failed(error, name) from error

    def exists(self, name: str) -> bool:
        """Whether the blob is there."""
        try:
            self._head(name)
        except BlobMissing:
            return False
        return True

    def remove(self, name: str) -> None:
        """Forget the blob."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=self._key(name))
        except Exception as error:
            raise _failed(error, name) from error

    def workspace(self) -> AbstractContextManager[Path]:
        """A private folder on this machine, removed afterwards."""
        return self._room.workspace()

    def sweep(self, older_than: float) -> int:
        """Remove what killed processes left: local work folders, and uploads in parts that were never finished."""
        swept = self._room.sweep(older_than)
        for key, upload in list(self._uploads(older_than)):
            try:
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
            except Exception as error:
                raise _failed(error, "") from error
            swept += 1
        return swept

    def _uploads(self, older_than: float) -> Iterator[tuple[str, str]]:
        """Key and id of the uploads in parts that were begun before a time stamp and never finished."""
        try:
            for page in self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            ):
                for upload in page.get("Uploads", []):
                    if upload["Initiated"].timestamp() < older_than:
                        yield upload["Key"], upload["UploadId"]
        except Exception as error:
            raise _failed(error, "") from error

    def listed(self, prefix: str = "") -> Iterator[StoredFile]:
        """Every blob whose name begins so, in the store's own sequence, which is that of the bytes of the names."""
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            ):
                for entry in page.get("Contents", []):
                    name = entry["Key"][len(self._prefix) :]
                    yield StoredFile(name, entry["Size"], entry["LastModified"].timestamp())
        except Exception as error:
            raise _failed(error, "") from error

    def unfinished(self, older_than: float) -> tuple[str, ...]:
        """Work folders on this machine and uploads in parts from before the given time stamp."""
        here = [f"{self._room.folder.name}/{path.name}" for path in self._room.left(older_than)]
        return tuple(sorted(here + [f"{key}?uploadId={upload}" for key, upload in self._uploads(older_than)]))

    def probe(self) -> None:
        """Write, read and remove a small blob; Unavailable says what does not work."""
        with self._room.workspace() as folder:
            (folder / "probe").write_bytes(b"probe")
            self.put("probe.bin", folder / "probe")
        if b"".join(self.open("probe.bin")) != b"probe":
            raise Unavailable("blob-store", "The blob store does not give back what was stored.", 30)
        self.remove("probe.bin")


def _digest(source: Path) -> tuple[bytes, int]:
    digest, size = hashlib.sha256(), 0
    try:
        with source.open("rb") as file:
            while piece := file.read(MIB):
                digest.update(piece)
                size += len(piece)
    except OSError as error:
        raise trouble(error) from error
    return digest.digest(), size


def _failed(error: Exception, name: str) -> Exception:
    """Our error for one of the library's: what is gone, what is full, what may work later. Others are faults of ours."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
        if code in GONE:
            return BlobMissing(name)
        if code in FULL or status == "507":
            return StorageFull("storage-full", "The blob store is full. What was stored before is safe.", 60)
        return Unavailable("blob-store", f"The blob store refuses ({code or status}). Nothing was lost.", 30)
    if isinstance(error, BotoCoreError | HTTPClientError) or type(error).__module__.startswith(("boto3", "s3transfer")):
        return Unavailable("blob-store", f"The blob store does not answer ({type(error).__name__}).", 30)
    return error
