"""PostgreSQL: the server that runs on this machine when it trusts us, else one of our own from Debian's binaries."""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from tests.services.processes import ServiceUnavailableError, as_user, folder_for, free_port, running, wait_until


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a server on which we may create databases.

    ``RUSHLIGHT_TEST_POSTGRES`` names it; else it is looked for at the usual place; else one is started.
    """
    named = os.environ.get("RUSHLIGHT_TEST_POSTGRES")
    usual = [f"postgresql://{user}@127.0.0.1:5432/postgres" for user in ("postgres", getpass.getuser())]
    for url in [named] if named else usual:
        if _may_create(url):
            yield url
            return
    if named:
        raise RuntimeError("RUSHLIGHT_TEST_POSTGRES names a server that does not let us create databases")
    with _own_server() as url:
        yield url


@contextlib.contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """An empty UTF-8 database, dropped afterwards; its URL is in SQLAlchemy's form."""
    name = f"rushlight_test_{secrets.token_hex(8)}"
    with psycopg.connect(server, autocommit=True) as connection:
        letters = "ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 {letters}".encode())
    try:
        url = make_url(server).set(drivername="postgresql+psycopg", database=name)
        yield url.render_as_string(hide_password=False)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _may_create(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            question = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            return connection.execute(question).fetchone() == (True,)
    except psycopg.OperationalError:
        return False


@contextlib.contextmanager
def _own_server() -> Iterator[str]:
    binaries = _newest_binaries()
    with folder_for("postgres") as folder:
        data, log = folder / "data", folder / "log"
        port = free_port()
        settings = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(
            as_user("postgres", binaries / "initdb", "-D", data, *settings), cwd=folder, check=True, capture_output=True
        )
        options = ["-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        server = as_user("postgres", binaries / "postgres", "-D", data, *options)
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        with running(server, folder, log) as process:
            wait_until(lambda: _may_create(url), process, log)
            yield url


class OwnPostgres:
    """A server of a test's own, to be stopped, paused and started again. Its files are synced as in real life."""

    def __init__(self, folder: Path) -> None:
        self._binaries, self._folder = _newest_binaries(), folder
        port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        settings = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        made = as_user("postgres", self._binaries / "initdb", "-D", folder / "data", *settings)
        subprocess.run(made, cwd=folder, check=True, capture_output=True)
        options = ["-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1"]
        self._line = as_user("postgres", self._binaries / "postgres", "-D", folder / "data", *options)
        self._stack = contextlib.ExitStack()
        self.start()

    def start(self) -> None:
        """Start it; returns when it answers."""
        self._stack = contextlib.ExitStack()
        log = self._folder / "log"
        self._process = self._stack.enter_context(running(self._line, self._folder, log))
        wait_until(lambda: _may_create(self.url), self._process, log)

    def processes(self) -> list[int]:
        """The server and its children."""
        pid = self._process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def stop(self, sign: int = signal.SIGINT) -> None:
        """End it by a signal: SIGQUIT is the immediate stop."""
        self._process.send_signal(sign)
        self._process.wait(30)
        self._stack.close()


@contextlib.contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """One, ended afterwards."""
    with folder_for("postgres") as folder:
        server = OwnPostgres(folder)
        try:
            yield server
        finally:
            server.stop()


def _newest_binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda each: int(each.parts[-3]))
    if not found:
        raise ServiceUnavailableError(
            "no PostgreSQL: none runs on 127.0.0.1:5432 and the package postgresql is missing"
        )
    return found[-1].parent
