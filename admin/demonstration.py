"""Plays a reader: signs in, asks, waits, opens the link from the mail, downloads and checks the copy. All through HTTP."""

from __future__ import annotations

import email
import email.policy
import re
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import click
import httpx

from admin.sample.works import WORKS, Work
from admin.seeding import SignIn
from admin.wiring import Services
from delivery.copies import Delivery
from delivery.lists import LogEntry
from delivery.stores import LogFilter
from drm.pdf.verifying import verify

PATIENCE = 90.0
Say = Callable[[str], None]


class _Form(HTMLParser):
    """The hidden fields of a page's forms."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """HTMLParser."""
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden":
            self.hidden[str(given.get("name"))] = str(given.get("value") or "")


def _hidden(page: str) -> dict[str, str]:
    form = _Form()
    form.feed(page)
    return form.hidden


def deliver_one(services: Services, sign_ins: Sequence[SignIn], base: str, say: Say) -> tuple[Path, str]:
    """Deliver the next sample article; returns where the copy was saved and its link. ClickException when a station fails."""
    reader = next(sign_in for sign_in in sign_ins if "reader" in sign_in.roles and sign_in.library == "harbour")
    with httpx.Client(base_url=base, follow_redirects=True, timeout=30, trust_env=False) as browser:
        _sign_in(browser, reader)
        say(f"signed in   as {reader.name}")
        work = _next_work(services, reader)
        number = _ask(browser, work)
        say(f"asked       {number}: {work.title}")
        delivery = _follow(services, number, say)
        link = _mailed_link(services, delivery)
        say(f"mailed      {delivery} to {reader.email}")
        saved = _download(services, browser, link, delivery)
        say(f"downloaded  {saved.stat().st_size} bytes")
    verdict = verify(saved)
    if not verdict.good:
        raise click.ClickException(f"the copy is not good: {verdict.code}: {verdict.text}")
    say(f"verified    {verdict.pages} pages, the stamp of {verdict.delivery} on each")
    return saved, link


def _sign_in(browser: httpx.Client, reader: SignIn) -> None:
    page = browser.get("/sign-in")
    fields = {**_hidden(page.text), "email": reader.email, "password": reader.password}
    answer = browser.post("/sign-in", data=fields)
    if answer.status_code != 200:
        raise click.ClickException("the sample reader cannot sign in; run 'rushlight demo --reset' for a fresh start")


def _next_work(services: Services, reader: SignIn) -> Work:
    """The sample article after the last one this reader asked for."""
    articles = [work for work in WORKS if work.part == "lantern" and work.shape == "article"]
    with services.store.read() as work:
        person = work.people.by_email(reader.email)
        asked = work.requests.of_reader(person.id, 1).total if person else 0
    return articles[asked % len(articles)]


def _ask(browser: httpx.Client, work: Work) -> str:
    form = browser.get(
        "/openurl",
        params={"genre": "article", "rft_id": f"info:doi/{work.doi}", "atitle": work.title, "date": work.year},
    )
    fields = {
        **_hidden(form.text),
        "title": work.title,
        "year": work.year,
        "doi": work.doi,
        "purpose": "private_study",
        "deliberate": "yes",
    }
    answer = browser.post("/requests", data=fields)
    found = re.search(r"/requests/(TR-[0-9A-Z-]+)$", str(answer.url.path))
    if answer.status_code != 200 or found is None:
        raise click.ClickException(f"the request was not taken (status {answer.status_code})")
    return found[1]


STATIONS = {
    "request:created": "received",
    "request:decided": "decided",
    "quota:reserved": "reserved",
    "request:looked": "looking",
    "request:found": "fetched",
    "quota:settled": "counted",
    "request:refused": "refused",
    "request:to_desk": "at the desk",
}


def _told(entry: LogEntry) -> str:
    words = "permitted" if entry.code == "OK" else entry.code
    under = f"under {entry.agreements.replace('@', ' v')}" if entry.agreements else ""
    return f"{STATIONS[entry.kind]:11} {words} {under}".rstrip()


def _supplied(copy: Delivery, say: Say) -> str:
    say(f"prepared    {copy.pages} pages, engine {copy.engine}")
    say(f"stored      {copy.bytes} bytes, SHA-256 {copy.sha256[:16]}…")
    say(f"linked      {copy.number}, valid until {copy.expires_at:%Y-%m-%d %H:%M} UTC")
    return copy.number


def _follow(services: Services, number: str, say: Say) -> str:
    """Tell each station as the audit log notes it, until the copy is supplied; returns the delivery number."""
    told: set[int] = set()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with services.store.read() as work:
            entries = work.log.find(LogFilter(request=number, limit=200)).entries
            request = work.requests.get(number)
            copy = work.deliveries.get(request.delivery) if request.delivery else None
        for entry in reversed(entries):
            if entry.seq not in told:
                told.add(entry.seq)
                if entry.kind in STATIONS:
                    say(_told(entry))
        if copy is not None:
            return _supplied(copy, say)
        if request.state.value in {"refused", "at_desk", "unfilled"}:
            raise click.ClickException(f"the sample request ended as {request.state.value} ({request.reason})")
        time.sleep(0.05)
    raise click.ClickException("the sample request was not supplied in time; look into server.log")


def _mailed_link(services: Services, delivery: str) -> str:
    folder = services.settings.mail_folder
    path = folder / f"{delivery.lower()}.eml"
    end = time.monotonic() + PATIENCE
    while not path.exists():
        if services.settings.smtp_url:
            return services.ctx.link(delivery)
        if time.monotonic() > end:
            raise click.ClickException(f"no mail arrived in {folder}")
        time.sleep(0.05)
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    found = re.search(r"https?://\S+/d/\S+", body.get_content() if body else "")
    if found is None:
        raise click.ClickException("the mail holds no link")
    return found[0]


def _download(services: Services, browser: httpx.Client, link: str, delivery: str) -> Path:
    page = browser.get(link)
    answer = browser.post(link, data=_hidden(page.text))
    if answer.status_code != 200 or not answer.content.startswith(b"%PDF-"):
        raise click.ClickException(f"the link did not give the document (status {answer.status_code})")
    folder = services.settings.home / "demo"
    folder.mkdir(exist_ok=True, mode=0o700)
    target = folder / f"{delivery}.pdf"
    target.write_bytes(answer.content)
    return target.absolute()
