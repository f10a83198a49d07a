"""Guessing passwords: counted in the database for account and address, over processes, without telling who has an account."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from admin.app import create_staff_app
from admin.web_settings import web_settings
from delivery.errors import NotAllowed, TooFast
from delivery.services import accounts
from delivery.services.accounts import READER_APP, STAFF_APP
from delivery.stores import LogFilter
from delivery.web.app import create_reader_app
from tests.delivery.web_test_support import token_of
from tests.world import PASSWORD, World

EMAIL = "maeve@harbour.example.org"


def attempt(world: World, email: str, password: str, address: str = "", app: str = READER_APP) -> str:
    try:
        accounts.sign_in(world.ctx, app, email, password, address)
    except (NotAllowed, TooFast) as error:
        return error.code
    return "in"


def test_after_ten_failures_even_the_right_password_waits(world: World) -> None:
    tries = [attempt(world, EMAIL, "wrong") for _ in range(10)]

    assert tries == ["sign-in-failed"] * 10
    assert attempt(world, f" {EMAIL.upper()} ", PASSWORD) == "too-many-attempts"
    world.clock.move(timedelta(minutes=10))
    assert attempt(world, EMAIL, PASSWORD) == "in"


def test_an_unknown_account_is_answered_just_the_same(world: World) -> None:
    known = [attempt(world, EMAIL, "wrong") for _ in range(12)]
    unknown = [attempt(world, "nobody@harbour.example.org", "wrong") for _ in range(12)]

    assert known == unknown == ["sign-in-failed"] * 10 + ["too-many-attempts"] * 2


def test_one_address_does_not_try_many_accounts(world: World) -> None:
    tries = [attempt(world, f"r{n}@harbour.example.org", "wrong", "192.0.2.1") for n in range(12)]

    assert tries[9:] == ["sign-in-failed", "too-many-attempts", "too-many-attempts"]
    assert attempt(world, EMAIL, PASSWORD, "192.0.2.2") == "in"


def test_readers_behind_one_address_who_know_their_passwords_do_not_hinder_each_other(world: World) -> None:
    assert [attempt(world, EMAIL, PASSWORD, "192.0.2.1") for _ in range(25)] == ["in"] * 25


def test_many_guesses_at_once_are_not_more(world: World) -> None:
    found: list[str] = []
    crowd = [threading.Thread(target=lambda: found.append(attempt(world, EMAIL, "wrong"))) for _ in range(16)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    assert sorted(found) == ["sign-in-failed"] * 10 + ["too-many-attempts"] * 6


def test_the_log_and_the_tables_name_neither_address_nor_account(world: World) -> None:
    for _ in range(12):
        attempt(world, "nobody@harbour.example.org", "wrong", "192.0.2.77")

    tables = repr(world.tables())
    assert "192.0.2.77" not in tables
    assert "nobody@" not in tables
    with world.store.read() as work:
        assert len(work.log.find(LogFilter(kind="person:sign_in_throttled")).entries) == 1


def test_the_staff_app_and_the_reader_app_count_apart(world: World) -> None:
    for _ in range(11):
        attempt(world, world.librarian.email, "wrong")

    assert attempt(world, world.librarian.email, PASSWORD, app=STAFF_APP) == "in"


def test_mails_for_a_new_password_are_five_a_day(world: World) -> None:
    for _ in range(9):
        accounts.forgot_password(world.ctx, EMAIL)
        world.clock.move(timedelta(minutes=2))
    world.work()

    assert len(world.post.letters) == 5


def limited_app(world: World, url: str) -> Flask:
    return create_reader_app(world.ctx, replace(web_settings(world.services, "reader"), limits_url=url))


def press(app: Flask, times: int) -> list[int]:
    client = app.test_client()
    token = token_of(client.get("/forgot").get_data(as_text=True))
    fields = {"csrf_token": token, "email": "x@example.org"}
    return [client.post("/forgot", data=fields).status_code for _ in range(times)]


def test_two_processes_with_one_redis_count_together(world: World, redis_url: str) -> None:
    first, second = limited_app(world, redis_url), limited_app(world, redis_url)

    assert press(first, 6) == [200] * 6
    assert press(second, 6) == [200] * 4 + [429] * 2


def test_without_its_redis_the_service_answers_and_each_process_counts_by_itself(world: World) -> None:
    app = limited_app(world, "redis://127.0.0.1:1/0")

    assert press(app, 12) == [200] * 10 + [429] * 2


@pytest.mark.parametrize("count", [12])
def test_the_page_says_what_happened_in_words(world: World, count: int) -> None:
    client = world.reader_app().test_client()
    fields = {"csrf_token": token_of(client.get("/sign-in").get_data(as_text=True)), "email": EMAIL, "password": "no"}

    answers = [client.post("/sign-in", data=fields) for _ in range(count)]

    assert [answer.status_code for answer in answers] == [403] * 10 + [429] * 2
    assert "Too many attempts" in answers[-1].get_data(as_text=True)
    assert int(answers[-1].headers["Retry-After"]) > 0


def sign_in(app: Flask, password: str) -> int:
    client = app.test_client()
    fields = {"csrf_token": token_of(client.get("/sign-in").get_data(as_text=True)), "password": password}
    return client.post("/sign-in", data={**fields, "email": "sinead@harbour.example.org"}).status_code


@pytest.mark.parametrize("name", ["reader", "staff"])
def test_a_whole_campus_signs_in_from_one_address_and_only_failures_make_it_wait(world: World, name: str) -> None:
    settings = web_settings(world.services, name)
    app = (
        create_reader_app(world.ctx, settings)
        if name == "reader"
        else create_staff_app(world.ctx, settings, world.services.settings)
    )

    assert [sign_in(app, PASSWORD) for _ in range(12)] == [303] * 12
    assert [sign_in(app, "wrong") for _ in range(11)] == [403] * 10 + [429]


def test_without_a_pace_no_failure_makes_anybody_wait(world: World) -> None:
    unpaced = replace(world.ctx, settings=replace(world.ctx.settings, sign_in_pace=()))
    app = create_reader_app(unpaced, web_settings(world.services, "reader"))

    assert [sign_in(app, "wrong") for _ in range(12)] == [403] * 12
