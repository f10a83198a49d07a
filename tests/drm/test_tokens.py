"""Tokens: what we signed is read, anything else is refused, and no key or purpose serves for another."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer
from time_machine import TimeMachineFixture

from drm.tokens import API_AUDIENCE, ApiTokens, KeyRing, LinkSigner, PurposeSigner, TokenError

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
OLD, NEW = KeyRing({"k1": b"a" * 32}), KeyRing({"k1": b"a" * 32, "k2": b"b" * 32})
FOREIGN = KeyRing({"k1": b"c" * 32})
DAY = timedelta(days=1)
GOOD = {"sub": "p1", "jti": "t1", "aud": API_AUDIENCE, "exp": int((NOW + DAY).timestamp())}


def signing_key(ring: KeyRing = NEW, key_id: str = "k2") -> bytes:
    return ring.derive("rushlight.api.v1", key_id)


def forged(claims: dict[str, object] = GOOD, key: bytes | None = None, **headers: object) -> str:
    return jwt.encode(claims, key or signing_key(), "HS256", headers={"kid": "k2", **headers})


def without(name: str) -> dict[str, object]:
    return {claim: value for claim, value in GOOD.items() if claim != name}


def spelled(header: object, claims: object, key: bytes | None = None) -> str:
    """A token put together by hand, signed with SHA-256 over whatever stands in it."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    head, body = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    mark = hmac.new(key or signing_key(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


def unsigned(algorithm: str) -> str:
    parts = [{"alg": algorithm, "typ": "JWT", "kid": "k2"}, GOOD]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


FORGERIES = {
    "no algorithm": unsigned("none"),
    "an algorithm spelled oddly": unsigned("nOnE"),
    "HS256 without a signature": unsigned("HS256"),
    "a foreign key": forged(key=signing_key(FOREIGN, "k1")),
    "the key of another purpose": forged(key=NEW.derive("rushlight.link.v1", "k2")),
    "the ring's own key": forged(key=NEW.keys["k2"]),
    "a key id that is not ours": forged(kid="k9"),
    "a path for a key id": forged(kid="../../dev/null"),
    "no key id": jwt.encode(GOOD, signing_key(), "HS256"),
    "another key's id": forged(kid="k1"),
    "a longer hash": jwt.encode(GOOD, signing_key() * 2, "HS512", headers={"kid": "k2"}),
    "no expiry": forged(without("exp")),
    "no audience": forged(without("aud")),
    "no id": forged(without("jti")),
    "no subject": forged(without("sub")),
    "another audience": forged({**GOOD, "aud": "other"}),
    "an expiry in words": forged({**GOOD, "exp": "never"}),
    "an expiry beyond all calendars": forged({**GOOD, "exp": 10**18}),
    "an unknown critical header": forged(crit=["b64"], b64=False),
    "a key in its own header": forged(key=b"d" * 32, jwk={"kty": "oct", "k": "ZGRk"}),
    "nothing": "",
    "two dots": "..",
    "no token at all": "Bearer",
}
BAD_ENDS: tuple[object, ...] = (-1, 0, "", [], {}, True, "2099-01-01")
HEAD = {"alg": "HS256", "typ": "JWT", "kid": "k2"}
ISSUED = forged()
FORGERIES |= {
    **{f"no algorithm, spelled {name!r}": unsigned(name) for name in ("None", "NONE", "nonE", "", " none")},
    **{
        f"the algorithm {name!r} over our signature": spelled({**HEAD, "alg": name}, GOOD)
        for name in (
            "hs256",
            "HS384",
            "HS512",
            "RS256",
            "ES256",
            "PS256",
            "EdDSA",
            "dir",
            None,
            256,
            ["HS256"],
            {"HS256": 1},
        )
    },
    **{
        f"the key id {kid!r}": spelled({**HEAD, "kid": kid}, GOOD)
        for kid in (
            None,
            "",
            2,
            ["k2"],
            {"k": "k2"},
            "K2",
            "k2 ",
            "k2\0",
            "k1,k2",
            "' OR 1=1 --",
            "http://smuggled.example/key",
            "/dev/null",
            "k" * 10_000,
        )
    },
    **{
        f"{name} in its own header": spelled({**HEAD, name: value}, GOOD, b"d" * 32)
        for name, value in {
            "jku": "https://smuggled.example/keys",
            "x5u": "https://smuggled.example/cert",
            "x5c": ["MIIB"],
            "jwk": {"kty": "oct", "k": "ZGRk"},
        }.items()
    },
    **{
        f"a crit of {crit!r}": spelled({**HEAD, "crit": crit, "exp": 1}, GOOD)
        for crit in (["exp"], ["kid"], ["smuggled"], "exp", [], [1], None)
    },
    **{f"an expiry of {exp!r}": forged({**GOOD, "exp": exp}) for exp in BAD_ENDS},
    **{
        f"an audience of {aud!r}": forged({**GOOD, "aud": aud})
        for aud in ("", [], [""], API_AUDIENCE.upper(), f"{API_AUDIENCE} ", 1)
    },
    **{f"{name} that is no text": spelled(HEAD, {**GOOD, name: 7}) for name in ("sub", "jti")},
    "claims that are a list": spelled(HEAD, [GOOD]),
    "claims that are a text": spelled(HEAD, "p1"),
    "claims that are no JSON": spelled(HEAD, b"{"),
    "a header that is no JSON": spelled(b"{", GOOD),
    "a header that is a list": spelled([HEAD], GOOD),
    "not valid yet": forged({**GOOD, "nbf": int((NOW + 2 * DAY).timestamp())}),
    "issued two days ahead": forged({**GOOD, "iat": int((NOW + 2 * DAY).timestamp())}),
    "a fourth part": f"{ISSUED}.AAAA",
    "a part less": ISSUED.rpartition(".")[0],
    "the signature cut short": ISSUED[:-4],
    "the signature of another": f"{ISSUED.rpartition('.')[0]}.{forged({**GOOD, 'sub': 'p2'}).rpartition('.')[2]}",
    "claims of another under the signature": ".".join(
        [ISSUED.split(".")[0], forged({**GOOD, "sub": "p2"}).split(".")[1], ISSUED.split(".")[2]]
    ),
    "five parts, as of an encrypted one": ".".join([*ISSUED.split("."), "AAAA", "AAAA"]),
    "a link of ours": LinkSigner(NEW).sign("RL-1"),
    "a mailed token of ours": PurposeSigner(NEW, "reset").sign(["p1", "x"]),
    "the person itself": "p1",
    "half a megabyte": "A" * 500_000,
}


def test_there_are_sixty_forgeries_at_least() -> None:
    assert len(set(FORGERIES.values())) >= 60


@pytest.mark.parametrize("token", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_api_token_is_refused(token: str) -> None:
    with pytest.raises(TokenError):
        ApiTokens(NEW).read(token, NOW)


def test_an_api_token_speaks_for_its_person_until_it_ends() -> None:
    token, claims = ApiTokens(NEW).issue("p1", NOW, DAY)

    assert ApiTokens(NEW).read(token, NOW + DAY - timedelta(seconds=1)) == claims
    with pytest.raises(TokenError) as over:
        ApiTokens(NEW).read(token, NOW + DAY)
    assert over.value.expired


def test_a_token_of_the_old_key_is_read_until_that_key_is_taken_away() -> None:
    token, _ = ApiTokens(OLD).issue("p1", NOW, DAY)
    link = LinkSigner(OLD).sign("RL-1")

    assert ApiTokens(NEW).read(token, NOW).subject == "p1"
    assert LinkSigner(NEW).read(link) == "RL-1"
    only_new = KeyRing({"k2": b"b" * 32})
    for read in (lambda: ApiTokens(only_new).read(token, NOW), lambda: LinkSigner(only_new).read(link)):
        with pytest.raises(TokenError):
            read()


@given(st.text(min_size=1, max_size=60))
def test_any_delivery_number_comes_back_from_its_link(number: str) -> None:
    assert LinkSigner(NEW).read(LinkSigner(NEW).sign(number)) == number


@given(st.data())
def test_a_link_with_one_character_of_its_content_changed_is_refused(data: st.DataObject) -> None:
    token = LinkSigner(NEW).sign("RL-P5H2-TFZ4")
    place = data.draw(st.integers(0, token.index(".") - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda one: one != token[place]))

    with pytest.raises(TokenError):
        LinkSigner(NEW).read(token[:place] + other + token[place + 1 :])


@given(st.text(max_size=200))
def test_whatever_stands_in_a_link_is_read_or_refused(token: str) -> None:
    with pytest.raises(TokenError):
        LinkSigner(NEW).read(token)


def test_a_token_for_one_purpose_serves_no_other() -> None:
    token = PurposeSigner(NEW, "password").sign(["p1"])

    for read in (
        lambda: PurposeSigner(NEW, "confirm").read(token, DAY),
        lambda: LinkSigner(NEW).read(token),
        lambda: ApiTokens(NEW).read(token, NOW),
    ):
        with pytest.raises(TokenError):
            read()


def test_links_are_signed_with_sha_256_and_a_salt_of_their_own() -> None:
    weak = URLSafeSerializer(NEW.all_for("rushlight.link.v1"), salt="rushlight.link.v1")
    unsalted = URLSafeSerializer(
        NEW.all_for("rushlight.link.v1"), signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    )

    for serializer in (weak, unsalted):
        with pytest.raises(TokenError):
            LinkSigner(NEW).read(str(serializer.dumps("RL-1")))


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 31])
def test_a_weak_key_makes_no_ring(key: bytes) -> None:
    with pytest.raises(ValueError, match="at least 32"):
        KeyRing({"k1": key})


def test_a_purpose_token_ends_with_its_age(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW)
    token = PurposeSigner(NEW, "confirm").sign(["p1", "a@example.org"])

    assert PurposeSigner(NEW, "confirm").read(token, DAY) == ("p1", "a@example.org")
    time_machine.shift(DAY + timedelta(seconds=1))
    with pytest.raises(TokenError) as over:
        PurposeSigner(NEW, "confirm").read(token, DAY)
    assert over.value.expired
