"""Mail out: an SMTP server, or a folder that the operator can look into."""

from __future__ import annotations

import os
import re
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from delivery.ports import Clock, Letter, MailFailed

SECONDS = 30
TOO_LARGE = 552
SIGN_IN = frozenset({530, 534, 535, 538})
"""What a server answers, at any moment, to somebody who is not signed in as it wants."""


def to_message(letter: Letter, sender: str, clock: Clock) -> EmailMessage:
    """The letter as a mail with a text and an HTML part. EmailMessage refuses line breaks in headers."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(clock())
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    if letter.reply_to:
        message["Reply-To"] = letter.reply_to
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    # Last, because add_alternative moves all Content-* headers into the first part.
    message["Content-Language"] = letter.language
    return message


class MailFolder:
    """Keeps each mail as an .eml file named by its Message-ID: a repeat replaces itself."""

    def __init__(self, folder: Path, sender: str, clock: Clock) -> None:
        self._folder = folder
        self._sender = sender
        self._clock = clock

    def send(self, letter: Letter) -> None:
        """Write the mail whole or not at all."""
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", letter.message_id.strip("<>").partition("@")[0])[:120]
        part = self._folder / f".{name}.{os.getpid()}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.write_bytes(to_message(letter, self._sender, self._clock).as_bytes())
            part.replace(self._folder / f"{name}.eml")
        except OSError as error:
            raise MailFailed(f"the mail folder cannot be written ({error.strerror})") from error
        except ValueError as error:
            raise MailFailed("the letter has an address or subject that no mail can carry", permanent=True) from error


class SmtpMailer:
    """Sends through a mail server: smtp:// (STARTTLS where offered) or smtps://."""

    def __init__(self, url: str, sender: str, clock: Clock) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("must be smtp://host:port or smtps://host:port")
        self._tls = parts.scheme == "smtps"
        self._host = parts.hostname
        self._port = parts.port or (465 if self._tls else 25)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender
        self._clock = clock

    def send(self, letter: Letter) -> None:
        """Hand the mail to the server. A refused recipient or message is permanent; what ails the server is waited for.

        So are a sign-in or a sender that it refuses: they are the same for all letters, and for the operator to mend.
        """
        try:
            message = to_message(letter, self._sender, self._clock)
            with self._connect() as server:
                self._sign_in(server)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise MailFailed(
                f"the mail server refuses the recipient ({codes})", all(_is_final(c) for c in codes)
            ) from error
        except smtplib.SMTPDataError as error:
            raise MailFailed(f"the mail server answers {error.smtp_code}", _is_final(error.smtp_code)) from error
        except smtplib.SMTPResponseException as error:
            # A greeting, a sign-in or a sender: it would say so of any letter, but of one that is too large.
            raise MailFailed(f"the mail server answers {error.smtp_code}", error.smtp_code == TOO_LARGE) from error
        except (OSError, smtplib.SMTPException) as error:
            raise MailFailed(f"the mail server cannot be reached ({type(error).__name__})") from error
        except ValueError as error:
            raise MailFailed("the letter has an address or subject that no mail can carry", permanent=True) from error

    def _sign_in(self, server: smtplib.SMTP) -> None:
        if not self._user:
            return
        try:
            server.login(self._user, self._password)
        except ValueError as error:
            raise MailFailed("the user name or password for the mail server has letters that it cannot take") from error

    def _connect(self) -> smtplib.SMTP:
        if self._tls:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=SECONDS, context=ssl.create_default_context())
        server = smtplib.SMTP(self._host, self._port, timeout=SECONDS)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        return server

    def probe(self) -> None:
        """Connect and leave; OSError or SMTPException tells what is wrong."""
        with self._connect() as server:
            server.noop()


def _is_final(code: int) -> bool:
    """Whether an answer to a recipient or a message is its end."""
    return code >= 500 and code not in SIGN_IN
