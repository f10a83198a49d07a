"""Security keys as the second factor of staff: registered after a sign-in, touched at each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from delivery.errors import Conflict, Invalid
from delivery.people import Person
from delivery.second_factors import Factor, FactorKind
from delivery.services.accounts import SignedIn
from delivery.services.context import Context
from delivery.services.second_factors import finish, half_signed_in, keep, tried
from drm import security_keys
from drm.audit.events import Event
from drm.security_keys import KeyRefused, KeySite
from drm.tokens import TokenError, secret_hash

CHALLENGE = "key"
CHALLENGE_LIFE = timedelta(minutes=5)
REFUSED = {"key": "key-refused"}


@dataclass(frozen=True)
class Offer:
    """What a page asks a key through the browser. The token brings the challenge back, once."""

    token: str
    options: str


def offer(ctx: Context, site: KeySite, person: Person) -> Offer:
    """Ask for a new key."""
    known = [factor.credential for factor in _keys(ctx, person)]
    asked = security_keys.ask_to_register(site, person.id.encode(), person.email, known)
    return Offer(ctx.signer(CHALLENGE).sign(["new", person.id, asked.challenge.hex()]), asked.options)


def enrol_key(ctx: Context, site: KeySite, person: Person, token: str, answer: str, label: str) -> tuple[str, ...]:
    """Keep a key that answered. Recovery codes with the first factor. Invalid for an answer that does not hold."""
    challenge = _challenge(ctx, "new", person, token)
    try:
        key = security_keys.registered(site, challenge, answer)
    except KeyRefused:
        raise Invalid(REFUSED) from None
    now = ctx.clock()
    factor = Factor(person.id, FactorKind.KEY, label, key.public_key, now, key.credential, key.counter)
    with ctx.store.write() as work:
        return keep(ctx, work, factor, person)


def ask(ctx: Context, site: KeySite, person: Person) -> Offer | None:
    """Ask for a touch of one of a person's keys; None where there is none."""
    known = [factor.credential for factor in _keys(ctx, person)]
    if not known:
        return None
    asked = security_keys.ask_to_prove(site, known)
    return Offer(ctx.signer(CHALLENGE).sign(["prove", person.id, asked.challenge.hex()]), asked.options)


def finish_by_key(ctx: Context, site: KeySite, half: str, token: str, answer: str) -> SignedIn:
    """Complete a sign-in by a key. Invalid for an answer that does not hold, TooFast after too many tries."""
    person = half_signed_in(ctx, half)
    if person is None:
        raise Conflict("stale-page", "The sign-in took too long. Begin again.")
    limited = tried(ctx, person)
    challenge = _challenge(ctx, "prove", person, token)
    named = security_keys.credential_of(answer)
    factor = next((one for one in _keys(ctx, person) if one.credential == named), None)
    now, good = ctx.clock(), False
    with ctx.store.write() as work:
        if factor is not None:
            try:
                count = security_keys.proved(site, challenge, answer, factor.secret, factor.counter)
                good = work.factors.advance(factor.id, count, now)
            except KeyRefused:
                good = False
        if good:
            work.watch.forgive(limited.scope)
        kind = "factor:used" if good else "factor:failed"
        work.record(Event(kind, now, person.reader_key, person.library_id, code=FactorKind.KEY))
    if not good:
        raise Invalid(REFUSED)
    return finish(ctx, half, person)


def _keys(ctx: Context, person: Person) -> list[Factor]:
    with ctx.store.read() as work:
        return [factor for factor in work.factors.of_person(person.id) if factor.kind is FactorKind.KEY]


def _challenge(ctx: Context, purpose: str, person: Person, token: str) -> bytes:
    """The challenge of a page, which is good for one answer."""
    try:
        what, person_id, challenge = ctx.signer(CHALLENGE).read(token, CHALLENGE_LIFE)
    except (TokenError, ValueError):
        raise Conflict("stale-page", "This page is too old. Load it again.") from None
    with ctx.store.write() as work:
        fresh = work.tokens.use_once(secret_hash(token), ctx.clock())
    if what != purpose or person_id != person.id or not fresh:
        raise Conflict("stale-page", "This page was used. Load it again.")
    return bytes.fromhex(challenge)
