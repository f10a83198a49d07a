"""Accounts: signing in and out, registering by a confirmed address, new passwords, people added by staff."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from delivery.errors import Conflict, Invalid, NotAllowed, NotFound, TooFast
from delivery.jobs import MAIL, NewJob
from delivery.passwords import check_password, hash_password, weakness
from delivery.people import Person, Role, Standing
from delivery.ports import Work
from delivery.services import pacing
from delivery.services.context import Context, require
from delivery.services.mailing import password_stamp
from delivery.services.pacing import Limited, scope_of
from delivery.stores import PeopleStore
from delivery.watching import AlarmKind, Rate
from drm.audit.events import Event
from drm.tokens import TokenError, secret_hash

READER_APP = "reader"
STAFF_APP = "staff"
HALF = "staff-half"
"""A sign-in to the staff app that lacks its second factor; good for nothing else."""
HALF_LIFE = timedelta(minutes=15)
RESET_PACE = (Rate(5, 86_400),)
EMAIL = re.compile(r"[^\s@<>\"'(),:;\[\]\\]{1,64}@[A-Za-z0-9\u00a1-\uffff][A-Za-z0-9.\u00a1-\uffff-]{0,250}")


@dataclass(frozen=True)
class SignedIn:
    """A fresh sign-in: the secret goes into the cookie, only its hash is stored.

    ``needs`` is what is still to be proved before it counts: "code" for a second factor, "enrol" for one to be set up, or "".
    """

    person: Person
    secret: str
    needs: str = ""


def reader_key(salt: str, person_id: str) -> str:
    """The pseudonym of a person: HMAC-SHA-256 under a salt of his own, 16 bytes. Without the salt nobody can find him."""
    return hmac.new(bytes.fromhex(salt), person_id.encode(), hashlib.sha256).hexdigest()[:32]


def checked_name(name: str) -> str:
    """A name as it is kept: blanks put in order. Invalid for one that is empty, too long or cannot be shown."""
    name = " ".join(name.split())
    if not name or len(name) > 200 or not name.isprintable():
        raise Invalid({"name": "bad-name"})
    return name


def new_person(
    library_id: str, name: str, email: str, language: str, roles: frozenset[Role], at: datetime
) -> tuple[Person, str]:
    """A person with a fresh id and pseudonym, and the salt to keep with it. Invalid for a bad name or address."""
    errors = {}
    email = email.strip()
    try:
        name = checked_name(name)
    except Invalid as error:
        errors.update(error.fields)
    if not EMAIL.fullmatch(email) or len(email) > 254:
        errors["email"] = "bad-email"
    if errors:
        raise Invalid(errors)
    person_id, salt = secrets.token_hex(16), secrets.token_hex(32)
    person = Person(
        person_id, library_id, name, email, language, roles, Standing.ACTIVE, reader_key(salt, person_id), created_at=at
    )
    return person, salt


def card_hash(ctx: Context, work: Work, library_id: str, card: str) -> str:
    """What is kept of a library card: a keyed hash. Under an older key where an account of the card has that one."""
    written = "".join(card.split()).casefold()
    if not written:
        return ""
    keys = ctx.ring.all_for("rushlight.card.v1")
    hashes = [hmac.new(key, f"{library_id}|{written}".encode(), hashlib.sha256).hexdigest()[:32] for key in keys]
    return next((known for known in hashes if work.people.has_card(library_id, known)), hashes[-1])


def sign_in(ctx: Context, app: str, email: str, password: str, address: str = "") -> SignedIn:
    """Check address and password; NotAllowed with one and the same answer whatever was wrong.

    A try is counted for the account and for the network address it comes from before anything is compared, and taken back when
    it succeeds: many at once are not more. TooFast beyond the pace, whether or not there is such an account.
    """
    now = ctx.clock()
    limited = _limited(ctx, app, email, address)
    with pacing.alarming(ctx, pacing.SIGN_IN), ctx.store.write() as work:
        pacing.take(ctx, work, limited, pacing.ATTEMPTS)
    with ctx.store.read() as work:
        person = work.people.by_email(email)
        stored = work.people.password(person.id) if person else ""
    fits = check_password(stored, password)
    permitted = person is not None and fits and person.standing is Standing.ACTIVE
    if app == STAFF_APP:
        permitted = permitted and person is not None and person.is_staff
    if person is None or not permitted:
        with ctx.store.write() as work:
            work.record(Event("person:sign_in_failed", now, "anonymous", person.library_id if person else "", code=app))
        raise NotAllowed("sign-in-failed", "Address and password do not fit.")
    with ctx.store.write() as work:
        pacing.give_back(ctx, work, limited[1:])
        work.watch.forgive(limited[0].scope)
    return let_in(ctx, app, person, now, password=stored)


def _limited(ctx: Context, app: str, email: str, address: str) -> list[Limited]:
    written, pace = email.strip().casefold(), ctx.settings.sign_in_pace
    scopes = [scope_of(ctx, "sign-in", app, written)] + ([scope_of(ctx, "sign-in-from", address)] if address else [])
    return [Limited(scope, pace, AlarmKind.SIGN_IN, scope) for scope in scopes]


def let_in(ctx: Context, app: str, person: Person, now: datetime, password: str | None = None) -> SignedIn:
    """Sign somebody in whose password fits. To the staff app only half, where a second factor is enrolled or demanded.

    NotAllowed where the account was closed since it was looked at, or has another password than that of the hash ``password``.
    """
    with ctx.store.write() as work:
        person = still_stands(work, person, password)
        if app == STAFF_APP:
            enrolled = bool(work.factors.of_person(person.id))
            if enrolled or ctx.settings.second_factor:
                secret = secrets.token_hex(16)
                work.tokens.sign_in(secret_hash(secret), person.id, HALF, now, now + HALF_LIFE)
                return SignedIn(person, secret, "code" if enrolled else "enrol")
        return let_in_fully(ctx, work, app, person, now)


def let_in_fully(ctx: Context, work: Work, app: str, person: Person, now: datetime) -> SignedIn:
    """A full sign-in of somebody who has proved all that he has to, and is held by the transaction."""
    secret = secrets.token_hex(16)
    life = ctx.settings.staff_sign_in_life if app == STAFF_APP else ctx.settings.sign_in_life
    work.tokens.sign_in(secret_hash(secret), person.id, app, now, now + life)
    work.record(Event("person:signed_in", now, person.reader_key, person.library_id, code=app))
    return SignedIn(person, secret)


def still_stands(work: Work, person: Person, password: str | None = None) -> Person:
    """The person afresh, held until the transaction ends, so that no closing and no new password comes in between.

    NotAllowed where the account is no longer open, or its password has another hash now than ``password``.
    """
    try:
        person = work.people.lock(person.id)
        same = password is None or hmac.compare_digest(work.people.password(person.id), password)
    except NotFound:
        same = False
    if not same or person.standing is not Standing.ACTIVE:
        raise NotAllowed("sign-in-failed", "Address and password do not fit.")
    return person


def who(ctx: Context, app: str, secret: str) -> Person | None:
    """The person behind a cookie's secret, while the sign-in and the account live."""
    if not secret:
        return None
    with ctx.store.read() as work:
        return work.tokens.signed_in(secret_hash(secret), app, ctx.clock())


def sign_out(ctx: Context, secret: str, person: Person) -> None:
    """End a sign-in at once."""
    with ctx.store.write() as work:
        work.tokens.sign_out(secret_hash(secret))
        work.record(Event("person:signed_out", ctx.clock(), person.reader_key, person.library_id))


def register(ctx: Context, library_id: str, name: str, email: str, language: str) -> None:
    """A reader registers. The answer is the same whether or not the address is known; the mail tells the truth.

    No password is taken before the address is confirmed: anybody may register another's address, before or after its owner.
    """
    if not ctx.settings.open_registration:
        raise NotAllowed("registration-closed", "Accounts come from your library.")
    now = ctx.clock()
    with ctx.store.write() as work:
        work.libraries.get(library_id)
        person, salt = new_person(library_id, name, email, language, frozenset({Role.READER}), now)
        found = work.people.by_email(email)
        known = work.people.lock(found.id) if found else None
        if known is not None and known.standing is not Standing.UNCONFIRMED:
            # Somebody who has an account already gets the means to use it.
            _mail(work, "reset", known, now)
            return
        if known is not None:
            work.people.save(replace(known, name=person.name, library_id=library_id, language=language))
            person = known
        else:
            work.people.add(replace(person, standing=Standing.UNCONFIRMED), salt, "")
            work.record(Event("person:added", now, person.reader_key, library_id, code="registered"))
        _mail(work, "confirm", person, now)


def _mail(work: Work, letter: str, person: Person, now: datetime) -> None:
    # One such mail a minute and person at most: the key makes more of them the same job.
    minute = now.strftime("%Y%m%d%H%M")
    work.jobs.add(NewJob(MAIL, f"mail:{letter}:{person.id}:{minute}", {"letter": letter, "person": person.id}), now)


def confirm(ctx: Context, token: str, password: str) -> SignedIn:
    """The address is confirmed: the account opens, with the password that whoever reads its mail sets now. Works once.

    Invalid for a weak password, which uses nothing up; Conflict when the token is over or the account was closed.
    """
    weak = weakness(password)
    if weak:
        raise Invalid({"password": weak})
    read_mailed_token(ctx, "confirm", token)
    hashed = hash_password(password)
    with ctx.store.write() as work:
        person = replace(_redeem(ctx, work, "confirm", token), standing=Standing.ACTIVE)
        work.people.save(person)
        work.people.set_password(person.id, hashed)
        work.record(Event("person:confirmed", ctx.clock(), person.reader_key, person.library_id))
    return let_in(ctx, READER_APP, person, ctx.clock())


def forgot_password(ctx: Context, email: str) -> None:
    """Mail the means to set a new password, five times a day at most; silent when the address is unknown."""
    now = ctx.clock()
    scope = scope_of(ctx, "reset", email.strip().casefold())
    try:
        with ctx.store.write() as work:
            pacing.take(ctx, work, [Limited(scope, RESET_PACE)], pacing.ATTEMPTS)
    except TooFast:
        return  # whoever asks is told the same as always
    with ctx.store.write() as work:
        person = work.people.by_email(email)
        if person is not None and person.standing is Standing.ACTIVE:
            _mail(work, "reset", person, now)
        elif person is not None and person.standing is Standing.UNCONFIRMED:
            _mail(work, "confirm", person, now)


def reset_password(ctx: Context, token: str, password: str) -> Person:
    """Set a new password by a mailed token. All sign-ins of the person end. Works once."""
    weak = weakness(password)
    if weak:
        raise Invalid({"password": weak})
    read_mailed_token(ctx, "reset", token)
    hashed = hash_password(password)
    with ctx.store.write() as work:
        person = _redeem(ctx, work, "reset", token)
        _keep_password(ctx, work, person, hashed)
    return person


def set_password(ctx: Context, person: Person, password: str, opens: bool = False) -> None:
    """Keep a new password and end all sign-ins of the person.

    ``opens`` opens an account that was not open when ``person`` was read; one that was closed since then stays closed.
    """
    hashed = hash_password(password)
    with ctx.store.write() as work:
        present = work.people.lock(person.id)
        if opens and present.standing is person.standing:
            work.people.save(replace(present, standing=Standing.ACTIVE))
        _keep_password(ctx, work, person, hashed)


def _keep_password(ctx: Context, work: Work, person: Person, hashed: str) -> None:
    work.people.set_password(person.id, hashed)
    work.tokens.sign_out_person(person.id)
    work.record(Event("person:password_set", ctx.clock(), person.reader_key, person.library_id))


def read_mailed_token(ctx: Context, purpose: str, token: str) -> Person:
    """The person a mailed token is for, without using it up; Conflict when it is over or was used."""
    with ctx.store.read() as work:
        return _mailed_to(ctx, work.people, work.people.get, purpose, token)


def _mailed_to(ctx: Context, people: PeopleStore, read: Callable[[str], Person], purpose: str, token: str) -> Person:
    try:
        person_id, stamp = ctx.signer(purpose).read(token, ctx.settings.mailed_token_life)
        person = read(person_id)
        stored = people.password(person_id)
    except (TokenError, ValueError, NotFound):
        raise Conflict("mailed-link-over", "This address is over or was used. Ask for a new mail.") from None
    if not hmac.compare_digest(stamp, password_stamp(stored)) or person.standing is Standing.DISABLED:
        raise Conflict("mailed-link-over", "This address is over or was used. Ask for a new mail.")
    return person


def _redeem(ctx: Context, work: Work, purpose: str, token: str) -> Person:
    """Use a mailed token up; the person it is for, held until the transaction ends."""
    person = _mailed_to(ctx, work.people, work.people.lock, purpose, token)
    # What is signed, not the whole text: the last letter of a signature may be written in several ways.
    if not work.tokens.use_once(secret_hash(token.rpartition(".")[0]), ctx.clock()):
        raise Conflict("mailed-link-over", "This address is over or was used. Ask for a new mail.")
    return person


def add_reader(ctx: Context, staff: Person, name: str, email: str, language: str, card: str = "") -> Person:
    """A librarian adds a reader of his library, who gets a mail to set his password. Accounts of one card count as one."""
    require(staff, Role.LIBRARIAN, Role.OPERATOR)
    now = ctx.clock()
    person, salt = new_person(staff.library_id, name, email, language, frozenset({Role.READER}), now)
    with ctx.store.write() as work:
        if work.people.by_email(email) is not None:
            raise Invalid({"email": "email-taken"})
        person = replace(person, card=card_hash(ctx, work, staff.library_id, card))
        work.people.add(person, salt, "")
        work.record(Event("person:added", now, staff.reader_key, staff.library_id, code="reader"))
        _mail(work, "reset", person, now)
    return person


def change_language(ctx: Context, person: Person, language: str) -> Person:
    """Remember the language a person chose; whatever else was changed since he was read stays."""
    with ctx.store.write() as work:
        changed = replace(work.people.lock(person.id), language=language)
        work.people.save(changed)
    return changed


@dataclass(frozen=True)
class Changes:
    """What an operator changes about a person; None, or no roles at all, leaves a thing as it is."""

    name: str | None = None
    roles: frozenset[Role] = frozenset()
    category: str | None = None
    group: str | None = None


def change(ctx: Context, person: Person, wanted: Changes, actor: str) -> Person:
    """Change these things and no others. Invalid for a bad name."""
    with ctx.store.write() as work:
        person = work.people.lock(person.id)
        changed = replace(
            person,
            name=person.name if wanted.name is None else checked_name(wanted.name),
            roles=wanted.roles or person.roles,
            category=person.category if wanted.category is None else wanted.category.strip()[:32],
            group=person.group if wanted.group is None else wanted.group.strip()[:64],
        )
        work.people.save(changed)
        code = "+".join(sorted(changed.roles))
        work.record(Event("person:changed", ctx.clock(), actor, person.library_id, code=code))
    return changed


def disable(ctx: Context, person: Person, actor: str) -> None:
    """Close an account: every sign-in ends at once."""
    with ctx.store.write() as work:
        work.people.save(replace(work.people.lock(person.id), standing=Standing.DISABLED))
        work.tokens.sign_out_person(person.id)
        work.record(Event("person:disabled", ctx.clock(), actor, person.library_id))
