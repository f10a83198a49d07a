"""Two libraries with readers, staff and a partner, and things of each of every kind, all of which bear words that nobody else uses."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from flask.testing import FlaskClient

from delivery.numbers import check_code
from delivery.people import Person, Role
from delivery.privacy import ActKind, HoldKind
from delivery.second_factors import Factor, FactorKind
from delivery.services import (
    accounts,
    consenting,
    desk,
    downloading,
    governing,
    holding,
    requesting,
    two_persons,
    watching,
)
from delivery.services.checkpointing import make_checkpoint
from delivery.services.mailing import password_stamp
from delivery.services.requesting import Asked
from delivery.stores import ApiTokenRecord, LogFilter
from tests.delivery.web_test_support import signed_in, token_of
from tests.world import OPEN_AGREEMENT, START, World, make_world

HELD = "10.5555/lantern.2021.0001"
ROLES = ("anonymous", "reader", "librarian", "officer", "operator", "partner")
STATES = ("supplied", "desk", "approval", "declaration", "fee", "signed", "limited")
"""The requests that everybody has: what became of each, or what it waits for."""
PURPOSE = {"approval": "teaching", "declaration": "scholarship", "signed": "scholarship", "fee": "commercial"}
AGREEMENT = (
    OPEN_AGREEMENT.replace("version = 1\n[agreement", "version = 2\n[agreement").replace(
        "[[agreement.rule]]", '[agreement.link]\nttl = "P30D"\nrenewals = 1\n[[agreement.rule]]', 1
    )
    + """
[[agreement.rule]]
id = "open.teaching"
type = "gate"
when = { "request.purpose" = "teaching" }
require = { "flags.owned" = true }
effect = "needs_approval"
reason = "NOT_PERMITTED"
[[agreement.rule]]
id = "open.declaration"
type = "declare"
by = "reader"
when = { "request.purpose" = "scholarship" }
all = ["named"]
effect = "needs_declaration"
reason = "DECLARATION_INCOMPLETE"
[[agreement.rule]]
id = "open.fee"
type = "fee"
when = { "request.purpose" = "commercial" }
unless = [{ "flags.fee_paid" = true }]
currency = "EUR"
minor = 2
tariff = [{ when = {}, first_page = "1.50", next_page = "0.10" }]
effect = "needs_fee"
reason = "COMPENSATION_DUE"
[[agreement.rule]]
id = "open.none"
type = "limit"
when = { "request.purpose" = "research" }
measure = "copies"
max = 0
per = ["reader"]
window = { type = "calendar", unit = "month" }
count = ["filled"]
hold = ["reserved"]
effect = "deny"
reason = "ROLLING_QUOTA"
"""
)
LETTER = "To: maeve@harbour.example.org\nSubject: Ready\nDate: Tue, 24 Nov 2026 09:00:00 +0000\n\nYour copy is ready.\n"
MISSING = {
    "<number>": "TR-0000-0000",
    "/d/<token>": "/d/AAAA.AAAA",
    "/confirm/<token>": "/confirm/AAAA.AAAA",
    "/reset/<token>": "/reset/AAAA.AAAA",
    "<secret>": "0" * 32,
    "<path:name>": "copy.pdf",
    "<code>": "AAAA-AAAA-AAAA",
    "<int:alarm_id>": "9999",
    "<int:act_id>": "9999",
    "<int:hold_id>": "9999",
    "<int:factor_id>": "9999",
    "<int:seq>": "99999",
    "<delivery>": "RL-0000-0000",
    "<reader_key>": "0" * 32,
    "<subject>": "0" * 32,
    "<agreement_id>": "nowhere",
    "<name>": "nothing",
    "<int:version>": "1",
    "<int:page>": "0",
    "<int:number>": "1",
    "<int:width>": "1000",
}
"""What stands in an address for a thing that does not exist."""


@dataclass(frozen=True)
class Door:
    """What a browser keeps of somebody who came in, and the token of his forms."""

    cookies: Mapping[str, str]
    token: str


@dataclass
class Owner:
    """Somebody whose things others ask for: requests by state, and values for the parts of addresses."""

    person: Person
    word: str
    numbers: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """What says who it is."""
        return {self.person.name, self.person.email, f"CARD-{self.word}"}

    @property
    def things(self) -> set[str]:
        """What says what was asked for, and how it is called here."""
        return {f"{self.word}work", f"{self.word}note", f"{self.word}reason", *self.numbers.values()} | {
            self.values["<delivery>"],
            self.values["<secret>"],
            self.person.reader_key,
        }


def make_town(folder: Path, collection: Path) -> World:
    """A world under an agreement that lets requests wait for everything there is."""
    world = make_world(folder, collection)
    with world.store.write() as work:
        work.sources.save(replace(work.sources.get("desk"), library_id=None))
    world.load(AGREEMENT)
    return world


class Town:
    """The world, its people, and a picture of the database that it is put back to after each change."""

    def __init__(self, world: World, collection: Path) -> None:
        self.world = world
        add = world.add_person
        second = add("second", Role.RIGHTS_OFFICER)
        self.people = {
            "reader": world.reader,
            "librarian": world.librarian,
            "officer": world.officer,
            "operator": add("olga", Role.OPERATOR),
        }
        people = {
            "reader": (world.reader, "quagga"),
            "other": (world.other, "zyzzyva"),
            "partner": (self._reader("Perpetua Xylander", world.librarian, "wombat"), "wombat"),
            "library": (self._reader("Ludmilla Quixby", world.stranger, "okapi"), "okapi"),
        }
        self.owners = {name: self._settle(Owner(*given), second) for name, given in people.items()}
        for version in (3, 4):
            governing.save_draft(world.ctx, second, AGREEMENT.replace("version = 2\n[", f"version = {version}\n[", 1))
        governing.propose(world.ctx, second, "open", 3, "")
        token, claims = world.ctx.api_tokens.issue(self.owners["partner"].person.id, START, timedelta(days=9))
        with world.store.write() as work:
            work.tokens.add_api_token(ApiTokenRecord(claims.token_id, claims.subject, "", START, claims.expires_at))
        self.bearer = {"Authorization": f"Bearer {token}"}
        self.pdf = (collection / "lantern" / "lantern-02.pdf").read_bytes()
        letters = world.services.settings.mail_folder
        letters.mkdir(parents=True, exist_ok=True)
        (letters / "a-letter.eml").write_text(LETTER)
        make_checkpoint(world.ctx, world.services.keys.audit, at_once=True)
        with world.store.read() as work:
            last = work.tree.last_checkpoint()
        assert last is not None
        self.tile = "0/000" if last.size >= 256 else f"0/000.p/{last.size}"
        self.apps = {"reader": world.reader_app(), "staff": world.staff_app()}
        self.doors: dict[tuple[str, str], Door] = {}
        for app in self.apps:
            for who in ROLES:
                self.doors[app, who] = self._come(app, who)
        self._factor = self._factors()
        self._database = sqlite3.connect(world.services.settings.home / "rushlight.db", isolation_level=None)
        self._picture = sqlite3.connect(":memory:")
        self._database.backup(self._picture)
        self._version = self._now()

    def _reader(self, name: str, clerk: Person, word: str) -> Person:
        email = f"{name.split(maxsplit=1)[0].lower()}@{clerk.library_id}.example.org"
        return accounts.add_reader(self.world.ctx, clerk, name, email, "en", f"CARD-{word}")

    def _settle(self, owner: Owner, second: Person) -> Owner:
        """Everything that somebody has."""
        world, ctx = self.world, self.world.ctx
        clerk = world.librarian if owner.person.library_id == "harbour" else world.stranger
        for state in STATES:
            fields = {"title": f"{owner.word}work {state}", "year": "2020"}
            if state not in {"desk"}:
                fields["doi"] = HELD
            asked = Asked(fields, purpose="research" if state == "limited" else PURPOSE.get(state, ""), deliberate=True)
            owner.numbers[state] = requesting.submit(ctx, owner.person, asked).request.number
        consenting.declare(ctx, owner.person, owner.numbers["signed"], ["named"])
        world.work()
        desk.claim(ctx, clerk, owner.numbers["desk"])
        for state in ("desk", "supplied"):
            desk.say(ctx, clerk, owner.numbers[state], f"{owner.word}note", note=True)
            desk.say(ctx, owner.person, owner.numbers[state], f"{owner.word}note of mine")
        delivery = world.delivery(owner.numbers["supplied"])
        token = ctx.links.sign(delivery.number)
        opened = downloading.open_window(ctx, token, downloading.look(ctx, token).nonce, owner.person)
        for network in range(12):
            watching.asked_from(ctx, delivery, f"192.0.{network}.1")
        reason = f"{owner.word}reason"
        hold = holding.place(ctx, second, HoldKind.REQUEST, owner.numbers["supplied"], reason)
        act = two_persons.ask(ctx, second, ActKind.UNMASK, owner.person.reader_key, reason)
        if owner.word == "quagga":
            for kind, subject in ((ActKind.UNMASK, owner.person.reader_key), (ActKind.SIGNER, owner.numbers["signed"])):
                asked_for = two_persons.ask(ctx, world.officer, kind, subject, reason)
                two_persons.answer(ctx, second, asked_for.id, True)
        with world.store.read() as work:
            alarm = next(one for one in work.watch.alarms("", 50) if one.subject == delivery.number)
            first = work.log.find(LogFilter(request=owner.numbers["supplied"])).entries[-1]
            stamp = password_stamp(work.people.password(owner.person.id))
        owner.values = {
            "<secret>": opened.secret,
            "<path:name>": opened.filename,
            "<code>": check_code(ctx.ring.derive("rushlight.check.v1"), delivery.number),
            "<delivery>": delivery.number,
            "<int:alarm_id>": str(alarm.id),
            "<int:act_id>": str(act.id),
            "<int:hold_id>": str(hold.id),
            "<int:seq>": str(first.seq),
            "<reader_key>": owner.person.reader_key,
            "<subject>": owner.person.reader_key,
            "/d/<token>": f"/d/{token}",
            **{
                f"/{one}/<token>": f"/{one}/" + ctx.signer(one).sign([owner.person.id, stamp])
                for one in ("confirm", "reset")
            },
        }
        return owner

    def _factors(self) -> dict[str, str]:
        """A second factor of each member of staff, by its person."""
        staff = [person for person in (*self.people.values(), self.world.stranger) if person.is_staff]
        with self.world.store.write() as work:
            for person in staff:
                label = f"{person.name.lower()}factor"
                work.factors.add(Factor(person.id, FactorKind.CODES, label, b"sealed", START))
            return {person.id: str(work.factors.of_person(person.id)[0].id) for person in staff}

    def shared(self, path: str) -> dict[str, str]:
        """Parts of addresses of what belongs to the whole house."""
        version = "3" if path.endswith(("/confirm", "/send-back")) else "4" if path.endswith("/propose") else "2"
        name = "collection" if "/where/" in path else "a-letter"
        if path.startswith("/log/tile/"):
            return {"<path:name>": self.tile}
        return {"<agreement_id>": "open", "<int:version>": version, "<name>": name, "<int:number>": "1"}

    def factor(self, who: str, whose: str) -> str:
        """A factor as ``whose`` says: one's own, a colleague's, one of another library, or none."""
        colleague = "officer" if who == "librarian" else "librarian"
        owner = {"own": self.people.get(who), "other": self.people[colleague], "library": self.world.stranger}.get(
            whose
        )
        return self._factor.get(owner.id, "9999") if owner else "9999"

    def owner(self, who: str, whose: str) -> Owner | None:
        """Whose things these are for somebody; None for what is not there."""
        partner = who == "partner"
        return self.owners.get(
            {"own": "partner" if partner else "reader", "other": "reader" if partner else "other"}.get(whose, whose)
        )

    def _come(self, app: str, who: str) -> Door:
        """Signed in where the app lets somebody in; else with the session of a visitor, and the reader's cookie beside it."""
        enters = who in self.people and (app == "reader" or self.people[who].is_staff)
        client = signed_in(self.apps[app], self.people[who]) if enters else self.apps[app].test_client()
        token = next(filter(None, (_token(client, page) for page in ("/ask", "/alarms", "/sign-in"))))
        cookies = {f"rushlight_{app}": client.get_cookie(f"rushlight_{app}").value}  # type: ignore[union-attr]  # a page with a form sets it
        if app == "staff" and who == "reader":
            cookies |= self.doors["reader", who].cookies
        return Door(cookies, token)

    def client(self, app: str, who: str) -> FlaskClient:
        """A browser of somebody as it is after signing in."""
        client = self.apps[app].test_client()
        for name, value in self.doors[app, who].cookies.items():
            client.set_cookie(name, value)
        return client

    def changed(self) -> set[str]:
        """The tables that are not as they are in the picture, which is put back."""
        if self._now() == self._version:
            return set()
        names = [row[0] for row in self._picture.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        whole = [(name, f'SELECT * FROM "{name}"') for name in names]
        found = {
            name
            for name, rows in whole
            if self._picture.execute(rows).fetchall() != self._database.execute(rows).fetchall()
        }
        self._picture.backup(self._database)
        self._version = self._now()
        return found

    def _now(self) -> int:
        """A number that is another one when anybody else has written to the database."""
        return int(self._database.execute("PRAGMA data_version").fetchone()[0])


def _token(client: FlaskClient, page: str) -> str:
    text = client.get(page, follow_redirects=True).get_data(as_text=True)
    return token_of(text) if 'name="csrf_token"' in text else ""
