"""Injection: whatever stands in a title, a name or an address, headers, letters, logs, tables, hosts and redirects stay as we made them."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unicodedata import normalize
from urllib.parse import urljoin, urlsplit

import pytest
import structlog
from flask import Flask
from werkzeug.wrappers import Response

from admin.mail import MailFolder
from admin.process_log import start_logging
from delivery.citation import Citation
from delivery.errors import Invalid
from delivery.filenames import content_disposition, download_name
from delivery.openurl import parse_openurl
from delivery.people import Role
from delivery.ports import Letter, MailFailed
from delivery.services.accounts import new_person
from delivery.services.officers import guarded_cell
from delivery.web.guards import safe_next
from tests.security.vectors import FORMULAS, HOSTS, LINES, LOG_LINES, TARGETS
from tests.world import START, World

LETTER = Letter(
    to="maeve@harbour.example.org",
    subject="Ready",
    text="Your copy.",
    html="<p>Your copy.</p>",
    message_id="<RL-1@here>",
    language="en",
)
HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
}
OWN = "http://127.0.0.1:8080/sign-in"


class Logged:
    """The process log as a process has it, into a text."""

    def __init__(self) -> None:
        before = structlog.get_config()
        start_logging("INFO")
        processors = structlog.get_config()["processors"]
        structlog.configure(**before)
        self.file = io.StringIO()
        self.log = structlog.wrap_logger(structlog.PrintLogger(self.file), processors=processors)


@pytest.mark.parametrize(
    "vectors", [LINES, LOG_LINES, FORMULAS, HOSTS, TARGETS], ids=["line", "log", "cell", "host", "target"]
)
def test_there_are_forty_of_each_kind_at_least(vectors: list[str]) -> None:
    assert len(set(vectors)) == len(vectors) >= 40


@pytest.mark.parametrize("text", LINES, ids=repr)
def test_no_title_adds_a_header_to_a_download(text: str) -> None:
    header = content_disposition(download_name(Citation(title=text), "RL-1"))

    raw = b"".join(
        f"{name}: {value}\r\n".encode("latin-1")
        for name, value in Response(headers={"Content-Disposition": header}).headers
    )
    assert len(raw.splitlines()) == 2
    assert not re.search("[\x00-\x1f\x7f]", header)


@pytest.mark.parametrize("text", LINES, ids=repr)
def test_no_openurl_adds_a_header_to_its_answer(reader_app: Flask, text: str) -> None:
    answer = reader_app.test_client().get("/openurl", query_string={"title": text, "date": "2020"})

    names = {name for name, _ in answer.headers}
    assert answer.status_code == 303
    assert not {"X-Smuggled", "Bcc"} & names
    assert not any("a=b" in value for value in answer.headers.getlist("Set-Cookie"))
    assert answer.headers["Location"].isascii()
    assert parse_openurl(f"title={text}").citation is not None


@pytest.fixture(scope="module")
def reader_app(tmp_path_factory: pytest.TempPathFactory, collection: Path) -> Iterator[Flask]:
    from tests.world import make_world

    made = make_world(tmp_path_factory.mktemp("vectors") / "home", collection)
    yield made.reader_app()
    made.close()


@pytest.mark.parametrize("place", ["to", "subject", "reply_to", "text"])
def test_no_word_adds_a_header_or_a_recipient_to_a_letter(tmp_path: Path, place: str) -> None:
    sent = 0
    for text in LINES:
        given = f"maeve@harbour.example.org{text}" if place in {"to", "reply_to"} else text
        try:
            MailFolder(tmp_path, "Rushlight <r@rushlight.example>", lambda: START).send(
                replace(LETTER, **{place: given})
            )
        except MailFailed:
            continue
        sent += 1
        [kept] = tmp_path.glob("*.eml")
        message = email.message_from_bytes(kept.read_bytes(), policy=email.policy.SMTP)
        assert set(message.keys()) <= HEADERS, text
        assert len(message.get_all("To", [])) == 1, text
        assert place == "to" or str(message["To"]) == LETTER.to, text

    assert sent >= 40 or place in {"to", "reply_to"}


@pytest.mark.parametrize("text", LINES, ids=repr)
def test_no_account_has_an_address_or_a_name_of_two_lines(text: str) -> None:
    with pytest.raises(Invalid):
        new_person("harbour", "Maeve", f"maeve@harbour.example.org{text}", "en", frozenset({Role.READER}), START)
    try:
        person, _ = new_person("harbour", text, "maeve@harbour.example.org", "en", frozenset({Role.READER}), START)
    except Invalid:
        return
    assert person.name.isprintable()


@pytest.mark.parametrize("text", LOG_LINES, ids=repr)
def test_whatever_is_logged_is_one_line_that_says_what_was_said(text: str) -> None:
    logged = Logged()

    logged.log.info("request.failed", path=text, of={text: [text]})

    out = logged.file.getvalue()
    assert len(out.splitlines()) == 1
    assert out.rstrip("\n").isprintable()
    told = json.loads(out)
    assert (told["event"], told["path"], told["of"]) == ("request.failed", text, {text: [text]})


@pytest.mark.parametrize("path", ["/d/", "/w/", "/v/", "/reset/", "/confirm/", "/check/"])
def test_no_secret_in_an_address_is_logged(path: str) -> None:
    logged = Logged()

    logged.log.info("request.failed", path=f"{path}0123456789abcdef/copy.pdf", password="0123456789abcdef")

    assert "[hidden]" in logged.file.getvalue()
    assert "0123456789abcdef" not in logged.file.getvalue()


@pytest.mark.parametrize("text", FORMULAS, ids=repr)
def test_no_cell_of_a_table_begins_with_a_formula(text: str) -> None:
    line = io.StringIO(newline="")
    csv.writer(line).writerow([guarded_cell(text), guarded_cell("after")])

    [[cell, after]] = csv.reader(io.StringIO(line.getvalue(), newline=""))
    assert (cell, after) == (f"'{text}", "after")


@pytest.mark.parametrize("text", [text for text in FORMULAS if len(text.splitlines()) == 1], ids=repr)
@pytest.mark.parametrize("before", ["River;", "a, b; ", "a\t", 'a; "', "a；;\u200b"])
def test_no_cell_begins_with_a_formula_where_a_line_is_split_at_semicolons(before: str, text: str) -> None:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(["1", guarded_cell(before + text), "after"])

    for delimiter in ";\t":
        cells = [
            cell for row in csv.reader(io.StringIO(line.getvalue(), newline=""), delimiter=delimiter) for cell in row
        ]
        assert not [cell for cell in cells if normalize("NFKC", cell.strip())[:1] in set("=+-@|%")]


@pytest.mark.parametrize(
    "text", ["Tides", "a = b", "河口", "O'Brien", "10.5555/a-b", "", "1987", "a; b", "Byrne, M.; Walsh, S.", "a;\tb\n"]
)
def test_an_ordinary_cell_stays_as_it_is(text: str) -> None:
    assert guarded_cell(text) == text


@pytest.mark.parametrize("host", HOSTS, ids=repr)
def test_no_host_but_our_own_is_answered_as_ours(reader_app: Flask, host: str) -> None:
    client = reader_app.test_client()

    for path in ("/", "/sign-in", "/requests", "/d/x"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 400, path
        assert "Location" not in answer.headers
        assert host not in answer.get_data(as_text=True) or len(host) < 3


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Host-Override"]
)
def test_no_header_of_a_proxy_that_is_not_there_changes_an_address(reader_app: Flask, name: str) -> None:
    value = "host=smuggled.example" if name == "Forwarded" else "smuggled.example"

    answer = reader_app.test_client().get("/requests", headers={name: value})

    assert answer.headers["Location"].startswith("/sign-in")
    assert "smuggled" not in answer.headers["Location"]


def browsed(target: str) -> str:
    """Where a browser goes: it drops tabs and line ends, and takes a backslash for a slash."""
    return urljoin(OWN, re.sub("[\t\r\n]", "", target.strip("".join(map(chr, range(33))))).replace("\\", "/"))


@pytest.mark.parametrize("target", TARGETS, ids=repr)
def test_nobody_is_led_elsewhere_after_signing_in(reader_app: Flask, target: str) -> None:
    page = reader_app.test_client().get("/sign-in", query_string={"next": target}).get_data(as_text=True)
    kept = re.search(r'name="next" value="([^"]*)"', page)

    for found in (safe_next(target), kept[1] if kept else "/"):
        assert found.startswith("/")
        assert urlsplit(browsed(found)).netloc == "127.0.0.1:8080"
        assert urlsplit(browsed(found)).scheme == "http"


def test_a_page_of_ours_is_led_to() -> None:
    assert safe_next("/requests/TR-1?page=2") == "/requests/TR-1?page=2"


def test_the_export_of_the_log_holds_no_formula(world: World) -> None:
    for text in FORMULAS:
        _, refused = Citation.from_fields({"title": text})
        if not refused:
            world.ask(title=f"{text} tides", year="2020")
    from tests.delivery.web_test_support import signed_in

    data = signed_in(world.staff_app(), world.officer).get("/rights/log.csv").get_data(as_text=True).lstrip("\ufeff")

    cells = [cell for row in csv.reader(io.StringIO(data)) for cell in row]
    assert sum("1+1" in cell for cell in cells) >= 20
    assert [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@", "＝"))] == []
