"""Serves both apps from one gunicorn process or several, with the worker and the sweeper in threads of each."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response
from gunicorn.app.base import BaseApplication
from gunicorn.http.errors import ParseException

from admin.sending.worker import CONNECTIONS, PumpWorker
from admin.serving_log import ServerLog
from admin.settings import Settings, SettingsError
from delivery.web.shell.problems import problem

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PR_SET_PDEATHSIG = 1
PORTS_TO_TRY = 50


@dataclass(frozen=True)
class Ports:
    """Open, listening sockets: kept open from the choice of the port on, so that nobody can take it in between."""

    reader: socket.socket
    staff: socket.socket

    @property
    def numbers(self) -> tuple[int, int]:
        """The reader app's and the staff app's port."""
        return self.reader.getsockname()[1], self.staff.getsockname()[1]


def open_ports(settings: Settings) -> Ports:
    """The wished ports, or the next free ones; SettingsError when none is free or the address is not ours."""
    return Ports(
        _listen(settings.host, settings.reader_port, "RUSHLIGHT_READER_PORT"),
        _listen(settings.host, settings.staff_port, "RUSHLIGHT_STAFF_PORT"),
    )


def _listen(host: str, port: int, name: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    problem: OSError | None = None
    for candidate in range(port, min(port + PORTS_TO_TRY, 65536)) if port else [0]:
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, candidate))
            listening.listen(512)
            return listening
        except OSError as error:
            listening.close()
            problem = error
    raise SettingsError(f"{name}: cannot listen on {host} from port {port} on ({problem})")


def with_addresses(settings: Settings, ports: Ports) -> Settings:
    """The settings with the ports that were really taken, and the public addresses that follow from them."""
    reader, staff = ports.numbers
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.model_copy(
        update={
            "reader_port": reader,
            "staff_port": staff,
            "public_url": settings.public_url or f"http://{host}:{reader}",
            "staff_url": settings.staff_url or f"http://{host}:{staff}",
        }
    )


class BothApps:
    """Hands a request to the reader's or the staff's app by the port it came in on. The port is the socket's, not the client's word."""

    def __init__(self, by_port: dict[str, WSGIApplication]) -> None:
        self._by_port = by_port

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI."""
        app = self._by_port.get(str(environ.get("SERVER_PORT", "")))
        if app is None:
            start_response("421 Misdirected Request", [("Content-Type", "text/plain")])
            return [b"no app answers on this port\n"]
        return app(environ, start_response)


def answer_bad_bodies(app: Flask) -> None:
    """A body that breaks HTTP is its sender's fault. gunicorn finds out while a view reads it, and raises errors of its own."""

    def bad(error: ParseException) -> Response:
        return problem(400, "http-400", "Bad Request")

    app.register_error_handler(ParseException, bad)


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, options: dict[str, Any], load: Callable[[], WSGIApplication]) -> None:
        self._options = options
        self._load = load
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        return self._load()


def serve(
    settings: Settings,
    ports: Ports,
    load: Callable[[], WSGIApplication],
    started: Callable[[], None],
    stopped: Callable[[], None],
) -> None:
    """Serve until a signal ends it. ``load``, ``started`` and ``stopped`` run in the worker process, after the fork."""
    ready = settings.home / "serving.json"
    ready.unlink(missing_ok=True)
    parent = os.getpid()

    def after_init(worker: Any) -> None:
        die_with_parent(parent)
        started()
        write_ready(ready, settings, parent)

    os.environ.pop("GUNICORN_CMD_ARGS", None)
    options = {
        "bind": [f"fd://{ports.reader.fileno()}", f"fd://{ports.staff.fileno()}"],
        "worker_class": PumpWorker,
        "workers": settings.web_processes,
        "threads": settings.threads,
        "worker_connections": CONNECTIONS,
        "timeout": 120,
        "graceful_timeout": settings.stop_seconds,
        "keepalive": 5,
        "max_requests": 0,
        "limit_request_line": 8190,
        "control_socket_disable": True,
        "loglevel": "warning",
        "logger_class": ServerLog,
        "proc_name": "rushlight",
        "post_worker_init": after_init,
        "worker_exit": lambda server, worker: stopped(),
        "on_exit": lambda server: ready.unlink(missing_ok=True),
    }
    _Server(options, load).run()


def write_ready(path: Path, settings: Settings, pid: int) -> None:
    """Tell other processes where the apps listen."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    content = {"pid": pid, "reader": settings.public_url, "staff": settings.staff_url}
    content |= {"reader_port": settings.reader_port, "staff_port": settings.staff_port}
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(path)


def die_with_parent(parent: int) -> None:
    """Let the kernel end this process with its parent (prctl(2), PR_SET_PDEATHSIG)."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
