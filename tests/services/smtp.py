"""A mail server on loopback that keeps what it is sent, or refuses it when told so."""

from __future__ import annotations

import contextlib
import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.services.processes import free_port


@dataclass(frozen=True)
class Letter:
    """One accepted message as the server saw it."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage


@dataclass
class Mailbox:
    """What has arrived. Set ``reply`` to a line with 4xx or 5xx to act as a server in trouble."""

    host: str
    port: int
    reply: str = "250 OK"
    letters: list[Letter] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Called by aiosmtpd for every message."""
        if self.reply.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            message = email.message_from_bytes(content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.letters.append(Letter(envelope.mail_from or "", tuple(envelope.rcpt_tos), message))
        return self.reply


@contextlib.contextmanager
def smtp_server(kind: type[Mailbox] = Mailbox) -> Iterator[Mailbox]:
    """An empty mailbox behind a real SMTP conversation; ``kind`` may be one that is in trouble."""
    mailbox = kind("127.0.0.1", free_port())  # its controller does not work with port 0
    controller = Controller(mailbox, hostname=mailbox.host, port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
