"""The second factor of staff: enrolled after a sign-in, asked for at each, taken away by its owner or an operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from delivery.errors import Conflict, Invalid, NotFound
from delivery.passwords import check_password
from delivery.people import Person
from delivery.ports import Work
from delivery.second_factors import Factor, FactorKind
from delivery.services import pacing
from delivery.services.accounts import HALF, STAFF_APP, SignedIn, let_in_fully, still_stands, who
from delivery.services.context import Context
from delivery.services.pacing import Limited, scope_of
from delivery.watching import Rate
from drm import one_time_codes
from drm.audit.events import Event
from drm.sealing import SealBroken
from drm.tokens import TokenError, secret_hash

ENROL = "enrol"
ENROL_LIFE = timedelta(minutes=15)
PACE = (Rate(5, 300), Rate(20, 3600), Rate(50, 86_400))
"""Tries of one person, from ASVS and PyPI: a code of six digits is not to be guessed."""
MOST_FACTORS = 10


@dataclass(frozen=True)
class Enrolment:
    """An app that is about to be enrolled: nothing is kept before its first code fits."""

    token: str
    secret: str
    address: str


@dataclass(frozen=True)
class Kept:
    """What a person has enrolled."""

    factors: tuple[Factor, ...]
    codes_left: int


def half_signed_in(ctx: Context, secret: str) -> Person | None:
    """The person whose password fitted and whose second factor is awaited."""
    return who(ctx, HALF, secret)


def kept(ctx: Context, person: Person) -> Kept:
    """A person's factors and how many recovery codes are left."""
    with ctx.store.read() as work:
        return Kept(work.factors.of_person(person.id), work.factors.codes_left(person.id))


def begin_app(ctx: Context, person: Person) -> Enrolment:
    """A fresh secret to show. The token brings it back; it is worth nothing without a code of the app."""
    secret = one_time_codes.new_secret()
    address = one_time_codes.app_address(secret, person.email, "Rushlight")
    return Enrolment(ctx.signer(ENROL).sign([person.id, secret]), secret, address)


def begun_app(ctx: Context, person: Person, token: str) -> Enrolment:
    """The same enrolment again, for a page that is shown once more. Conflict when it is too old or another's."""
    try:
        person_id, secret = ctx.signer(ENROL).read(token, ENROL_LIFE)
    except (TokenError, ValueError):
        raise Conflict("stale-page", "This page is too old. Load it again.") from None
    if person_id != person.id:
        raise Conflict("stale-page", "This page belongs to somebody else. Load it again.")
    return Enrolment(token, secret, one_time_codes.app_address(secret, person.email, "Rushlight"))


def enrol_app(ctx: Context, person: Person, token: str, code: str, label: str) -> tuple[str, ...]:
    """Keep an app whose code fits. The first factor brings recovery codes, which are told this once. Invalid for a wrong code."""
    begun = begun_app(ctx, person, token)
    now = ctx.clock()
    step = one_time_codes.step_of(begun.secret, code, now)
    if step is None:
        raise Invalid({"code": "wrong-code"})
    sealed = ctx.sealer.seal(begun.secret, f"factor:{person.id}")
    with ctx.store.write() as work:
        if not work.tokens.use_once(secret_hash(token), now):
            raise Conflict("stale-page", "This page was used. Load it again.")
        return keep(ctx, work, Factor(person.id, FactorKind.CODES, label, sealed, now, counter=step), person)


def keep(ctx: Context, work: Work, factor: Factor, person: Person) -> tuple[str, ...]:
    """Keep a factor; new recovery codes with the first one. NotAllowed for an account that was closed meanwhile."""
    still_stands(work, person)
    known = work.factors.of_person(person.id)
    if len(known) >= MOST_FACTORS:
        raise Conflict("too-many-factors", "There are as many factors as one person may have.")
    label = " ".join(factor.label.split())[:100]
    work.factors.add(Factor(**{**vars(factor), "label": label if label.isprintable() else ""}))
    work.record(Event("factor:added", ctx.clock(), person.reader_key, person.library_id, code=factor.kind))
    return () if known else _fresh_codes(work, person)


def _fresh_codes(work: Work, person: Person) -> tuple[str, ...]:
    codes = one_time_codes.recovery_codes()
    work.factors.put_codes(person.id, tuple(one_time_codes.recovery_hash(person.id, code) for code in codes))
    return codes


def tried(ctx: Context, person: Person) -> Limited:
    """Count a try, before anything is compared, so that many at once are not more. TooFast beyond the pace."""
    limited = Limited(scope_of(ctx, "factor", person.id), PACE)
    with ctx.store.write() as work:
        pacing.take(ctx, work, [limited], pacing.ATTEMPTS)
    return limited


def finish_by_code(ctx: Context, half: str, code: str) -> SignedIn:
    """Complete a sign-in by a code of an app or a recovery code, each good once. Invalid for a wrong one, TooFast after too many."""
    person = half_signed_in(ctx, half)
    if person is None:
        raise Conflict("stale-page", "The sign-in took too long. Begin again.")
    limited = tried(ctx, person)
    now = ctx.clock()
    with ctx.store.write() as work:
        how = _fits(ctx, work, person, code)
        if how:
            work.watch.forgive(limited.scope)
            work.record(Event("factor:used", now, person.reader_key, person.library_id, code=how))
    if not how:
        with ctx.store.write() as work:
            work.record(Event("factor:failed", now, person.reader_key, person.library_id))
        raise Invalid({"code": "wrong-code"})
    return finish(ctx, half, person)


def finish(ctx: Context, half: str, person: Person) -> SignedIn:
    """A full sign-in in the place of a half one, under a new secret. Conflict where that was ended while it was being completed."""
    now = ctx.clock()
    with ctx.store.write() as work:
        person = still_stands(work, person)
        if work.tokens.signed_in(secret_hash(half), HALF, now) is None:
            raise Conflict("stale-page", "The sign-in took too long. Begin again.")
        work.tokens.sign_out(secret_hash(half))
        return let_in_fully(ctx, work, STAFF_APP, person, now)


def _fits(ctx: Context, work: Work, person: Person, code: str) -> str:
    now = ctx.clock()
    for factor in work.factors.of_person(person.id):
        if factor.kind is not FactorKind.CODES:
            continue
        try:
            secret = ctx.sealer.open(factor.secret, f"factor:{person.id}")
        except SealBroken:
            continue
        step = one_time_codes.step_of(secret, code, now)
        # The step may be used once: a code that was looked at over somebody's shoulder is worth nothing.
        if step is not None and work.factors.advance(factor.id, step, now):
            return factor.kind
    return "recovery" if work.factors.use_code(person.id, one_time_codes.recovery_hash(person.id, code), now) else ""


def prove_password(ctx: Context, person: Person, password: str) -> str:
    """Ask who is signed in for the password again; its hash. Invalid when it does not fit, TooFast after too many tries."""
    limited = tried(ctx, person)
    with ctx.store.read() as work:
        stored = work.people.password(person.id)
    if not check_password(stored, password):
        raise Invalid({"password": "wrong-password"})
    with ctx.store.write() as work:
        work.watch.forgive(limited.scope)
    return stored


def new_codes(ctx: Context, person: Person, password: str) -> tuple[str, ...]:
    """Recovery codes in the place of the old ones; told this once."""
    proved = prove_password(ctx, person, password)
    with ctx.store.write() as work:
        still_stands(work, person, proved)
        if not work.factors.of_person(person.id):
            raise Conflict("no-factor", "There is no second factor yet.")
        work.record(Event("factor:codes_renewed", ctx.clock(), person.reader_key, person.library_id))
        return _fresh_codes(work, person)


def remove(ctx: Context, person: Person, factor_id: int, password: str) -> None:
    """Take one's own factor away. With the last one the recovery codes go."""
    proved = prove_password(ctx, person, password)
    with ctx.store.write() as work:
        still_stands(work, person, proved)
        if not work.factors.remove(person.id, factor_id):
            raise NotFound("unknown-factor", "There is no such factor.")
        if not work.factors.of_person(person.id):
            work.factors.put_codes(person.id, ())
        work.record(Event("factor:removed", ctx.clock(), person.reader_key, person.library_id))


def reset(ctx: Context, person: Person, actor: str) -> int:
    """Take all factors of a person away and end all his sign-ins; how many factors there were."""
    with ctx.store.write() as work:
        count = work.factors.remove_all(person.id)
        work.tokens.sign_out_person(person.id)
        work.watch.forgive(scope_of(ctx, "factor", person.id))
        work.record(Event("factor:reset", ctx.clock(), actor, person.library_id, counts={"factors": count}))
    return count
