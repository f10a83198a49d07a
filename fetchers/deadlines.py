"""A hard end for everything a connection does: httpx alone limits single waits, so a server that drips bytes could hold us for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

_end = threading.local()


@contextmanager
def ends_at(end: float) -> Iterator[None]:
    """Within, nothing on a connection of this thread waits past the monotonic time ``end``."""
    before = getattr(_end, "at", None)
    _end.at = end
    try:
        yield
    finally:
        _end.at = before


def _left(timeout: float | None, error: type[Exception]) -> float | None:
    end = getattr(_end, "at", None)
    if end is None:
        return timeout
    left = float(end) - time.monotonic()
    if left <= 0:
        raise error("the deadline is over")
    return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._backend.connect_tcp(host, port, left, local_address, socket_options))


def transport(verify: Any) -> httpx.HTTPTransport:
    """httpx's own transport, whose connections keep the deadline."""
    made = httpx.HTTPTransport(verify=verify, trust_env=False)
    # httpx has no argument for this, though httpcore has; a test with a dripping server notices when it stops working.
    made._pool._network_backend = _Backend()
    return made
