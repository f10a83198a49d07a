"""What both apps promise on every address: methods, headers, cookies; and what signing in and out, surplus fields and faults of our own do."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from admin.app import create_staff_app
from admin.web_settings import web_settings
from delivery.lifecycle import State
from delivery.people import Role, Standing
from delivery.services import accounts
from delivery.web.app import create_reader_app
from delivery.web.shell.shell import CSP
from tests.access.matrix import METHODS, routes
from tests.delivery.web_test_support import signed_in, token_of
from tests.flows.test_pages import bearer
from tests.world import LIMITED, PASSWORD, World, make_world, migrated

PUBLIC = ("/log/",)
"""What everybody may keep: parts of the audit log that never change."""


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory, collection: Path) -> Iterator[dict[str, Flask]]:
    made = make_world(tmp_path_factory.mktemp("promises") / "home", collection)
    yield {"reader": made.reader_app(), "staff": made.staff_app()}
    made.close()


def secure(world: World, name: str) -> Flask:
    """An app that people reach over TLS."""
    settings = replace(web_settings(world.services, name), testing=True, base_url="https://localhost")
    if name == "reader":
        return create_reader_app(world.ctx, settings)
    return create_staff_app(world.ctx, settings, world.services.settings)


def filled(rule: str) -> str:
    return re.sub(r"<int:[^>]+>", "1", re.sub(r"<(?!int:)[^>]+>", "none", rule))


@pytest.mark.parametrize("name", ["reader", "staff"])
def test_a_method_that_an_address_does_not_have_is_405(apps: dict[str, Flask], name: str) -> None:
    client, known = apps[name].test_client(), routes(apps[name])
    missing = [
        (method, rule)
        for rule in {one for _, one in known}
        for method in {*METHODS, "TRACE"}
        if (method, rule) not in known
    ]
    # In the staff app nobody is told anything about an address before signing in.
    refused = {405} if name == "reader" else {405, 303}
    answers = {one: client.open(filled(one[1]), method=one[0]) for one in missing if one[0] not in {"GET", "POST"}}

    assert len(answers) > 100
    assert {one: answer.status_code for one, answer in answers.items() if answer.status_code not in refused} == {}
    assert all(answer.headers["Allow"] for answer in answers.values() if answer.status_code == 405)


@pytest.mark.parametrize("name", ["reader", "staff"])
def test_every_answer_forbids_what_pages_do_not_need(apps: dict[str, Flask], name: str) -> None:
    client = apps[name].test_client()
    for rule in sorted({rule for method, rule in routes(apps[name]) if method == "GET"} | {"/no-such-page"}):
        headers = client.get(filled(rule)).headers
        policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'", rule
        assert policy["base-uri"] == policy["frame-ancestors"] == "'none'", rule
        assert "object-src" not in policy, rule
        assert headers["X-Content-Type-Options"] == "nosniff", rule
        assert headers["Referrer-Policy"] == "no-referrer", rule
        assert headers["Cache-Control"] == "private, no-store" or rule.startswith(PUBLIC), rule


@pytest.mark.parametrize("name", ["reader", "staff"])
def test_over_tls_the_cookie_is_of_this_host_alone_and_no_script_reads_it(world: World, name: str) -> None:
    answer = secure(world, name).test_client().get("/sign-in", base_url="https://localhost")

    [cookie] = answer.headers.getlist("Set-Cookie")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert cookie.startswith(f"__Host-rushlight_{name}=")
    assert {"secure", "httponly", "path=/", "samesite=lax"} <= parts
    assert not any(part.startswith("domain") for part in parts)


@pytest.mark.parametrize(("name", "who"), [("reader", "reader"), ("staff", "librarian")])
@pytest.mark.parametrize(("told", "status"), [("", 303), ("same-origin", 303), ("same-site", 400), ("cross-site", 400)])
def test_over_tls_forms_go_without_a_referer_and_from_no_other_site(
    world: World, name: str, who: str, told: str, status: int
) -> None:
    client = secure(world, name).test_client()
    page = client.get("/sign-in", base_url="https://localhost").get_data(as_text=True)
    form = {"csrf_token": token_of(page), "email": getattr(world, who).email, "password": PASSWORD}

    answer = client.post(
        "/sign-in", base_url="https://localhost", data=form, headers={"Sec-Fetch-Site": told} if told else {}
    )

    assert answer.status_code == status


def test_without_tls_the_cookie_is_still_for_this_site_and_no_script(apps: dict[str, Flask]) -> None:
    [cookie] = apps["reader"].test_client().get("/sign-in").headers.getlist("Set-Cookie")

    assert {"HttpOnly", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}


def test_a_session_that_was_there_before_signing_in_is_worth_nothing_after(world: World) -> None:
    app = world.reader_app()
    client = app.test_client()
    page = client.get("/sign-in").get_data(as_text=True)
    before = client.get_cookie("rushlight_reader")
    form = {"csrf_token": token_of(page), "email": world.reader.email, "password": PASSWORD}
    client.post("/sign-in", data=form)
    first = client.get_cookie("rushlight_reader")
    second = signed_in(app, world.reader).get_cookie("rushlight_reader")
    assert before is not None
    assert first is not None
    assert second is not None
    assert len({before.value, first.value, second.value}) == 3

    fixed = app.test_client()
    fixed.set_cookie("rushlight_reader", before.value)
    assert fixed.get("/requests").status_code == 303


@pytest.mark.parametrize("end", ["sign out", "disable", "new password"])
def test_a_sign_in_that_was_ended_opens_nothing_with_the_next_request(world: World, end: str) -> None:
    client = signed_in(world.reader_app(), world.reader)
    stolen = client.get_cookie("rushlight_reader")
    assert stolen is not None
    token = token_of(client.get("/ask").get_data(as_text=True))

    if end == "sign out":
        client.post("/sign-out", data={"csrf_token": token})
    elif end == "disable":
        accounts.disable(world.ctx, world.reader, "operator")
    else:
        accounts.set_password(world.ctx, world.reader, "another-battery-staple")

    thief = world.reader_app().test_client()
    thief.set_cookie("rushlight_reader", stolen.value)
    assert thief.get("/requests").status_code == 303


def test_a_token_of_a_closed_account_opens_nothing(world: World) -> None:
    headers = bearer(world)
    accounts.disable(world.ctx, world.reader, "operator")

    assert world.reader_app().test_client().get("/api/v1/requests", headers=headers).status_code == 403


def test_surplus_fields_set_nothing(world: World) -> None:
    surplus = {
        "state": "supplied", "hold": "", "number": "TR-AAAA-AAAA", "library_id": "glenmore", "reader_id": world.other.id,
        "reader_key": "x", "approved": "collection", "delivery": "RL-AAAA-AAAA", "copy_no": "9", "found": "{}", "decision": "{}",
    }  # fmt: skip
    client = signed_in(world.reader_app(), world.reader)
    token = token_of(client.get("/ask").get_data(as_text=True))
    sent = client.post("/requests", data={"csrf_token": token, "title": "Nobody has this", "year": "2020", **surplus})
    asked = world.get(sent.headers["Location"].rsplit("/", 1)[1])
    body = {"citation": {"title": "Nor this", "year": "2020"}, **surplus}
    by_api = client.post("/api/v1/requests", json=body, headers=bearer(world)).json
    assert by_api is not None

    for request in (asked, world.get(by_api["number"])):
        assert (request.state, request.library_id, request.reader_id) == (State.NEW, "harbour", world.reader.id)
        assert (request.approved, request.delivery, request.copy_no) == ("", "", 1)
        assert request.number != "TR-AAAA-AAAA"


def test_whoever_registers_is_a_reader_whatever_the_form_says(world: World) -> None:
    client = world.reader_app().test_client()
    token = token_of(client.get("/register").get_data(as_text=True))
    form = {
        "library": "harbour",
        "name": "Eve",
        "email": "eve@harbour.example.org",
        "password": PASSWORD,
        "csrf_token": token,
    }
    client.post(
        "/register", data={**form, "roles": "operator", "role": "rights_officer", "standing": "active", "card": "1"}
    )

    with world.store.read() as work:
        person = work.people.by_email("eve@harbour.example.org")
    assert person is not None
    assert (person.roles, person.standing, person.card) == (frozenset({Role.READER}), Standing.UNCONFIRMED, "")


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_fault_of_our_own_shows_a_number_and_nothing_of_our_insides(world: World, accept: str) -> None:
    app = world.reader_app()
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def broken() -> str:
        raise RuntimeError("SELECT secret FROM drm/tokens.py")

    app.add_url_rule("/broken", "broken", broken)
    answer = app.test_client().get("/broken", headers={"Accept": accept})

    text = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert "our-fault" in text or "our fault" in text
    assert not re.search(r"Traceback|RuntimeError|SELECT|\.py|secret", text)


def test_where_the_ledger_cannot_be_read_nothing_is_accepted(world: World) -> None:
    world.load(LIMITED.format(most=5, per="reader", effect="deny"))
    world.bind("collection", ["limited"])
    client = signed_in(world.reader_app(), world.reader)
    token = token_of(client.get("/ask").get_data(as_text=True))
    engine = world.services.engine.execution_options(rushlight_write=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE usage_records RENAME TO away")

    answer = client.post("/requests", data={"csrf_token": token, "doi": "10.5555/lantern.2021.0001"})

    with world.store.read() as work:
        assert work.requests.of_reader(world.reader.id, 10).total == 0
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_every_id_that_opens_something_has_128_bits(world: World) -> None:
    signed = accounts.sign_in(world.ctx, "reader", world.reader.email, PASSWORD)
    _, claims = world.ctx.api_tokens.issue(world.reader.id, world.clock(), world.ctx.settings.window)

    for secret in (signed.secret, claims.token_id, world.reader.id, world.reader.reader_key):
        assert re.fullmatch("[0-9a-f]{32}", secret)


def test_a_new_installation_has_no_account(tmp_path: Path) -> None:
    file = tmp_path / "fresh.db"
    file.write_bytes(migrated())
    with contextlib.closing(sqlite3.connect(file)) as fresh:
        assert fresh.execute("SELECT count(*) FROM people").fetchone() == (0,)
        assert fresh.execute("SELECT count(*) FROM api_tokens").fetchone() == (0,)


@pytest.mark.parametrize("name", ["reader", "staff"])
@pytest.mark.parametrize(
    "query", ["endpoint=x", "_method=FOO", "_scheme=javascript&_external=1", "_anchor=a", "values=1"]
)
def test_no_name_in_a_query_breaks_a_page_or_leads_the_other_language_away(
    apps: dict[str, Flask], name: str, query: str
) -> None:
    found = apps[name].test_client().get(f"/sign-in?{query}")
    missing = apps["reader"].test_client().get(f"/d/made-up?{query}")

    assert (found.status_code, missing.status_code) == (200, 404)
    assert f'href="/sign-in?{query.replace("&", "&amp;")}&amp;lang=zh"' in found.get_data(as_text=True)


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_problem_is_told_with_our_headers_even_where_no_page_can_be_made(world: World, accept: str) -> None:
    app = world.reader_app()
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def broken() -> dict[str, object]:
        raise RuntimeError("words of ours")

    app.context_processor(broken)
    answers = [app.test_client().get(path, headers={"Accept": accept}) for path in ("/sign-in", "/nowhere")]

    assert [answer.status_code for answer in answers] == [500, 404]
    assert all("words of ours" not in answer.get_data(as_text=True) for answer in answers)
    assert all(answer.headers["Content-Security-Policy"] == CSP for answer in answers)
    assert "ncident" in answers[0].get_data(as_text=True)


def test_no_name_in_a_citation_breaks_the_page_of_its_request(world: World) -> None:
    client, headers = world.reader_app().test_client(), bearer(world)
    typed = {"title": "Nobody has this", "endpoint": "x", "_method": "FOO", "repeat": "no"}
    number = (client.post("/api/v1/requests", json={"citation": typed}, headers=headers).json or {})["number"]
    client.post(f"/api/v1/requests/{number}/cancel", headers=headers)

    page = signed_in(world.reader_app(), world.reader).get(f"/requests/{number}")

    assert page.status_code == 200
    assert 'title=Nobody+has+this">Ask again' in page.get_data(as_text=True)
