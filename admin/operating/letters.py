"""The letters of the mail folder, where an installation without a mail server keeps them."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

from delivery.errors import NotFound

NEWEST = 100
NAME = re.compile(r"[A-Za-z0-9.-]{1,120}")


@dataclass(frozen=True)
class KeptLetter:
    """One letter: its file's name, whom it went to, and its plain text."""

    name: str
    to: str
    subject: str
    date: datetime
    text: str


def letters(folder: Path) -> tuple[KeptLetter, ...]:
    """The newest letters, the latest first. What is no letter is passed over."""
    if not folder.is_dir():
        return ()
    files = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime, reverse=True)[:NEWEST]
    return tuple(found for path in files if (found := _read(path)) is not None)


def letter(folder: Path, name: str) -> KeptLetter:
    """One letter by its name, else NotFound."""
    found = _read(folder / f"{name}.eml") if NAME.fullmatch(name) else None
    if found is None:
        raise NotFound("unknown-letter", "There is no such letter.")
    return found


def _read(path: Path) -> KeptLetter | None:
    try:
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    except OSError:
        return None
    body = message.get_body(("plain",)) if isinstance(message, EmailMessage) else None
    date = message["Date"].datetime if message["Date"] else None
    if body is None or date is None:
        return None
    return KeptLetter(path.stem, str(message["To"]), str(message["Subject"]), date, str(body.get_content()))
