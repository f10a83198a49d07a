"""Which answers of a mail server are the end of a letter, and which are the server's own trouble."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import pytest

from admin.mail import SmtpMailer
from delivery.ports import Letter, MailFailed

LETTER = Letter("Maeve <maeve@harbour.example.org>", "Your document", "Text", "<p>Text</p>", "<1@x.example>", "en")
GOOD = {
    "banner": "220 ready",
    "EHLO": "250-here\r\n250 AUTH PLAIN",
    "AUTH": "235 welcome",
    "MAIL": "250 OK",
    "RCPT": "250 OK",
    "DATA": "354 go on",
    ".": "250 OK",
    "RSET": "250 OK",
    "QUIT": "221 bye",
}


@contextlib.contextmanager
def server(replies: Mapping[str, str], taken: list[str] | None = None) -> Iterator[str]:
    """The address of a server that says what it is told to; the lines of the letters that it takes go into ``taken``."""

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("banner")
            inside = False
            while line := self.rfile.readline().strip().decode():
                word = line.split(" ")[0].upper()
                inside = (inside or (word == "DATA" and replies["DATA"].startswith("354"))) and line != "."
                if not inside or word == "DATA":
                    self.say(word)
                while inside and line != ".":
                    line = self.rfile.readline().strip(b"\r\n").decode()
                    if taken is not None:
                        taken.append(line)
                if inside:
                    inside = False
                    self.say(".")

        def say(self, word: str) -> None:
            self.wfile.write(f"{replies.get(word, '502 what')}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()
        thread.join()


def answer(step: str, reply: str, user: str = "user:secret@") -> MailFailed:
    with server({**GOOD, step: reply}) as address, pytest.raises(MailFailed) as failed:
        SmtpMailer(f"smtp://{user}{address}", "desk@rushlight.example", lambda: datetime.now(UTC)).send(LETTER)
    return failed.value


def test_a_server_that_takes_all_takes_the_letter() -> None:
    taken: list[str] = []
    with server(GOOD, taken) as address:
        SmtpMailer(f"smtp://user:secret@{address}", "a@rushlight.example", lambda: datetime.now(UTC)).send(LETTER)

    assert "Subject: Your document" in taken
    assert taken[-1] == "."


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("banner", "554 no service for you"),
        ("EHLO", "550 who are you"),
        ("AUTH", "535 wrong password"),
        ("AUTH", "534 a stronger way, please"),
        ("MAIL", "530 sign in first"),
        ("MAIL", "550 not from this sender"),
        ("RCPT", "530 sign in first"),
        ("RCPT", "450 mailbox busy"),
        ("DATA", "530 sign in first"),
        (".", "451 come again"),
    ],
)
def test_what_a_server_would_say_of_any_letter_is_waited_for(step: str, reply: str) -> None:
    assert not answer(step, reply).permanent


def test_a_password_that_no_server_can_take_is_no_fault_of_the_letter() -> None:
    assert not answer("AUTH", "235 welcome", "user:p%C3%A4ss@").permanent


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("RCPT", "550 no such mailbox"),
        ("MAIL", "552 too large"),
        ("DATA", "554 not wanted"),
        (".", "554 looks like junk"),
    ],
)
def test_a_recipient_or_a_message_that_is_refused_is_not_tried_again(step: str, reply: str) -> None:
    assert answer(step, reply).permanent
