"""Signing in by one's institution: a provider by other hands, one that lies, and who is let in."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from flask.testing import FlaskClient
from joserfc.jwk import OctKey, RSAKey

from admin.settings import Settings
from admin.wiring import real_clock
from delivery.errors import NotAllowed
from delivery.identity import Started
from delivery.people import Role, Standing
from delivery.services import accounts, arriving
from delivery.services.accounts import READER_APP, STAFF_APP
from tests.delivery.web_test_support import token_of
from tests.flows.test_second_factor import code_of, enrolled
from tests.services.openid import CrookedProvider, crooked, other_hands, query_of
from tests.world import PASSWORD, World, make_world

SHARED = "a:secret/of more than 112 bits"
ISSUER = "https://login.example.org"


def claims(sub: str = "s1", email: str = "maeve@harbour.example.org", **more: object) -> dict[str, object]:
    return {"sub": sub, "email": email, "email_verified": True, "name": "Maeve Byrne", **more}


def institution(tmp_path: Path, collection: Path, issuer: str = "http://127.0.0.1:9", **more: str) -> World:
    settings = {"oidc_issuer": issuer, "oidc_client_id": "rushlight", "oidc_libraries": "harbour", **more}
    world = make_world(tmp_path / "home", collection, **settings)
    world.clock.now = real_clock()  # the provider's clock is the real one
    return world


@pytest.fixture
def world(tmp_path: Path, collection: Path) -> World:
    return institution(tmp_path, collection)


def refused(world: World, app: str = READER_APP, **more: object) -> str:
    with pytest.raises(NotAllowed) as raised:
        arriving.arrive(world.ctx, app, ISSUER, {**claims(), **more}, "en")
    return raised.value.code


def go(client: FlaskClient, sub: str, next_page: str = "/requests") -> Any:
    """Through the provider as a browser goes, and back."""
    leaving = client.get(f"/sign-in/openid?next={next_page}")
    asked = httpx.post(leaving.headers["Location"], data={"sub": sub}, trust_env=False)
    assert asked.status_code == 302
    came = urlsplit(asked.headers["Location"])
    return client.get(f"{came.path}?{came.query}")


def test_a_new_reader_comes_by_a_provider_of_other_hands(tmp_path: Path, collection: Path) -> None:
    with other_hands(tmp_path, claims("u-1", "new@harbour.example.org", kind="student", card="4711")) as issuer:
        more = {"oidc_category_claim": "kind", "oidc_card_claim": "card", "oidc_client_secret": "any"}
        world = institution(tmp_path, collection, issuer, **more)
        client = world.reader_app().test_client()

        first, page = go(client, "u-1"), client.get("/requests")
        with world.store.read() as work:
            person = work.people.by_outside(issuer, "u-1")
        token = token_of(page.get_data(as_text=True))
        left = client.post("/sign-out", data={"csrf_token": token})
        again = go(world.reader_app().test_client(), "u-1")

    assert (first.status_code, first.headers["Location"]) == (303, "/requests")
    assert page.status_code == 200
    assert person is not None
    assert (person.email, person.category, person.library_id) == ("new@harbour.example.org", "student", "harbour")
    assert person.card
    assert f"{issuer}/oauth2/end_session?client_id=rushlight" in left.get_data(as_text=True)
    assert client.get("/requests").headers["Location"].startswith("/sign-in")
    assert again.status_code == 303


def test_staff_come_by_it_only_where_they_are_known(tmp_path: Path, collection: Path) -> None:
    users = (claims("u-2", "sinead@harbour.example.org"), claims("u-3", "unknown@harbour.example.org"))
    with other_hands(tmp_path, *users) as issuer:
        world = institution(tmp_path, collection, issuer, oidc_client_secret="any")
        client = world.staff_app().test_client()
        stays_out = go(world.staff_app().test_client(), "u-3")
        answer = go(client, "u-2", "/queue")
        page = client.get("/queue")

    assert stays_out.status_code == 403
    assert "openid-not-known" in stays_out.get_data(as_text=True)
    assert (answer.status_code, page.status_code) == (303, 200)


@pytest.fixture
def liar(tmp_path: Path, collection: Path) -> Iterator[tuple[World, CrookedProvider]]:
    with crooked() as provider:
        yield institution(tmp_path, collection, provider.issuer, oidc_client_secret=SHARED), provider


def come_back(world: World, provider: CrookedProvider, **changes: object) -> Any:
    """Set out, have the provider say what the changes make of a good token, and come back."""
    client = world.reader_app().test_client()
    asked = query_of(client.get("/sign-in/openid").headers["Location"])
    provider.challenge = asked["code_challenge"]
    now = int(world.clock().timestamp())
    good = {"iss": provider.issuer, "aud": "rushlight", "nonce": asked["nonce"], "iat": now, "exp": now + 300}
    said = {**claims(), **good, **changes}
    provider.claims = {name: value for name, value in said.items() if value is not None}
    return client.get("/sign-in/openid/back", query_string={"code": "c", "state": asked["state"]})


def test_a_good_token_lets_in_and_the_secret_goes_as_it_should(liar: tuple[World, CrookedProvider]) -> None:
    world, provider = liar

    answer = come_back(world, provider)

    assert answer.status_code == 303
    assert provider.authorizations == [
        "Basic " + base64.b64encode(f"rushlight:{quote(SHARED, safe='')}".encode()).decode()
    ]
    assert len(provider.posts[0]["code_verifier"]) >= 43


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example.org"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["rushlight", "another"]},
        {"aud": ["rushlight", "another"], "azp": "another"},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 300},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"iat": None},
        {"iat": 9_999_999_999},
    ],
    ids=str,
)
def test_a_token_with_one_wrong_claim_lets_nobody_in(
    liar: tuple[World, CrookedProvider], changes: dict[str, object]
) -> None:
    world, provider = liar

    answer = come_back(world, provider, **changes)

    assert answer.status_code == 403
    assert "openid-failed" in answer.get_data(as_text=True)


def test_a_token_of_another_key_or_algorithm_lets_nobody_in(liar: tuple[World, CrookedProvider]) -> None:
    world, provider = liar
    provider.signing = RSAKey.generate_key(2048, parameters={"kid": "k1"})
    other_key = come_back(world, provider).status_code
    provider.signing, provider.algorithm = OctKey.import_key(SHARED), "HS256"  # type: ignore[assignment]  # a lie
    shared = come_back(world, provider).status_code
    provider.token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzMSJ9."
    unsigned = come_back(world, provider).status_code

    assert (other_key, shared, unsigned) == (403, 403, 403)


def test_a_provider_that_changes_its_keys_is_asked_for_them_again(liar: tuple[World, CrookedProvider]) -> None:
    world, provider = liar
    first = come_back(world, provider)
    provider.key = RSAKey.generate_key(2048, parameters={"kid": "k1"})
    world.clock.move(timedelta(minutes=2))

    assert (first.status_code, come_back(world, provider).status_code) == (303, 303)


def test_a_code_is_worth_nothing_without_the_verifier(liar: tuple[World, CrookedProvider]) -> None:
    world, provider = liar
    client = world.reader_app().test_client()
    asked = query_of(client.get("/sign-in/openid").headers["Location"])
    provider.challenge = "of-another-sign-in"

    answer = client.get("/sign-in/openid/back", query_string={"code": "c", "state": asked["state"]})

    assert answer.status_code == 403
    assert asked["code_challenge_method"] == "S256"


def test_only_the_browser_that_set_out_comes_back_and_once(liar: tuple[World, CrookedProvider]) -> None:
    world, provider = liar
    client, other = world.reader_app().test_client(), world.reader_app().test_client()
    state = query_of(client.get("/sign-in/openid").headers["Location"])["state"]

    foreign = other.get("/sign-in/openid/back", query_string={"code": "c", "state": state})
    wrong = client.get("/sign-in/openid/back", query_string={"code": "c", "state": "x"})
    used = client.get("/sign-in/openid/back", query_string={"code": "c", "state": state})

    assert [answer.status_code for answer in (foreign, wrong, used)] == [403] * 3
    assert provider.posts == []


def test_a_provider_that_leads_inside_our_network_is_not_followed(liar: tuple[World, CrookedProvider]) -> None:
    world, provider = liar
    provider.elsewhere = "https://169.254.169.254/token"

    assert come_back(world, provider).status_code == 403
    assert provider.posts == []


def test_a_provider_that_calls_itself_otherwise_is_not_believed(liar: tuple[World, CrookedProvider]) -> None:
    world, provider = liar
    provider.told_issuer = "https://evil.example.org"

    assert world.reader_app().test_client().get("/sign-in/openid").status_code == 403


def test_a_provider_that_is_away_is_said_to_be_away(world: World) -> None:
    answer = world.reader_app().test_client().get("/sign-in/openid")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"


def test_an_account_with_the_verified_address_is_joined_once_and_known_by_its_subject(world: World) -> None:
    arriving.arrive(world.ctx, READER_APP, ISSUER, claims(), "en")

    again = arriving.arrive(world.ctx, READER_APP, ISSUER, {"sub": "s1", "email": "changed@example.org"}, "en")

    assert again.person.id == world.reader.id


def test_the_same_subject_of_another_issuer_is_somebody_else(world: World) -> None:
    arriving.arrive(world.ctx, READER_APP, ISSUER, claims(), "en")

    other = arriving.arrive(world.ctx, READER_APP, "https://b.example.org", claims(email="b@example.org"), "en")

    assert other.person.id != world.reader.id


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_is_not_verified_opens_no_account(world: World, verified: object) -> None:
    assert refused(world, email_verified=verified) == "openid-no-address"


def test_the_provider_speaks_for_its_libraries_alone(world: World) -> None:
    assert refused(world, STAFF_APP, email="colm@glenmore.example.org") == "openid-not-known"
    assert refused(world, STAFF_APP) == "openid-not-known"


def test_a_library_that_is_not_configured_gets_no_new_readers(tmp_path: Path, collection: Path) -> None:
    world = institution(tmp_path, collection, oidc_library_claim="library")
    new = {"email": "new@example.org"}

    codes = [refused(world, **new, library=name) for name in ("glenmore", "", "nowhere", 7)]
    made = arriving.arrive(world.ctx, READER_APP, ISSUER, {**claims(**new), "library": ["harbour"]}, "en")

    assert codes == ["openid-no-library"] * 4
    assert (made.person.library_id, made.person.roles) == ("harbour", frozenset({Role.READER}))


def test_whoever_registered_a_strangers_address_before_has_no_use_of_it(world: World) -> None:
    accounts.register(world.ctx, "harbour", "Thief", "victim@example.org", "en")

    came = arriving.arrive(world.ctx, READER_APP, ISSUER, claims(email="victim@example.org"), "en")

    assert came.person.standing is Standing.ACTIVE
    with pytest.raises(NotAllowed):
        accounts.sign_in(world.ctx, READER_APP, "victim@example.org", "thiefs-long-password")


def test_a_closed_account_stays_closed(world: World) -> None:
    arriving.arrive(world.ctx, READER_APP, ISSUER, claims(), "en")
    accounts.disable(world.ctx, world.reader, "operator")

    assert refused(world) == "openid-not-known"


def test_a_second_factor_is_asked_for_after_the_provider_too(world: World) -> None:
    world = replace(world, ctx=replace(world.ctx, settings=replace(world.ctx.settings, second_factor=True)))

    came = arriving.arrive(world.ctx, STAFF_APP, ISSUER, claims(email=world.librarian.email), "en")

    assert came.needs == "enrol"
    assert accounts.who(world.ctx, STAFF_APP, came.secret) is None


class Leaving:
    """A provider that lets the librarian in, and has a place to sign out."""

    issuer = ISSUER

    def start(self, back: str) -> Started:
        return Started(f"{ISSUER}/auth", "state", "nonce", "verifier")

    def finish(self, code: str, back: str, nonce: str, verifier: str) -> dict[str, object]:
        return claims("s2", "sinead@harbour.example.org")

    def leave(self, back: str) -> str:
        return f"{ISSUER}/logout"


@pytest.mark.parametrize("factor", [False, True])
def test_signing_out_leads_to_the_provider_with_a_second_factor_or_without(world: World, factor: bool) -> None:
    world = replace(world, ctx=replace(world.ctx, provider=Leaving()))
    secret = enrolled(world)[0] if factor else ""
    client = world.staff_app().test_client()
    client.get("/sign-in/openid")
    client.get("/sign-in/openid/back?state=state&code=abc")
    if factor:
        page = client.get("/sign-in/second").get_data(as_text=True)
        client.post("/sign-in/second", data={"csrf_token": token_of(page), "code": code_of(world, secret)})

    left = client.post("/sign-out", data={"csrf_token": token_of(client.get("/readers").get_data(as_text=True))})
    page = client.get("/sign-in").get_data(as_text=True)
    form = {"csrf_token": token_of(page), "email": "sinead@harbour.example.org", "password": PASSWORD}
    client.post("/sign-in", data=form)
    with client.session_transaction() as session:
        still = session.get("openid")

    assert f"{ISSUER}/logout" in left.get_data(as_text=True)
    assert still is None


def test_without_a_provider_there_is_no_such_page(tmp_path: Path, collection: Path) -> None:
    world = make_world(tmp_path / "plain", collection)

    assert world.reader_app().test_client().get("/sign-in/openid").status_code == 404
    assert "institution" not in world.reader_app().test_client().get("/sign-in").get_data(as_text=True)
    assert accounts.sign_in(world.ctx, READER_APP, world.reader.email, PASSWORD).secret


@pytest.mark.parametrize(
    "wrong",
    [{"oidc_issuer": "http://login.example.org"}, {"oidc_issuer": "https://a.org"}, {"oidc_apps": "desk"}],
    ids=str,
)
def test_settings_that_cannot_be_meant_are_refused(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="oidc"):
        Settings(home=tmp_path, _env_file=None, **wrong)  # type: ignore[arg-type]  # texts


def test_a_provider_that_takes_the_secret_in_the_form_gets_it_there(liar: tuple[World, CrookedProvider]) -> None:
    world, provider = liar
    provider.methods = ["client_secret_post"]

    assert come_back(world, provider).status_code == 303
    assert provider.authorizations == [""]
    assert provider.posts[0]["client_secret"] == SHARED
