"""What is left to send of one answer."""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import termios
from collections.abc import Iterator

from delivery.outgoing import FileSlice, Part, close

MOST_AT_ONCE = 1024 * 1024
"""Bytes that one reader is sent before it is another's turn."""


class CutShort(Exception):
    """Fewer bytes came than the head of the answer promised: the connection must end, so that the reader notices."""


class Transfer:
    """The parts of a body on their way into a non-blocking socket. Used by one thread at a time.

    At most one part is held: a slice of an open file, or bytes as the source gave them. Never more than ``promised`` bytes are sent.
    """

    def __init__(self, sock: socket.socket, parts: Iterator[Part], promised: int) -> None:
        self.sock = sock
        self.left = promised
        self._parts = parts
        self._file: FileSlice | None = None
        self._bytes = memoryview(b"")

    @property
    def wants_part(self) -> bool:
        """Whether ``fetch`` must be called before more can be sent."""
        return self.left > 0 and self._file is None and not self._bytes

    @property
    def taken(self) -> int:
        """Minus the bytes that the reader's machine has not acknowledged: grows only when the reader reads (tcp(7), SIOCOUTQ)."""
        waiting = fcntl.ioctl(self.sock, termios.TIOCOUTQ, b"\0\0\0\0")
        return -self.left - int(struct.unpack("i", waiting)[0])

    @property
    def is_writable(self) -> bool:
        """Whether the socket takes bytes now."""
        poll = select.poll()
        poll.register(self.sock, select.POLLOUT)
        return bool(poll.poll(0))

    def fetch(self) -> None:
        """Take the next part from the source, which may take a while; CutShort when the source has ended."""
        part = next(self._parts, None)
        while part == b"":
            part = next(self._parts, None)
        if part is None:
            raise CutShort
        if isinstance(part, FileSlice):
            self._file = part
        else:
            self._bytes = memoryview(part)[: self.left]

    def send(self) -> None:
        """Send some of the part at hand; BlockingIOError when the socket takes nothing now, OSError when it is gone."""
        most = min(MOST_AT_ONCE, self.left)
        if self._file is None:
            sent = self.sock.send(self._bytes[:most])
            self._bytes = self._bytes[sent:]
        else:
            sent = self._send_file(self._file, min(most, self._file.length))
        self.left -= sent

    def _send_file(self, part: FileSlice, most: int) -> int:
        sent = os.sendfile(self.sock.fileno(), part.file.fileno(), part.start, most)
        if not sent:
            raise CutShort
        more = part.length - sent
        self._file = FileSlice(part.file, part.start + sent, more) if more else None
        return sent

    def close(self) -> None:
        """Let go of what the source holds open. The socket stays."""
        self._file = None
        close(self._parts)
