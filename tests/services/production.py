"""The production profile on loopback: PostgreSQL, a broker, an S3 store and a mail server, with processes of their own folders."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.counts import SHORT_LEASE
from tests.services.postgres import fresh_database
from tests.services.processes import running, wait_until
from tests.services.s3 import S3Server
from tests.services.smtp import Mailbox
from tests.storage.test_blobs import bucket_of
from tests.world import World, make_world


@dataclass(frozen=True)
class Production:
    """A world on real services, and the settings that bring any process to it."""

    world: World
    settings: Mapping[str, str]
    folder: Path

    def environment(self, home: Path) -> dict[str, str]:
        """The environment of a process with a home folder of its own, as on another machine: the same keys, nothing else."""
        if not home.exists():
            home.mkdir(mode=0o700)
            known = self.world.services.settings
            for file in (known.key_file, known.log_key_file):
                shutil.copy2(file, home / file.name)
        own = {f"RUSHLIGHT_{name.upper()}": value for name, value in self.settings.items()}
        ports = {"RUSHLIGHT_READER_PORT": "0", "RUSHLIGHT_STAFF_PORT": "0"}
        return {**os.environ, **own, **ports, "RUSHLIGHT_HOME": str(home)}

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command in the world's own home, to its end."""
        home = self.world.services.settings.home
        line = [sys.executable, "-m", "admin.cli", *words]
        return subprocess.run(
            line, env=self.environment(home), capture_output=True, text=True, timeout=200, check=False
        )

    @contextlib.contextmanager
    def process(self, kind: str, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """A web or worker process that is ready."""
        home, log = self.folder / name, self.folder / f"{name}.log"
        line = [sys.executable, "-u", "-m", "admin.cli", kind]
        with running(line, Path.cwd(), log, self.environment(home)) as process:
            told = home / "serving.json"
            is_up = told.exists if kind == "serve" else (lambda: b"worker is ready" in log.read_bytes())
            wait_until(is_up, process, log, 90)
            yield process

    def address(self, name: str) -> str:
        """Where a web process answers readers."""
        told = json.loads((self.folder / name / "serving.json").read_text(encoding="utf-8"))
        return f"http://127.0.0.1:{told['reader_port']}"


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9 of a process and all that it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def production(
    folder: Path, collection: Path, postgres_server: str, broker: str, s3: S3Server, mailbox: Mailbox
) -> Iterator[Production]:
    """An installation with a library, its people and a collection, on services alone; no process runs yet."""
    bucket = bucket_of(s3)
    folder.mkdir()
    with fresh_database(postgres_server) as database, fresh_database(postgres_server) as secrets:
        settings = {
            "database_url": database,
            "secrets_url": secrets,
            "broker_url": broker,
            "blob_url": f"s3://{bucket.name}/{bucket.prefix}",
            "s3_endpoint": bucket.endpoint,
            "s3_access_key": bucket.access_key,
            "s3_secret_key": bucket.secret_key,
            "smtp_url": f"smtp://{mailbox.host}:{mailbox.port}",
            "public_url": "http://127.0.0.1",
            "lease_seconds": SHORT_LEASE,
        }
        more = {name: value for name, value in settings.items() if name != "database_url"}
        world = make_world(folder / "main", collection, database, **more)
        world.clock.now = datetime.now(UTC)
        try:
            yield Production(world, settings, folder)
        finally:
            world.close()
