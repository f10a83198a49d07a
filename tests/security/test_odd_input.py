"""A table of odd values, put into every part of every address, query and form of both apps: none of them is our fault."""

from __future__ import annotations

import inspect
import json
import random
import re
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from delivery.citation import FIELDS
from delivery.people import Role
from delivery.services.telling import TELLABLE
from tests.delivery.web_test_support import signed_in, token_of
from tests.faults.counts import SOAK
from tests.flows.test_pages import bearer
from tests.world import World

UNREADABLE = ("\0", "a\0b")
ODD = (
    "9" * 24,
    str(2**63),
    str(2**31),
    "-1",
    "9" * 5_000,
    "9999-12-31",
    "0001-01-01",
    "x" * 700,
    "語" * 2_000,
    "\ufffe",
)
ALONE = ("9" * 24, "9999-12-31", "語" * 2_000)
"""Those of the table that are tried in one field at a time as well."""
TODAY = random.Random(date.today().toordinal())
TRIED = ODD if SOAK else tuple(TODAY.sample(ODD, 3))
TRIED_ALONE = ALONE if SOAK else tuple(TODAY.sample(ALONE, 1))
"""All of them take minutes: every run tries others, the soak each."""
READ = re.compile(r"(?:form|args|given|values)(?:\.get\(|\.getlist\(|\[)\"([a-zA-Z_.-]+)\"")
ACTS = {
    "/requests/<number>/<act>": "claim edit search unfilled replace cancel message join correct tell resend extend revoke unclaim",
    "/rights/approvals/<number>/<act>": "approve refuse",
    "/rights/agreements/<agreement_id>/<int:version>/<act>": "propose confirm send-back",
    "/rights/retention/<act>": "postpone carry-out",
    "/rights/acts/<kind>/<subject>": "unmask override signer",
    "/rights/acts/<int:act_id>/<answer>": "refuse",
    "/rights/where/<kind>/<name>": "source library",
}
LEFT_OUT = {"static", "accounts.sign_out"}
"""Files of ours; and who signs out sees no more pages."""
BODY = {"citation": {"doi": "10.5555/lantern.2021.0001"}, "deliberate": True}


def all_roles(world: World) -> World:
    """The officer with every other role as well, so that he sees each page."""
    with world.store.write() as work:
        work.people.save(replace(world.officer, roles=frozenset(Role)))
    return world


def doors(world: World) -> list[tuple[Flask, FlaskClient, str, dict[str, str]]]:
    """Both apps with somebody who is let in, the token of his forms, and what lets programs in."""
    found = []
    for app, person, told in (
        (world.reader_app(), world.reader, bearer(world)),
        (world.staff_app(), world.officer, {}),
    ):
        client = signed_in(app, person)
        page = client.get("/second-factor" if person is world.officer else "/ask").get_data(as_text=True)
        found.append((app, client, token_of(page), told))
    return found


def rules(app: Flask) -> list[Rule]:
    return sorted(
        (rule for rule in app.url_map.iter_rules() if rule.endpoint not in LEFT_OUT), key=lambda one: one.rule
    )


def addresses(rule: Rule, number: str) -> list[str]:
    """A rule with something in each gap; one for each act that it stands for."""
    path = rule.rule.replace("<number>", number).replace("<path:name>", "x.pdf")
    acts = ACTS.get(rule.rule, "nothing").split()
    chosen = [re.sub(r"<(act|kind|answer)>", act, path) for act in acts]
    return [re.sub(r"<[^<>]+>", "word", re.sub(r"<int:[^<>]+>", "1", one)) for one in chosen]


def odd_addresses(rule: Rule, number: str, value: str) -> list[str]:
    """A rule with an odd value in each gap in turn, the others as they should be."""
    gaps = [match.span() for match in re.finditer(r"<[^<>]+>", rule.rule)]
    cut = [(rule.rule[:start], rule.rule[end:]) for start, end in gaps]
    return [
        addresses(_as_rule(before), number)[0] + quote(value, safe="") + addresses(_as_rule(after), number)[0]
        for before, after in cut
    ]


def _as_rule(part: str) -> Any:
    return type("Part", (), {"rule": part})()


def fields_of(app: Flask, rule: Rule) -> list[str]:
    """The names of fields that a view reads, itself or by functions of its module that it names, as its source says."""
    view = inspect.unwrap(app.view_functions[rule.endpoint])
    source = inspect.getsource(view)
    ours = inspect.getmembers(inspect.getmodule(view), inspect.isfunction)
    told = [source, *(inspect.getsource(one) for name, one in ours if re.search(rf"\b{name}\b", source))]
    return sorted({name for text in told for name in READ.findall(text)} | {FIELDS[1], TELLABLE[-1]})


def faults(client: FlaskClient, rule: Rule, address: str, **sent: Any) -> list[tuple[str, str, int]]:
    """The answers by which something of ours went wrong."""
    found = []
    for method in sorted({"GET", "POST"} & (rule.methods or set())):
        given = {name: value for name, value in sent.items() if method == "POST" or name != "data"}
        status = client.open(address, method=method, **given).status_code
        if status >= 500:
            found.append((method, f"{address[:80]} {str(sent)[:200]}", status))
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_odd_value_in_an_address_or_in_all_fields_is_our_fault(either: World) -> None:
    number, wrong = all_roles(either).ask().number, []
    for app, client, token, told in doors(either):
        for rule in rules(app):
            names = fields_of(app, rule)
            for value in TRIED:
                for address in odd_addresses(rule, number, value):
                    wrong += faults(client, rule, address, headers=told, data={"csrf_token": token})
            for address in addresses(rule, number):
                for value in TRIED:
                    given = dict.fromkeys(names, value)
                    data = {**given, "csrf_token": token, "reason": "words of mine"}
                    wrong += faults(client, rule, address, headers=told, query_string=given, data=data)

    assert wrong == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_odd_value_in_one_field_is_our_fault(either: World) -> None:
    number, wrong = all_roles(either).ask().number, []
    for app, client, token, told in doors(either):
        for rule in rules(app):
            for address in addresses(rule, number):
                for name in fields_of(app, rule):
                    usual = {
                        "csrf_token": token,
                        "reason": "words of mine",
                        "since": "2026-01-01",
                        "until": "2026-12-31",
                    }
                    for value in TRIED_ALONE:
                        given = {**usual, "kind": "uses", name: value}
                        wrong += faults(client, rule, address, headers=told, query_string=given, data=given)

    assert wrong == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("value", UNREADABLE)
def test_what_no_text_may_hold_is_refused_by_every_page_alike(either: World, value: str) -> None:
    number = all_roles(either).ask().number
    answers: dict[tuple[str, ...], int] = {}
    for app, client, token, told in doors(either):
        for rule in rules(app):
            for address in odd_addresses(rule, number, value):
                answers[app.name, address] = client.get(address, headers=told).status_code
            for address in addresses(rule, number):
                for query in ({"q": value}, {value: "q"}):
                    answers[app.name, address, *query] = client.get(
                        address, headers=told, query_string=query
                    ).status_code
                if "POST" in (rule.methods or ()) and not address.startswith(("/api/", "/log/add-checkpoint")):
                    for form in ({"text": value}, {value: "text"}):
                        sent = client.post(address, data={"csrf_token": token, **form}).status_code
                        answers[app.name, "POST", address, *form] = sent

    assert {key: status for key, status in answers.items() if status != 400} == {}


@pytest.mark.parametrize("value", ["\0", "\ud800", "a\udfffb"])
@pytest.mark.parametrize("place", ["purpose", "language", "declarations", "citation", "more", "name"])
def test_a_body_that_cannot_be_kept_is_refused_with_a_problem_document(world: World, value: str, place: str) -> None:
    given: dict[str, dict[str, Any]] = {
        "declarations": {"declarations": [value]},
        "citation": {"citation": {"title": value}},
        "name": {f"x{value}": "y"},
    }
    more = given.get(place, {place: value})

    answer = (
        world.reader_app()
        .test_client()
        .post(
            "/api/v1/requests",
            data=json.dumps({**BODY, **more}),
            headers={**bearer(world), "Content-Type": "application/json"},
        )
    )

    told = answer.get_json()
    assert (answer.status_code, answer.mimetype, told["code"]) == (400, "application/problem+json", "unreadable-input")
    assert set(told["errors"].values()) == {"control-characters"}


@pytest.mark.parametrize(("purpose", "code"), [("p" * 40, "unknown-word"), (7, "not-text"), (None, "not-text")])
def test_a_purpose_that_the_form_does_not_offer_is_refused(either: World, purpose: object, code: str) -> None:
    answer = (
        either.reader_app()
        .test_client()
        .post("/api/v1/requests", json={**BODY, "purpose": purpose}, headers=bearer(either))
    )

    assert (answer.status_code, answer.get_json()["errors"]) == (422, {"purpose": code})


def test_a_body_nested_as_deep_as_can_be_read_is_looked_through(world: World) -> None:
    deep = "[" * 900 + '"\\u0000"' + "]" * 900
    body = json.dumps(BODY)[:-1] + f', "more": {deep}}}'

    answer = world.reader_app().test_client().post("/api/v1/requests", data=body, headers=bearer(world))

    assert answer.status_code in {400, 422}


@pytest.mark.parametrize(("language", "words"), [("en", "cannot be kept"), ("zh", "无法保存")])
def test_a_person_is_told_in_his_language(world: World, language: str, words: str) -> None:
    page = world.reader_app().test_client().get(f"/sign-in?lang={language}&next=%00")

    assert page.status_code == 400
    assert words in page.get_data(as_text=True)
