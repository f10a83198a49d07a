"""gunicorn's threaded worker, whose threads never wait for a reader to read."""

from __future__ import annotations

import resource
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from admin.sending.pump import Pump, report_break
from admin.sending.transfer import MOST_AT_ONCE, Transfer
from delivery.outgoing import Outgoing, Part, close

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

UNSENT = 256 * 1024
"""Bytes that wait in the kernel for each reader (tcp(7), TCP_NOTSENT_LOWAT); the rest waits in its file."""
CONNECTIONS = 4000
FILES = 3 * CONNECTIONS


class PumpWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A thread makes an answer and sends what the socket takes at once. The pump sends the rest, however long it takes.

    Relies on gunicorn's ``handle``, ``accept``, ``finish_request``, ``nr_conns``, ``pending_conns`` and ``method_queue``.
    """

    def init_process(self) -> None:
        """In the worker process, before it serves."""
        self.pump = Pump()
        self._serving = threading.local()
        allow_files(FILES)
        super().init_process()

    def load_wsgi(self) -> None:
        """The app, with its bodies taken over."""
        self.wsgi = self._taking_over(self.app.wsgi())

    def run(self) -> None:
        """Serve until told to stop; transfers have the graceful time-out to end in."""
        self.pump.start()
        try:
            super().run()
        finally:
            self.pump.stop()

    def set_accept_enabled(self, enabled: bool) -> None:
        """Told to stop: whoever is connected is answered, and the ports are closed before the last download has ended.

        A port that nobody accepts from would let readers wait in the kernel instead of sending them to another process.
        """
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            for listener in self.sockets:
                while self._take(listener):
                    pass
                listener.close()

    def accept(self, listener: socket.socket) -> None:
        """A new connection waits for its first bytes in the poller: a silent one holds no thread either."""
        self._take(listener)

    def _take(self, listener: socket.socket) -> bool:
        try:
            client, address = listener.accept()
        except ConnectionAbortedError:
            return True
        except BlockingIOError:
            return False
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        self.nr_conns += 1
        conn = TConn(self.cfg, client, address, listener.getsockname())
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(client, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))
        return True

    def handle(self, conn: Any) -> Any:
        """One request, in a thread of the pool."""
        self._serving.conn = conn
        return super().handle(conn)

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """In the main thread, when the pool is done with a request: what is left to send goes to the pump first."""
        transfer, conn.transfer = getattr(conn, "transfer", None), None
        if transfer is None:
            self._go_on(conn, fs)
        else:
            self.pump.add(transfer, partial(self.method_queue.defer, self._sent, conn, fs))

    def _sent(self, conn: Any, fs: Future[Any], whole: bool) -> None:
        if whole:
            self._go_on(conn, fs)
        else:
            self.nr_conns -= 1
            conn.close()

    def _go_on(self, conn: Any, fs: Future[Any]) -> None:
        if fs.cancelled() or fs.exception() is not None or fs.result() is not False:
            super().finish_request(conn, fs)
        else:  # gunicorn would let its main thread wait here
            self.pump.linger(conn.sock, partial(self.method_queue.defer, self._ended))

    def _ended(self) -> None:
        self.nr_conns -= 1

    def _taking_over(self, app: WSGIApplication) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            head = _Head(start_response)
            body = app(environ, head)
            promised = head.promised(environ["REQUEST_METHOD"])
            if promised:
                head.write(b"")  # sends the head; gunicorn sees to keep-alive
                self._send(Transfer(self._serving.conn.sock, _parts(body), promised), body)
                return []
            return body

        return answer

    def _send(self, transfer: Transfer, body: object) -> None:
        conn = self._serving.conn
        try:
            if not _send_at_once(transfer):
                conn.transfer = transfer
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - the head is gone: all that is left is to break off
            report_break(error)
            conn.sock.shutdown(socket.SHUT_RDWR)
        finally:
            conn.sock.setblocking(True)
            if getattr(conn, "transfer", None) is not transfer:
                close(body)


class _Head:
    """Hears what the app says of its answer."""

    def __init__(self, start_response: StartResponse) -> None:
        self._start_response = start_response
        self._status = ""
        self._length = ""

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        self._status = status
        self._length = next((value for name, value in headers if name.lower() == "content-length"), "")
        self.write = self._start_response(status, headers, exc_info)
        return self.write

    def promised(self, method: str) -> int:
        """Bytes of the body, where there is one and its length is known; else 0."""
        has_body = method != "HEAD" and self._status[:3] not in {"204", "304"} and not self._status.startswith("1")
        return int(self._length) if has_body and self._length.isdigit() else 0


def _parts(body: Iterable[bytes]) -> Iterator[Part]:
    return body.parts if isinstance(body, Outgoing) else iter(body)


def _send_at_once(transfer: Transfer) -> bool:
    """Send what the socket takes without waiting, up to a limit. True when all is sent and the next answer could follow."""
    transfer.sock.setblocking(False)
    end = max(0, transfer.left - MOST_AT_ONCE)
    try:
        while transfer.left > end:
            if transfer.wants_part:
                transfer.fetch()
            transfer.send()
    except BlockingIOError:
        return False
    return not transfer.left and transfer.is_writable


def allow_files(wanted: int) -> None:
    """Raise the limit on open files as far as we need it and may: each transfer holds a socket and a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
