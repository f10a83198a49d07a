"""The mailbox of the tests holds a real conversation, good and bad."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

import pytest

from tests.services.smtp import Mailbox


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "delivery@library.example", "reader@library.example"
    message["Subject"] = "您的文献已送达"
    message["Message-ID"] = "<delivery-1@library.example>"
    message.set_content("Your copy is ready.")
    message.add_alternative("<p>Your copy is ready.</p>", subtype="html")
    return message


def test_a_letter_arrives_with_its_headers_and_both_bodies(smtp: Mailbox) -> None:
    with smtplib.SMTP(smtp.host, smtp.port, timeout=10) as connection:
        connection.send_message(letter())

    [arrived] = smtp.letters
    assert arrived.recipients == ("reader@library.example",)
    assert (arrived.message["Subject"], arrived.message["Message-ID"]) == (letter()["Subject"], letter()["Message-ID"])
    assert [part.get_content_subtype() for part in arrived.message.iter_parts()] == ["plain", "html"]


def test_a_server_in_trouble_keeps_nothing(smtp: Mailbox) -> None:
    smtp.reply = "451 try again later"

    with smtplib.SMTP(smtp.host, smtp.port, timeout=10) as connection, pytest.raises(smtplib.SMTPDataError) as failure:
        connection.send_message(letter())

    assert failure.value.smtp_code == 451
    assert smtp.letters == []
