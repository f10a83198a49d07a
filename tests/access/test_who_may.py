"""Who may do what: every address of both apps against every kind of person. An address that is not in the table fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from delivery.consents import Declaration
from delivery.people import Person, Role
from delivery.privacy import ActKind, HoldKind
from delivery.services import holding, two_persons, watching
from delivery.services.checkpointing import make_checkpoint
from tests.delivery.web_test_support import signed_in, token_of
from tests.world import World, make_world

SIGNING = {("POST", "/sign-in"), ("POST", "/sign-out")}
ALL = {"nobody", "owner", "other", "librarian", "elsewhere", "officer", "operator"}
SIGNED_IN = ALL - {"nobody"}
STAFF = {"librarian", "elsewhere", "officer", "operator"}
OWN_STAFF = {"librarian", "officer", "operator"}

READER_APP = {
    ("GET", "/sign-in/openid"): set(),
    ("GET", "/sign-in/openid/back"): set(),
    ("GET", "/"): ALL,
    ("GET", "/healthz"): ALL,
    ("GET", "/sign-in"): ALL,
    ("GET", "/register"): ALL,
    ("GET", "/forgot"): ALL,
    ("GET", "/confirm/<token>"): ALL,
    ("GET", "/reset/<token>"): ALL,
    ("GET", "/openurl"): ALL,
    ("GET", "/d/<token>"): ALL,
    ("POST", "/d/<token>"): ALL,
    ("GET", "/w/<secret>/<path:name>"): ALL,
    ("GET", "/v/<secret>"): ALL,
    ("POST", "/requests/<number>/renew"): {"owner"},
    ("GET", "/v/<secret>/<int:number>-<int:width>.png"): ALL,
    ("GET", "/check/<code>"): ALL,
    ("GET", "/log/checkpoint"): ALL,
    ("GET", "/log/keys"): ALL,
    ("GET", "/log/tile/<path:name>"): ALL,
    ("POST", "/log/add-checkpoint"): ALL,
    ("GET", "/api/v1/openapi.json"): ALL,
    ("GET", "/ask"): SIGNED_IN,
    ("POST", "/requests"): SIGNED_IN,
    ("GET", "/requests"): SIGNED_IN,
    ("GET", "/requests/<number>"): {"owner"},
    ("POST", "/requests/<number>/message"): {"owner"},
    ("POST", "/requests/<number>/resend"): {"owner"},
    ("POST", "/requests/<number>/declare"): {"owner"},
    ("POST", "/requests/<number>/accept-fee"): {"owner"},
    ("POST", "/requests/<number>/cancel"): {"owner"},
    ("POST", "/sign-in"): ALL,
    ("POST", "/sign-out"): ALL,
    ("POST", "/register"): ALL,
    ("POST", "/forgot"): ALL,
    ("POST", "/confirm/<token>"): ALL,
    ("POST", "/reset/<token>"): ALL,
    ("POST", "/api/v1/requests"): set(),
    ("GET", "/api/v1/requests"): set(),
    ("GET", "/api/v1/requests/<number>"): set(),
    ("POST", "/api/v1/requests/<number>/cancel"): set(),
    ("POST", "/api/v1/requests/<number>/open"): set(),
}
STAFF_APP = {
    ("GET", "/sign-in/openid"): set(),
    ("GET", "/sign-in/openid/back"): set(),
    ("GET", "/healthz"): ALL,
    ("GET", "/readyz"): ALL,
    ("GET", "/metrics"): set(),
    ("GET", "/sign-in"): ALL,
    ("GET", "/forgot"): ALL,
    ("GET", "/reset/<token>"): ALL,
    ("POST", "/sign-in"): ALL,
    ("POST", "/forgot"): ALL,
    ("POST", "/reset/<token>"): ALL,
    ("POST", "/sign-out"): STAFF,
    ("GET", "/"): STAFF,
    ("GET", "/queue"): STAFF,
    ("GET", "/requests/<number>"): OWN_STAFF,
    ("POST", "/requests/<number>/<act>"): {"librarian"},
    ("POST", "/requests/<number>/upload"): {"librarian"},
    ("GET", "/requests/<number>/preview/<int:page>.png"): {"librarian", "officer"},
    ("GET", "/readers"): {"librarian", "elsewhere", "operator"},
    ("POST", "/readers"): {"librarian", "elsewhere", "operator"},
    ("GET", "/rights/approvals"): {"officer"},
    ("POST", "/rights/approvals/<number>/<act>"): {"officer"},
    ("GET", "/rights/agreements"): STAFF,
    ("GET", "/rights/agreements/<agreement_id>/<int:version>"): STAFF,
    ("GET", "/rights/agreements/new"): {"officer"},
    ("POST", "/rights/agreements/new"): {"officer"},
    ("POST", "/rights/agreements/<agreement_id>/<int:version>/<act>"): {"officer"},
    ("GET", "/rights/agreements/<agreement_id>/<int:version>/simulation"): {"officer"},
    ("GET", "/rights/retention"): {"officer"},
    ("POST", "/rights/retention/<act>"): {"officer"},
    ("POST", "/rights/holds"): {"officer"},
    ("POST", "/rights/holds/<int:hold_id>/lift"): {"officer"},
    ("POST", "/rights/acts/<kind>/<subject>"): {"officer"},
    ("POST", "/rights/acts/<int:act_id>/<answer>"): {"officer"},
    ("GET", "/rights/readers/<reader_key>"): {"officer"},
    ("GET", "/rights/signers/<number>"): {"officer"},
    ("GET", "/rights/where"): {"officer", "operator"},
    ("POST", "/rights/where/<kind>/<name>"): {"officer"},
    ("GET", "/rights/log"): {"officer"},
    ("GET", "/rights/log.csv"): {"officer"},
    ("POST", "/rights/log/verify"): {"officer"},
    ("GET", "/rights/log/<int:seq>"): {"officer"},
    ("GET", "/rights/log/<int:seq>/proof"): {"officer"},
    ("POST", "/rights/evidence/<delivery>"): {"officer"},
    ("GET", "/rights/reports"): {"officer"},
    ("GET", "/rights/reports/report.csv"): {"officer"},
    ("GET", "/rights/reports/report.xlsx"): {"officer"},
    ("GET", "/sign-in/second"): set(),
    ("POST", "/sign-in/second"): set(),
    ("GET", "/sign-in/second/app"): set(),
    ("POST", "/sign-in/second/app"): set(),
    ("POST", "/sign-in/second/key"): set(),
    ("GET", "/second-factor/key"): STAFF,
    ("POST", "/second-factor/key"): STAFF,
    ("GET", "/second-factor"): STAFF,
    ("GET", "/second-factor/app"): STAFF,
    ("POST", "/second-factor/app"): STAFF,
    ("POST", "/second-factor/<int:factor_id>/remove"): STAFF,
    ("POST", "/second-factor/codes"): STAFF,
    ("GET", "/alarms"): STAFF,
    ("POST", "/alarms/<int:alarm_id>/withdraw"): {"librarian", "officer"},
    ("GET", "/operator"): {"operator"},
    ("GET", "/operator/mail"): {"operator"},
    ("GET", "/operator/mail/<name>"): {"operator"},
}


PERIOD = {"kind": "uses", "since": "2026-01-01", "until": "2026-12-31"}
LETTER = "To: maeve@harbour.example.org\nSubject: Ready\nDate: Tue, 24 Nov 2026 09:00:00 +0000\n\nYour copy is ready.\n"


class House:
    """One installation with a supplied request of Maeve's, and clients of every kind of person."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.number = world.ask().number
        world.work()
        self.token = world.ctx.links.sign(world.get(self.number).delivery)
        self.people: dict[str, Person | None] = {
            "nobody": None,
            "owner": world.reader,
            "other": world.other,
            "librarian": world.librarian,
            "elsewhere": world.stranger,
            "officer": world.officer,
            "operator": world.add_person("operator", Role.OPERATOR),
        }
        second = world.add_person("second", Role.RIGHTS_OFFICER)
        two_persons.ask(world.ctx, second, ActKind.UNMASK, world.other.reader_key, "a complaint")
        holding.place(world.ctx, second, HoldKind.REQUEST, self.number, "a dispute")
        granted = two_persons.ask(world.ctx, world.officer, ActKind.UNMASK, world.reader.reader_key, "a complaint")
        two_persons.answer(world.ctx, second, granted.id, True)
        self._sign(second)
        self._share(world.ask(world.other).number)
        self.apps = {"reader": world.reader_app(), "staff": world.staff_app()}
        world.services.settings.mail_folder.mkdir(parents=True, exist_ok=True)
        (world.services.settings.mail_folder / "a-letter.eml").write_text(LETTER)
        self._clients: dict[tuple[str, str], FlaskClient] = {}
        make_checkpoint(world.ctx, world.services.keys.audit, at_once=True)

    def _share(self, number: str) -> None:
        """Another copy, whose link went round."""
        self.world.work()
        for network in range(12):
            watching.asked_from(self.world.ctx, self.world.delivery(number), f"192.0.{network}.1")

    def _sign(self, second: Person) -> None:
        """A declaration under the request, whose name the officer may see."""
        world, seal = self.world, self.world.ctx.sealer.seal("Maeve Byrne", f"declaration:{self.number}:open.one_copy")
        key, now = world.reader.reader_key, world.clock()
        signed = Declaration(self.number, "open.one_copy", "open", 1, "IE", "harbour", key, seal, now, "en")
        with world.store.write() as work:
            work.consents.declare(signed)
        asked = two_persons.ask(world.ctx, world.officer, ActKind.SIGNER, self.number, "an inspection")
        two_persons.answer(world.ctx, second, asked.id, True)

    def client(self, app: str, who: str) -> FlaskClient:
        """A client signed in to an app; readers, whom the staff app does not let in, carry the reader app's cookies there."""
        key = (app, who)
        if key not in self._clients:
            person = self.people[who]
            if person is None or (app == "staff" and not person.is_staff):
                self._clients[key] = self.apps[app].test_client()
            else:
                self._clients[key] = signed_in(self.apps[app], person)
        return self._clients[key]

    def fill(self, rule: str) -> str:
        """An address of a rule that exists."""
        values = {
            "<number>": self.number,
            "<token>": self.token if rule.startswith("/d/") else "no-token",
            "<secret>": "0" * 32,
            "<name>": "collection" if "where" in rule else "a-letter",
            "<path:name>": "copy.pdf",
            "<code>": "none",
            "<int:page>": "0",
            "<int:number>": "1",
            "<int:width>": "1000",
            "<kind>": "unmask" if "acts" in rule else "source",
            "<subject>": self.world.other.reader_key,
            "<reader_key>": self.world.reader.reader_key,
            "<int:act_id>": "1",
            "<int:hold_id>": "1",
            "<int:alarm_id>": "1",
            "<int:factor_id>": "1",
            "<answer>": "grant",
            "<act>": "approve"
            if "approvals" in rule
            else "carry-out"
            if "retention" in rule
            else "propose"
            if "agreements" in rule
            else "claim",
            "<agreement_id>": "open",
            "<int:version>": "1",
            "<int:seq>": "1",
            "<delivery>": self.world.get(self.number).delivery,
        }
        for name, value in values.items():
            rule = rule.replace(name, value)
        return rule


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, collection: Path) -> House:
    return House(make_world(tmp_path_factory.mktemp("house") / "home", collection))


def routes(app: Flask) -> set[tuple[str, str]]:
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}
        if rule.endpoint != "static"
    }


def csrf(client: FlaskClient) -> str:
    for address in ("/ask", "/readers", "/queue", "/rights/log", "/sign-in"):
        page = client.get(address, follow_redirects=True).get_data(as_text=True)
        if 'name="csrf_token"' in page:
            return token_of(page)
    raise AssertionError("no page has a form")


def let_in(house: House, app: str, who: str, method: str, rule: str) -> bool:
    client = house.client(app, who)
    if method == "GET":
        answer = client.get(house.fill(rule), query_string=PERIOD if "/reports/" in rule else {})
    else:
        fields = {
            "csrf_token": csrf(client),
            "text": "word",
            "reason": "word",
            "kind": "reader",
            "target": "unknown",
            "doi": "10.5555/lantern.2022.0002",
        }
        answer = client.post(house.fill(rule), data=fields)
    led_away = answer.status_code in {302, 303} and answer.headers["Location"].startswith("/sign-in")
    if rule in {"/sign-out", "/sign-in", "/openurl"} or rule.startswith(
        ("/reset", "/confirm", "/w/", "/v/", "/check", "/log/")
    ):
        # These answer everybody in their own way; signing out leads to the sign-in page.
        return answer.status_code != 403 and (rule != "/sign-out" or app == "reader" or not led_away)
    return not led_away and answer.status_code not in {400, 401, 403, 404}


@pytest.mark.parametrize(("app", "table"), [("reader", READER_APP), ("staff", STAFF_APP)])
def test_every_address_stands_in_the_table(house: House, app: str, table: dict[tuple[str, str], set[str]]) -> None:
    assert routes(house.apps[app]) == set(table)


@pytest.mark.parametrize(("method", "rule"), [key for key in STAFF_APP if key not in SIGNING])
def test_the_staff_app_lets_in_whom_the_table_names(house: House, method: str, rule: str) -> None:
    allowed = {who for who in ALL if let_in(house, "staff", who, method, rule)}

    # Acts on requests may fail by their state (409) for those who may act; nobody else gets that far.
    assert allowed == STAFF_APP[(method, rule)]


@pytest.mark.parametrize(("method", "rule"), [key for key in READER_APP if key not in SIGNING])
def test_the_reader_app_lets_in_whom_the_table_names(house: House, method: str, rule: str) -> None:
    allowed = {who for who in ALL if let_in(house, "reader", who, method, rule)}

    assert allowed == READER_APP[(method, rule)]


@pytest.mark.parametrize(
    ("app", "method", "rule"),
    [("reader", *key) for key in READER_APP if key[0] == "POST" and not key[1].startswith(("/api/", "/d/"))]
    + [("staff", *key) for key in STAFF_APP if key[0] == "POST"],
)
def test_no_change_is_made_without_the_forms_token(house: House, app: str, method: str, rule: str) -> None:
    for who in ("owner", "librarian", "officer"):
        answer = house.client(app, who).post(house.fill(rule), data={"reason": "word", "text": "word"})
        led_away = answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in")

        assert answer.status_code == 400 or led_away, who


def test_a_readers_cookie_opens_nothing_in_the_staff_app(house: House) -> None:
    client = house.client("reader", "owner")
    cookie = client.get_cookie("rushlight_reader")
    assert cookie is not None
    staff = house.apps["staff"].test_client()
    for name in ("rushlight_staff", "rushlight_reader"):
        staff.set_cookie(name, cookie.value)

    assert staff.get("/queue").headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("address", ["/ask", "/requests", "/", "/sign-in"])
def test_pages_carry_no_inline_style_or_script(house: House, address: str) -> None:
    answer = house.client("reader", "owner").get(address, follow_redirects=True)
    page = answer.get_data(as_text=True)

    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<[^>]+\sstyle=", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"\son[a-z]+=", page)
