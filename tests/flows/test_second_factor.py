"""The second factor of staff: set up, asked for, each code good once, guessed by nobody, taken away by an operator."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from flask.testing import FlaskClient

from delivery.errors import Conflict, Invalid, TooFast
from delivery.services import accounts, second_factors
from delivery.services.accounts import READER_APP, STAFF_APP
from delivery.stores import LogFilter
from drm import one_time_codes
from tests.delivery.web_test_support import signed_in, token_of
from tests.world import PASSWORD, World, make_world


def code_of(world: World, secret: str) -> str:
    return str(pyotp.TOTP(secret).at(world.clock()))


def enrolled(world: World) -> tuple[str, tuple[str, ...]]:
    """The librarian's app: its secret, and the recovery codes. Its first code is used; the clock goes on to the next."""
    begun = second_factors.begin_app(world.ctx, world.librarian)
    codes = second_factors.enrol_app(world.ctx, world.librarian, begun.token, code_of(world, begun.secret), "Phone")
    world.clock.move(timedelta(seconds=60))
    return begun.secret, codes


def half(world: World) -> str:
    signed = accounts.sign_in(world.ctx, STAFF_APP, world.librarian.email, PASSWORD)
    assert signed.needs == "code"
    return signed.secret


def guess(world: World, secret: str, code: str) -> str:
    try:
        second_factors.finish_by_code(world.ctx, secret, code)
    except (Invalid, TooFast, Conflict) as error:
        return error.code
    return "in"


def test_a_password_alone_opens_nothing_where_a_factor_is_set_up(world: World) -> None:
    enrolled(world)

    secret = half(world)

    assert accounts.who(world.ctx, STAFF_APP, secret) is None
    assert accounts.who(world.ctx, READER_APP, secret) is None


def test_a_code_completes_the_sign_in_under_a_new_secret(world: World) -> None:
    secret, _ = enrolled(world)
    first = half(world)

    full = second_factors.finish_by_code(world.ctx, first, code_of(world, secret))

    assert full.secret != first
    assert accounts.who(world.ctx, STAFF_APP, full.secret) == world.librarian
    assert second_factors.half_signed_in(world.ctx, first) is None


def test_a_code_works_once_also_for_the_next_sign_in(world: World) -> None:
    secret, _ = enrolled(world)
    code = code_of(world, secret)

    assert [guess(world, half(world), code) for _ in range(2)] == ["in", "invalid-input"]
    world.clock.move(timedelta(seconds=30))
    assert guess(world, half(world), code_of(world, secret)) == "in"


def test_the_code_that_set_the_app_up_is_used_already(world: World) -> None:
    begun = second_factors.begin_app(world.ctx, world.librarian)
    code = code_of(world, begun.secret)
    second_factors.enrol_app(world.ctx, world.librarian, begun.token, code, "Phone")

    assert guess(world, half(world), code) == "invalid-input"


def test_of_two_who_use_a_code_at_once_one_gets_in(world: World) -> None:
    secret, _ = enrolled(world)
    halves, code = [half(world) for _ in range(4)], code_of(world, secret)
    found: list[str] = []
    crowd = [threading.Thread(target=lambda one=one: found.append(guess(world, one, code))) for one in halves]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()

    assert found.count("in") == 1


def test_clocks_may_differ_by_half_a_minute_and_no_more(world: World) -> None:
    secret = one_time_codes.new_secret()
    now = world.clock()
    at = [str(pyotp.TOTP(secret).at(now + timedelta(seconds=30 * n))) for n in (-2, -1, 0, 1, 2)]

    assert [one_time_codes.step_of(secret, code, now) is not None for code in at] == [False, True, True, True, False]


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "１２３４５６", "-12345"])
def test_what_is_no_code_fits_nothing(world: World, code: str) -> None:
    assert one_time_codes.step_of(one_time_codes.new_secret(), code, world.clock()) is None


def test_each_recovery_code_works_once_however_it_is_typed(world: World) -> None:
    _, codes = enrolled(world)

    tries = [guess(world, half(world), code) for code in (codes[0], codes[0], codes[1].upper().replace("-", " "))]

    assert tries == ["in", "invalid-input", "in"]
    assert second_factors.kept(world.ctx, world.librarian).codes_left == 8


def test_five_tries_in_five_minutes_and_twenty_in_an_hour(world: World) -> None:
    secret, _ = enrolled(world)

    tries = [guess(world, half(world), "000000") for _ in range(6)]
    blocked = guess(world, half(world), code_of(world, secret))
    for _ in range(8):
        world.clock.move(timedelta(minutes=6))
        tries += [guess(world, half(world), "000000") for _ in range(5)]

    assert tries[:6] == ["invalid-input"] * 5 + ["too-many-attempts"]
    assert blocked == "too-many-attempts"
    assert tries.count("invalid-input") <= 25


def test_secrets_are_sealed_and_recovery_codes_hashed(world: World) -> None:
    secret, codes = enrolled(world)

    tables = repr(world.tables())

    assert secret not in tables
    assert not [code for code in codes if code in tables]


def test_an_enrolment_is_good_once_for_its_person_and_a_quarter_of_an_hour(world: World) -> None:
    begun = second_factors.begin_app(world.ctx, world.librarian)

    with pytest.raises(Conflict):
        second_factors.begun_app(world.ctx, world.officer, begun.token)
    with pytest.raises(Invalid):
        second_factors.enrol_app(world.ctx, world.librarian, begun.token, "000000", "")
    code = code_of(world, begun.secret)
    second_factors.enrol_app(world.ctx, world.librarian, begun.token, code, "")
    with pytest.raises(Conflict):
        second_factors.enrol_app(world.ctx, world.librarian, begun.token, code, "")


def test_an_operators_reset_ends_all_sign_ins_and_leaves_the_password_alone(world: World) -> None:
    secret, _ = enrolled(world)
    full = second_factors.finish_by_code(world.ctx, half(world), code_of(world, secret))

    assert second_factors.reset(world.ctx, world.librarian, "operator") == 1

    assert accounts.who(world.ctx, STAFF_APP, full.secret) is None
    assert accounts.sign_in(world.ctx, STAFF_APP, world.librarian.email, PASSWORD).needs == ""
    with world.store.read() as work:
        kinds = [entry.kind for entry in work.log.find(LogFilter()).entries if entry.kind.startswith("factor:")]
    assert kinds == ["factor:reset", "factor:used", "factor:added"]


def test_the_reader_app_asks_for_no_second_factor(world: World) -> None:
    enrolled(world)

    assert accounts.sign_in(world.ctx, READER_APP, world.librarian.email, PASSWORD).needs == ""


def key_in(page: str) -> str:
    found = re.search(r'<span class="code">([A-Z2-7 ]+)</span>', page)
    assert found is not None
    return found[1].replace(" ", "")


def set_up(client: FlaskClient, world: World, address: str) -> str:
    page = client.get(address).get_data(as_text=True)
    token = re.search(r'name="enrolment" value="([^"]+)"', page)
    assert token is not None
    fields = {"csrf_token": token_of(page), "enrolment": token[1], "code": code_of(world, key_in(page)), "label": "P"}
    answer = client.post(address, data=fields)
    assert "Recovery codes" in answer.get_data(as_text=True)
    return key_in(page)


def test_pages_lead_through_setting_up_and_signing_in(world: World) -> None:
    client = signed_in(world.staff_app(), world.librarian)
    secret = set_up(client, world, "/second-factor/app")
    world.clock.move(timedelta(seconds=60))
    other = world.staff_app().test_client()
    page = other.get("/sign-in?next=/readers").get_data(as_text=True)
    fields = {"csrf_token": token_of(page), "email": world.librarian.email, "password": PASSWORD, "next": "/readers"}

    answer = other.post("/sign-in", data=fields)
    assert answer.headers["Location"] == "/sign-in/second"
    assert other.get("/queue").headers["Location"].startswith("/sign-in")
    page = other.get("/sign-in/second").get_data(as_text=True)
    wrong = other.post("/sign-in/second", data={"csrf_token": token_of(page), "code": "000000"})
    answer = other.post("/sign-in/second", data={"csrf_token": token_of(page), "code": code_of(world, secret)})

    assert wrong.status_code == 422
    assert answer.headers["Location"] == "/readers"
    assert other.get("/readers").status_code == 200


def test_where_it_is_demanded_staff_set_it_up_before_anything_else(tmp_path: Path, collection: Path) -> None:
    world = make_world(tmp_path / "strict", collection, second_factor="demanded")
    client = world.staff_app().test_client()
    page = client.get("/sign-in").get_data(as_text=True)
    fields = {"csrf_token": token_of(page), "email": world.officer.email, "password": PASSWORD}
    client.post("/sign-in", data=fields)

    before = client.get("/rights/log")
    assert client.get("/sign-in/second").headers["Location"] == "/sign-in/second/app"
    set_up(client, world, "/sign-in/second/app")

    assert before.headers["Location"].startswith("/sign-in")
    assert client.get("/rights/log").status_code == 200


def test_removing_asks_for_the_password_again(world: World) -> None:
    enrolled(world)
    [factor] = second_factors.kept(world.ctx, world.librarian).factors

    with pytest.raises(Invalid):
        second_factors.remove(world.ctx, world.librarian, factor.id, "wrong")
    second_factors.remove(world.ctx, world.librarian, factor.id, PASSWORD)

    assert second_factors.kept(world.ctx, world.librarian) == second_factors.Kept((), 0)
