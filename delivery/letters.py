"""The mails: short, in the reader's language, with a text and an HTML part, and never the document itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape

from delivery.copies import Delivery
from delivery.document_request import DocumentRequest
from delivery.formats import long_time
from delivery.people import Library, Person
from delivery.ports import Letter
from delivery.texts import Texts

PAGE = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
{body}
</body>
</html>
"""


class Outcome(StrEnum):
    """Ends of a request that the reader is told by mail."""

    REFUSED = "refused"
    UNFILLED = "unfilled"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    CONSENT = "consent"


@dataclass(frozen=True)
class Addressee:
    """Who gets a letter, from which library, under which Message-ID."""

    person: Person
    library: Library
    message_id: str


@dataclass(frozen=True)
class DeskNews:
    """New work for staff: ``kind`` is desk or approval."""

    kind: str
    request: DocumentRequest
    address: str


def _letter(to: Addressee, subject: str, paragraphs: Sequence[str], action: tuple[str, str] | None = None) -> Letter:
    """Lay out a letter: paragraphs, at most one address to open, and the library's signature."""
    texts = Texts.for_language(to.person.language)
    library = to.library.called(to.person.language)
    greeting = texts.gettext("Dear %(name)s,") % {"name": to.person.name}
    contact = texts.gettext("Questions? Write to %(email)s.") % {"email": to.library.email}
    plain = [greeting, *paragraphs]
    if action:
        plain.append(f"{action[0]}:\n{action[1]}")
    plain += [contact, library]
    html = [f"<p>{escape(text)}</p>" for text in (greeting, *paragraphs)]
    if action:
        html.append(f'<p><a href="{escape(action[1])}">{escape(action[0])}</a></p>')
    html += [f"<p>{escape(contact)}</p>", f"<p>{escape(library)}</p>"]
    body = "\n".join(html)
    return Letter(
        to=to.person.email,
        subject=subject,
        text="\n\n".join(plain) + "\n",
        html=PAGE.format(language=escape(to.person.language), title=escape(subject), body=body),
        message_id=to.message_id,
        language=to.person.language,
        reply_to=to.library.email,
    )


def _work(request: DocumentRequest) -> str:
    citation = request.citation
    return citation.title or citation.chapter or citation.container or citation.doi or request.number


def delivered(to: Addressee, request: DocumentRequest, delivery: Delivery, link: str, page: str) -> Letter:
    """The document is ready: the link, its end, its opens."""
    texts = Texts.for_language(to.person.language)
    lines = [
        texts.gettext("what you asked for is ready: “%(title)s”.") % {"title": _work(request)},
        texts.gettext("Request %(number)s, delivery %(delivery)s.")
        % {"number": request.number, "delivery": delivery.number},
    ]
    if delivery.expires_at is not None:
        end = long_time(delivery.expires_at, to.library.zone, to.person.language)
        lines.append(texts.gettext("The link is valid until %(end)s.") % {"end": end})
    if delivery.opens_limit is not None:
        lines.append(
            texts.ngettext("You can open it once.", "You can open it %(num)d times.", delivery.opens_limit)
            % {"num": delivery.opens_limit}
        )
    lines.append(
        texts.gettext(
            "The file carries your library, the date and the delivery number on each page. You also find it at %(page)s"
        )
        % {"page": page}
    )
    subject = texts.gettext("Ready: %(title)s") % {"title": _work(request)[:120]}
    return _letter(to, subject, lines, (texts.gettext("Open the document"), link))


def outcome(to: Addressee, request: DocumentRequest, how: Outcome, page: str, reason: str = "") -> Letter:
    """The request ended without a document, or its copy was withdrawn."""
    texts = Texts.for_language(to.person.language)
    title = {"title": _work(request)}
    subject, first = {
        Outcome.REFUSED: (
            texts.gettext("Not permitted: %(title)s"),
            texts.gettext("the agreements do not permit us to send you “%(title)s”."),
        ),
        Outcome.UNFILLED: (
            texts.gettext("Not supplied: %(title)s"),
            texts.gettext("we could not supply “%(title)s”."),
        ),
        Outcome.WITHDRAWN: (
            texts.gettext("Withdrawn: %(title)s"),
            texts.gettext("the copy of “%(title)s” was withdrawn; its link no longer opens."),
        ),
        Outcome.CONSENT: (
            texts.gettext("Your word is needed: %(title)s"),
            texts.gettext("before we can send you “%(title)s”, the agreement asks for your consent."),
        ),
        Outcome.CANCELLED: (
            texts.gettext("Cancelled: %(title)s"),
            texts.gettext("the request for “%(title)s” was cancelled."),
        ),
    }[how]
    lines = [first % title]
    if reason or request.reason_text:
        lines.append(reason or request.reason_text)
    lines.append(texts.gettext("The request's page says why, and what you can do instead."))
    return _letter(to, subject % {"title": _work(request)[:120]}, lines, (texts.gettext("Open the request"), page))


def message(to: Addressee, request: DocumentRequest, text: str, page: str) -> Letter:
    """A librarian's words to the reader."""
    texts = Texts.for_language(to.person.language)
    subject = texts.gettext("About your request %(number)s") % {"number": request.number}
    first = texts.gettext("a librarian writes about “%(title)s”:") % {"title": _work(request)}
    return _letter(to, subject, [first, text], (texts.gettext("Open the request"), page))


def to_staff(to: Addressee, news: DeskNews) -> Letter:
    """New work at the desk or in the rights office. No reader's name: mail is no place for it."""
    texts = Texts.for_language(to.person.language)
    number = {"number": news.request.number, "title": _work(news.request)}
    if news.kind == "approval":
        subject = texts.gettext("To approve: request %(number)s") % number
        first = texts.gettext("request %(number)s, “%(title)s”, waits for a rights officer.") % number
    else:
        subject = texts.gettext("At the desk: request %(number)s") % number
        first = (
            texts.gettext("request %(number)s, “%(title)s”, has reached the desk: no source could supply it.") % number
        )
    return _letter(to, subject, [first], (texts.gettext("Open the request"), news.address))


def confirm(to: Addressee, address: str) -> Letter:
    """Confirm an address."""
    texts = Texts.for_language(to.person.language)
    lines = [texts.gettext("please confirm that this address is yours. If you did not register, do nothing.")]
    return _letter(to, texts.gettext("Confirm your address"), lines, (texts.gettext("Confirm the address"), address))


def reset(to: Addressee, address: str) -> Letter:
    """Set a new password."""
    texts = Texts.for_language(to.person.language)
    lines = [
        texts.gettext("somebody, most likely you, asked for a new password. If it was not you, do nothing."),
        texts.gettext("The address works once and for a day."),
    ]
    return _letter(to, texts.gettext("Set a new password"), lines, (texts.gettext("Set the password"), address))
