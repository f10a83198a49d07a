"""The matrix of docs/role-matrix.toml, and asking one cell of it with a real request."""

from __future__ import annotations

import io
import re
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from werkzeug.test import TestResponse

from tests.access.forms import QUERY, STATE, Fields, fields
from tests.access.town import MISSING, ROLES, Owner, Town

FILE = Path(__file__).resolve().parents[2] / "docs" / "role-matrix.toml"
OWNED = re.compile(
    r"<(number|token|secret|code|int:alarm_id|int:act_id|int:hold_id|int:factor_id|int:seq|delivery|reader_key|subject)>"
    r"|/where/library/|/rights/holds$"
)
"""Addresses of things that are somebody's; others with a gap are of what belongs to the whole house."""
WHOSE = ("own", "other", "library", "missing")
SHARED = ("own", "missing")
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
LED_AWAY = "sign-in"


@dataclass(frozen=True)
class Row:
    """One address of an app, as the file has it: for each role what comes of the things that it may be about."""

    app: str
    method: str
    path: str
    expected: tuple[tuple[str, ...], ...]

    @property
    def key(self) -> str:
        """App, method and address."""
        return f"{self.app} {self.method} {self.path}"

    def cells(self) -> list[tuple[str, str, str]]:
        """Who asks for whose thing, and what is right."""
        things = WHOSE if OWNED.search(self.path) else SHARED if "<" in self.path else SHARED[:1]
        found = []
        for who, answers in zip(ROLES, self.expected, strict=True):
            each = answers * len(things) if len(answers) == 1 else answers
            found += [(who, one, right) for one, right in zip(things, each, strict=True)]
        return found


def read_matrix() -> list[Row]:
    """All rows of the file."""
    content = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return [
        Row(app, method, path, tuple(tuple(answers.split()) for answers in columns))
        for app in ("reader", "staff")
        for key, columns in content[app].items()
        for method, _, path in [key.partition(" ")]
    ]


def routes(app: Flask) -> set[tuple[str, str]]:
    """Every method and rule of an app; Flask's own HEAD, OPTIONS and static files are no routes of ours."""
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & METHODS
        if rule.endpoint != "static"
    }


def rule_of(row: Row, known: set[tuple[str, str]]) -> tuple[str, str] | None:
    """The rule that an address of the file is of: itself, or the one in which words of it stand in place of a part."""
    if (row.method, row.path) in known:
        return (row.method, row.path)
    parts = row.path.split("/")
    for method, rule in known:
        pieces = rule.split("/")
        fits = len(parts) == len(pieces) and all(
            part == piece or (piece.startswith("<") and not part.startswith("<"))
            for part, piece in zip(parts, pieces, strict=True)
        )
        if method == row.method and fits:
            return (method, rule)
    return None


@dataclass(frozen=True)
class Answer:
    """What came: the status, or that one is led to the sign-in; everything readable in it; and which tables it changed."""

    status: str
    text: str
    changed: frozenset[str]
    sent: str

    def without(self, *words: str) -> str:
        """The text without these words, tokens and numbers that differ each time."""
        text = self.text
        for word in words:
            text = text.replace(word, "…")
        text = re.sub(r"X-Request-Id: \w+|Set-Cookie: [^\n]*|Content-Length: \d+", "", text)
        return re.sub(r"value=\"[\w.-]{40,}\"", "", text)


def address(town: Town, row: Row, who: str, whose: str) -> str:
    """The address of a thing of somebody, as ``who`` sees it."""
    owner = town.owner(who, whose)
    values = {**MISSING, **(town.shared(row.path) if whose == "own" else {})}
    if owner is not None:
        state = STATE.get(row.key, "supplied")
        values |= {**owner.values, "<number>": owner.numbers[state], **town.shared(row.path)}
        if row.key in STATE:
            values["<subject>"] = owner.numbers[state]
    values["<int:factor_id>"] = town.factor(who, whose)
    if row.path.startswith("/rights/where/library"):
        values["<name>"] = {"library": "glenmore", "missing": "nowhere"}.get(whose, "harbour")
    path = row.path
    for name in sorted(values, key=len, reverse=True):
        path = path.replace(name, values[name])
    return path


def ask(town: Town, row: Row, who: str, whose: str) -> Answer:
    """Send the request of one cell; afterwards the database is as it was."""
    owner: Owner | None = town.owner(who, whose)
    client, path = town.client(row.app, who), address(town, row, who, whose)
    headers = town.bearer if who == "partner" else {}
    given: Fields
    if row.method == "GET":
        given = dict(QUERY.get(row.key, {}))
        answer = client.get(path, query_string=given, headers=headers)
    elif row.path.startswith("/api/"):
        given = {"citation": {"doi": "10.5555/lantern.2022.0002"}}
        answer = client.post(path, json=given, headers=headers)
    else:
        given = {**fields(town, row.key, who, owner), "csrf_token": town.doors[row.app, who].token}
        answer = client.post(path, data=given, headers=headers)
    text = readable(answer)
    return Answer(status(answer), text, frozenset(town.changed()), f"{path} {given}")


def status(answer: TestResponse) -> str:
    """The status as the file has it."""
    led = answer.status_code in {302, 303} and answer.headers["Location"].partition("?")[0] == "/sign-in"
    return LED_AWAY if led else str(answer.status_code)


def readable(answer: TestResponse) -> str:
    """Headers and body as text; what is packed is unpacked."""
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    data = answer.get_data()
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            data = b"\n".join(packed.read(name) for name in packed.namelist())
    return f"{head}\n\n{data.decode('utf-8', 'replace')}"
