"""Running installations to put load on: by the embedded profile, and on PostgreSQL, RabbitMQ and a bucket."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pikepdf

from admin.log_wiring import processors
from admin.sample.collection import COLUMNS
from benchmarks.pdf_engine.documents import article
from delivery.people import Role
from delivery.stores import ApiTokenRecord, Source
from tests.services.postgres import fresh_database, postgres_server
from tests.services.processes import running, wait_until
from tests.services.rabbitmq import rabbitmq_server
from tests.services.rushlight_server import rushlight_server
from tests.services.s3 import s3_server
from tests.services.smtp import smtp_server
from tests.storage.test_blobs import bucket_of
from tests.world import World, collection_for, make_world

READERS = 24
TITLE = "Article %06d"


@dataclass(frozen=True)
class Installed:
    """An installation that runs: what looks into it, what its readers' programs send along, its port and its processes."""

    world: World
    headers: list[dict[str, str]]
    folder: Path
    port: int
    pids: tuple[int, ...]

    @property
    def article(self) -> Path:
        """The first of the articles that can be asked for."""
        return self.folder / "stock" / "a0.pdf"

    def cpu(self) -> float:
        """Seconds of the processor that its processes have used."""
        return sum(cpu_of(pid) for pid in self.pids)


@contextmanager
def embedded(folder: Path, articles: int) -> Iterator[Installed]:
    """One process on SQLite and a folder, as ``rushlight serve`` begins."""
    world, headers = world_of(folder, articles, readers=READERS)
    with rushlight_server(folder / "home") as served:
        yield Installed(world, headers, folder, served.port, (served.pid,))
    world.close()


@contextmanager
def on_services(folder: Path, articles: int) -> Iterator[Installed]:
    """As many web processes as there are cores, as the guide for production says, and a worker on PostgreSQL, RabbitMQ, a bucket and a mail
    server, all on this machine."""
    with ExitStack() as stack:
        server, mailbox = stack.enter_context(postgres_server()), stack.enter_context(smtp_server())
        bucket = bucket_of(stack.enter_context(s3_server()))
        settings = {
            "database_url": stack.enter_context(fresh_database(server)),
            "secrets_url": stack.enter_context(fresh_database(server)),
            "broker_url": stack.enter_context(rabbitmq_server()),
            "blob_url": f"s3://{bucket.name}/{bucket.prefix}",
            "s3_endpoint": bucket.endpoint,
            "s3_access_key": bucket.access_key,
            "s3_secret_key": bucket.secret_key,
            "smtp_url": f"smtp://{mailbox.host}:{mailbox.port}",
            "web_processes": str(processors()),
        }
        world, headers = world_of(folder, articles, readers=READERS, **settings)
        stack.callback(world.close)
        served = stack.enter_context(rushlight_server(folder / "home", **settings))
        own = {f"RUSHLIGHT_{name.upper()}": value for name, value in settings.items()}
        log = folder / "worker.log"
        line, home = [sys.executable, "-u", "-m", "admin.cli", "worker"], {"RUSHLIGHT_HOME": str(folder / "home")}
        worker = stack.enter_context(running(line, Path.cwd(), log, {**home, **own}))
        wait_until(lambda: b"worker is ready" in log.read_bytes(), worker, log, 90)
        yield Installed(world, headers, folder, served.port, (served.pid, worker.pid))


def stock(folder: Path, count: int) -> None:
    """A collection of ``count`` articles of fourteen pages that differ in a byte or two, as far as anybody can tell."""
    folder.mkdir()
    first = folder / "a.pdf"
    with pikepdf.open(article(14, folder.parent)) as pdf:
        pdf.docinfo["/Title"] = TITLE % 0
        pdf.save(first, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    made = first.read_bytes()
    first.unlink()
    rows = ["\t".join(COLUMNS)]
    for number in range(count):
        data = made.replace((TITLE % 0).encode(), (TITLE % number).encode())
        (folder / f"a{number}.pdf").write_bytes(data)
        cells = {"file": f"a{number}.pdf", "title": TITLE % number, "doi": f"10.5555/load.{number}", "year": "2021",
                 "container": "Journal of Load", "issn": "2999-0017", "genre": "article", "pages": "1-14"}  # fmt: skip
        rows.append("\t".join(cells.get(name, "") for name in COLUMNS))
    (folder / "holdings.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def world_of(
    folder: Path, articles: int, database_url: str = "", readers: int = 1, **settings: str
) -> tuple[World, list[dict[str, str]]]:
    """An installation with the collection as its source, and what programs of its readers send along."""
    world = make_world(folder / "home", collection_for(folder), database_url, **settings)
    world.clock.now = datetime.now(UTC)
    stock(folder / "stock", articles)
    source = Source("stock", "local_collection", "Stock", "harbour", ("open",), {"folder": str(folder / "stock")}, 10)
    people = [world.reader, *(world.add_person(f"reader{number}", Role.READER) for number in range(1, readers))]
    headers = []
    with world.store.write() as work:
        work.sources.save(source)
        for person in people:
            token, claims = world.ctx.api_tokens.issue(person.id, world.clock(), timedelta(days=1))
            work.tokens.add_api_token(ApiTokenRecord(claims.token_id, person.id, "", world.clock(), claims.expires_at))
            headers.append({"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    return world, headers


def _children(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from _children(int(child))


def cpu_of(pid: int) -> float:
    """Seconds of the processor that a process and those it made have used, ended ones too."""
    total = 0
    for one in set(_children(pid)):
        try:
            words = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(word) for word in words[11:15])
    return total / os.sysconf("SC_CLK_TCK")
