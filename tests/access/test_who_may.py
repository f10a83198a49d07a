"""Who may do what: every address of both apps, for every role, about one's own things and those of others. What is not in the file fails."""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from admin.desk import views
from admin.rights_office.bindings import BIND
from delivery.privacy import ActKind
from tests.access.matrix import LED_AWAY, Answer, Row, address, ask, read_matrix, routes, rule_of, status
from tests.access.town import ROLES, Owner, Town, make_town

MATRIX = read_matrix()
REFUSED = {LED_AWAY, "400", "401", "403", "404", "410"}
SIGNING = ("/sign-in", "/reset/<token>")
"""A try that fails is counted and logged; one that succeeds leads to the sign-in."""
BEARER = ("/d/", "/w/", "/v/", "/check/", "/confirm/", "/reset/")
"""Who has such an address was given it; what it is about is told, and never whose it is."""
NAMING = ("/rights/readers/", "/rights/signers/", "/operator/mail")
"""Two officers agreed, or the operator looks at a letter, which is logged."""
FREE = ("/api/", "/d/", "/log/add-checkpoint")
"""Changes that need no cookie: a token, the page's own nonce or a signature stands in the token's place."""
LOOKED = {"audit_events", "audit_head", "link_networks", "window_networks", "windows", "alarms"}
"""What looking at something may write: that it was looked at."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, collection: Path) -> Town:
    return Town(make_town(tmp_path_factory.mktemp("town") / "home", collection), collection)


def secret_from(town: Town, row: Row, who: str, whose: str) -> set[str]:
    """The words that must not come in the answer to somebody."""
    hidden: set[str] = set()
    for name, owner in town.owners.items():
        own = name == ("partner" if who == "partner" else "reader")
        staff = who in {"librarian", "officer", "operator"} and row.app == "staff"
        if (staff and (who != "librarian" or name != "library")) or (own and who in {"reader", "partner"}):
            hidden |= owner.names if staff and who != "librarian" else set()
        else:
            hidden |= owner.names | owner.things
            hidden |= {"Doyle", "colm@glenmore"} if name == "library" and who != "anonymous" else set()
    addressed: Owner | None = town.owner(who, whose)
    if addressed and row.path.startswith(BEARER):
        hidden -= addressed.things
    return hidden if not row.path.startswith(NAMING) or who == "librarian" else set()


def faults(town: Town, row: Row, who: str, whose: str, right: str, answer: Answer) -> list[str]:
    """What is wrong with one cell."""
    found = [] if answer.status == right else [f"{answer.status} instead of {right}"]
    leaks = sorted(
        word for word in secret_from(town, row, who, whose) if word in answer.text and word not in answer.sent
    )
    found += [f"tells {word}" for word in leaks]
    refused = right in REFUSED and row.path not in SIGNING
    if answer.changed and (refused or (row.method == "GET" and answer.changed - LOOKED)):
        found.append(f"changes {sorted(answer.changed)}")
    return found


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: row.key)
def test_each_role_gets_what_the_matrix_says_and_learns_nothing_of_others(town: Town, row: Row) -> None:
    wrong, seen = [], {}
    for who, whose, right in row.cells():
        answer = seen[who, whose] = ask(town, row, who, whose)
        wrong += [f"{who}, {whose}: {fault}" for fault in faults(town, row, who, whose, right, answer)]
        alike = answer.without(address(town, row, who, whose))
        if whose == "missing" and (who, "library") in seen and seen[who, "library"].status == right:
            there = seen[who, "library"].without(address(town, row, who, "library"))
            wrong += [] if there == alike else [f"{who}: what is another library's looks otherwise than nothing"]

    assert not wrong, "\n".join(wrong)


def test_the_matrix_is_large_enough() -> None:
    cells = [(row.key, *cell) for row in MATRIX for cell in row.cells()]
    whose = Counter(cell[2] for cell in cells)

    assert len(cells) >= 1_800
    assert min(whose["other"], whose["library"], whose["missing"]) >= 350
    assert {who for _, who, _, _ in cells} == set(ROLES)


@pytest.mark.parametrize("app", ["reader", "staff"])
def test_every_address_stands_in_the_matrix_and_no_other(town: Town, app: str) -> None:
    known = routes(town.apps[app])
    rules = {row.key: rule_of(row, known) for row in MATRIX if row.app == app}

    assert set(rules.values()) == known


def test_every_act_that_stands_in_an_address_has_a_row() -> None:
    """Where one rule serves several acts, each is asked for by its name."""
    tree = ast.parse(inspect.getsource(views.act))
    desk = {node.value.value for node in ast.walk(tree) if isinstance(node, ast.MatchValue)}  # type: ignore[attr-defined]
    named = {row.path for row in MATRIX if row.app == "staff" and row.method == "POST"}

    assert {f"/requests/<number>/{act}" for act in desk} <= named
    assert {f"/rights/where/{kind}/<name>" for kind in BIND} <= named
    assert {f"/rights/acts/{kind}/<subject>" for kind in ActKind} <= named


@pytest.mark.parametrize(
    ("key", "who", "words"),
    [
        ("reader GET /requests/<number>", "reader", {"quaggawork", "quagganote"}),
        ("reader GET /api/v1/requests", "partner", {"wombatwork"}),
        ("staff GET /requests/<number>", "librarian", {"Maeve Byrne", "quaggawork", "quagganote"}),
        ("staff GET /rights/log", "officer", {"okapiwork"}),
        ("staff GET /rights/reports/report.xlsx", "officer", {"okapiwork", "quaggawork"}),
        ("staff GET /rights/readers/<reader_key>", "officer", {"Maeve Byrne"}),
        ("staff GET /queue", "operator", {"okapiwork"}),
    ],
)
def test_the_words_that_are_looked_for_stand_where_they_may(town: Town, key: str, who: str, words: set[str]) -> None:
    row = next(one for one in MATRIX if one.key == key)

    answer = ask(town, row, who, "own")

    assert [word for word in words if word not in answer.text] == []


def test_another_librarys_request_without_a_source_is_no_more_to_be_found(town: Town) -> None:
    number = town.owners["library"].numbers["desk"]
    with town.world.store.write() as work:
        work.requests.save(replace(work.requests.get(number), source_id=""))
    row = next(one for one in MATRIX if one.key == "staff POST /requests/<number>/join")

    assert ask(town, row, "librarian", "library").status == "404"


@pytest.mark.parametrize(
    "row", [row for row in MATRIX if row.method == "POST" and not row.path.startswith(FREE)], ids=lambda row: row.key
)
def test_no_change_is_made_without_the_forms_token(town: Town, row: Row) -> None:
    for who in ("reader", "librarian", "officer"):
        client, path = town.client(row.app, who), address(town, row, who, "own")
        answer = client.post(path, data={"reason": "word", "text": "word"})

        assert status(answer) in {"400", LED_AWAY}, who
        assert town.changed() == set()


def test_a_readers_cookie_opens_nothing_in_the_staff_app(town: Town) -> None:
    cookie = town.doors["reader", "reader"].cookies["rushlight_reader"]
    staff = town.apps["staff"].test_client()
    for name in ("rushlight_staff", "rushlight_reader"):
        staff.set_cookie(name, cookie)

    assert staff.get("/queue").headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("path", ["/ask", "/requests", "/", "/sign-in"])
def test_pages_carry_no_inline_style_or_script(town: Town, path: str) -> None:
    answer = town.client("reader", "reader").get(path, follow_redirects=True)
    page = answer.get_data(as_text=True)

    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<[^>]+\sstyle=", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"\son[a-z]+=", page)
