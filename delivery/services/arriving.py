"""Signing in by an outside provider: known by (issuer, subject), else by a verified address, else as a new reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from delivery.errors import Invalid, NotAllowed
from delivery.people import Person, Role, Standing
from delivery.ports import Work
from delivery.services.accounts import READER_APP, STAFF_APP, SignedIn, card_hash, let_in, new_person
from delivery.services.context import Context
from drm.audit.events import Event

Claims = Mapping[str, object]


def arrive(ctx: Context, app: str, issuer: str, claims: Claims, language: str) -> SignedIn:
    """Sign in whom verified claims name. Staff must be there already; NotAllowed with a code for everybody else who may not.

    The provider speaks for its configured libraries alone: it can neither open an account of another library nor make one there.
    """
    subject = _text(claims, "sub", 255)
    if not subject or app not in ctx.settings.outside.apps:
        raise NotAllowed("openid-failed", "The provider's answer cannot be used.")
    now = ctx.clock()
    with ctx.store.write() as work:
        person = work.people.by_outside(issuer, subject) or _joined(ctx, work, app, issuer, claims, language)
        if person.standing is not Standing.ACTIVE or person.library_id not in ctx.settings.outside.libraries:
            raise NotAllowed("openid-not-known", "This account cannot sign in here by the provider.")
        if app == STAFF_APP and not person.is_staff:
            raise NotAllowed("openid-not-known", "There is no member of staff behind this account.")
        person = _renewed(ctx, work, person, claims)
    return let_in(ctx, app, person, now)


def _joined(ctx: Context, work: Work, app: str, issuer: str, claims: Claims, language: str) -> Person:
    """The account that a newcomer gets: his own, found by an address that the provider verified, or a new reader's."""
    email, now = _text(claims, "email", 254), ctx.clock()
    if not email or claims.get("email_verified") is not True:
        raise NotAllowed("openid-no-address", "The provider does not tell a verified mail address.")
    known = work.people.by_email(email)
    person = work.people.lock(known.id) if known else None
    if person is None:
        if app != READER_APP:
            raise NotAllowed("openid-not-known", "There is no member of staff behind this account.")
        person = _made(ctx, work, email, claims, language)
    elif person.library_id not in ctx.settings.outside.libraries or person.standing is Standing.DISABLED:
        raise NotAllowed("openid-not-known", "This account cannot sign in here by the provider.")
    elif person.standing is Standing.UNCONFIRMED:
        # Whoever registered under this address never proved it: his password must open nothing.
        work.people.set_password(person.id, "")
        person = replace(person, standing=Standing.ACTIVE)
        work.people.save(person)
    work.people.join_outside(issuer, _text(claims, "sub", 255), person.id, now)
    work.record(Event("person:joined_provider", now, person.reader_key, person.library_id, code=app))
    return person


def _made(ctx: Context, work: Work, email: str, claims: Claims, language: str) -> Person:
    rules, now = ctx.settings.outside, ctx.clock()
    library_id = _text(claims, rules.library_claim, 64) if rules.library_claim else next(iter(rules.libraries), "")
    if library_id not in rules.libraries:
        raise NotAllowed("openid-no-library", "The provider names no library that is open to new readers.")
    work.libraries.get(library_id)
    name = _text(claims, "name", 200) or email.partition("@")[0]
    try:
        person, salt = new_person(library_id, name, email, language, frozenset({Role.READER}), now)
    except Invalid:
        raise NotAllowed("openid-no-address", "The provider's name or address cannot be used.") from None
    card = _text(claims, rules.card_claim, 200) if rules.card_claim else ""
    person = replace(person, card=card_hash(ctx, work, library_id, card))
    work.people.add(person, salt, "")
    work.record(Event("person:added", now, person.reader_key, library_id, code="provider"))
    return person


def _renewed(ctx: Context, work: Work, person: Person, claims: Claims) -> Person:
    """With the category that the provider tells now, where it is asked for."""
    claim = ctx.settings.outside.category_claim
    category = _text(claims, claim, 32) if claim else person.category
    if category == person.category:
        return person
    changed = replace(work.people.lock(person.id), category=category)
    work.people.save(changed)
    return changed


def _text(claims: Claims, name: str, most: int) -> str:
    """A claim as text; the first where there are several. "" for one that is missing, too long, or cannot be shown."""
    value = claims.get(name)
    if isinstance(value, list | tuple):
        value = value[0] if value else ""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text if len(text) <= most and text.isprintable() else ""
