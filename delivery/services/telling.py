"""What staff know of a request and no system does: flags and facts that agreements ask for. The request is then decided again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation

from delivery.document_request import DocumentRequest
from delivery.errors import Conflict, Invalid
from delivery.lifecycle import State
from delivery.people import Person, Role
from delivery.ports import Work
from delivery.services.consenting import Asking, decide_again, signed, wanted
from delivery.services.context import Context, require, require_library
from delivery.services.deciding import (
    DESK,
    Route,
    agreement_pairs,
    decision_event,
    find_routes,
    hold_for,
    is_denied,
    judge,
    kept_decision,
    reroute,
)
from delivery.services.fulfilling import hold, refuse, without_place
from drm.audit.events import Event
from drm.decisions import Outcome
from drm.fact_values import CLASSES, DELIVERIES, FLAGS, GENRES, ORIGINALS, RIGHTS, VIAS

YES_NO = ("yes", "no")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "request.via": VIAS,
    "request.delivery": DELIVERIES,
    "request.item": ("unpublished",),
    "supplier.source": ORIGINALS,
    "work.class": CLASSES,
    "work.genre": GENRES,
    "work.rights": RIGHTS,
    "issue.themed": YES_NO,
    "issue.next_published": YES_NO,
    # That a fee is paid follows from a consent or an approval, which are recorded; nobody just says so.
    **{f"flags.{flag}": YES_NO for flag in FLAGS if flag != "fee_paid"},
}
"""Facts that take one of some words."""
NUMBERS = ("work.pages", "work.counted_pages")
DATES = ("issue.date",)
PRICES = ("work.price",)
TELLABLE = (*CHOICES, *NUMBERS, *PRICES, *DATES)
DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


@dataclass(frozen=True)
class Told:
    """One fact that may be told: its path, the words it takes (none: free), what was told of it, and what the decision saw."""

    path: str
    words: tuple[str, ...]
    told: str
    seen: str


def tellable(request: DocumentRequest) -> tuple[Told, ...]:
    """All facts that staff may tell, with what stands now."""
    facts = request.decision.get("facts")
    return tuple(
        Told(path, CHOICES.get(path, ()), _word(_kept(request), path), _word(facts, path)) for path in TELLABLE
    )


def may_tell(request: DocumentRequest) -> bool:
    """Whether it would still change the answer: while the request waits for somebody."""
    return (request.state is State.NEW and bool(request.hold)) or request.state is State.AT_DESK


def library_states(work: Work, request: DocumentRequest, language: str) -> tuple[Asking, ...]:
    """What agreements want the library itself to state about a request, and it has not stated yet."""
    return tuple(asking for asking in wanted(work, request, language) if asking.by == "entity")


def tell(
    ctx: Context, staff: Person, number: str, given: Mapping[str, str], stated: Sequence[str] = ()
) -> DocumentRequest:
    """Keep what staff say of a request, in the place of what was said before, and decide it again.

    An empty word means that it is not known; ``stated`` are statements made in the library's name.
    Invalid names a fact whose value cannot be read; Conflict when nobody waits any more.
    """
    require(staff, Role.LIBRARIAN, Role.RIGHTS_OFFICER)
    said = _read(given)
    now = ctx.clock()
    with ctx.store.read() as work:
        request = work.requests.get(number)
        sources = work.sources.active()
    routes = find_routes(ctx, request.citation, request.library_id, sources)
    licensed = tuple(route for route in routes if not route.open_access)
    with ctx.store.write() as work:
        request = work.requests.lock(number)
        require_library(staff, request.library_id)
        if not may_tell(request):
            raise Conflict("not-waiting", "This request waits for nobody; what is known of it is settled.")
        request = replace(request, found=_with(request, said), changed_at=now)
        request = _state(ctx, work, staff, request, frozenset(stated), now)
        words = ",".join(f"{path}={value}" for path, value in said.items())
        work.record(Event("request:told", now, staff.reader_key, request.library_id, number, code=words[:500]))
        if request.state is State.AT_DESK:
            return decide_at_desk(work, request, licensed, now)
        return decide_again(work, request, licensed, now)


def _state(
    ctx: Context, work: Work, staff: Person, request: DocumentRequest, codes: frozenset[str], now: datetime
) -> DocumentRequest:
    """Keep what is stated in the library's name, signed by the person who states it."""
    made: list[str] = []
    for asking in library_states(work, request, staff.language):
        ours = [one.code for one in asking.statements if one.code in codes]
        if ours:
            declaration = signed(ctx, staff, request, asking, codes, now)
            work.consents.declare(replace(declaration, reader_key=staff.reader_key, language=staff.language))
            made += ours
    if not made:
        return request
    where = (staff.reader_key, request.library_id, request.number)
    work.record(Event("declaration:signed", now, *where, agreements=agreement_pairs(request), code="library"))
    before = request.found.get("declarations")
    known = [str(code) for code in before] if isinstance(before, list | tuple) else []
    return replace(request, found={**request.found, "declarations": list(dict.fromkeys([*known, *made]))})


def _read(given: Mapping[str, str]) -> dict[str, object]:
    said: dict[str, object] = {}
    wrong: dict[str, str] = {}
    for path in TELLABLE:
        word = given.get(path, "").strip()
        if not word:
            continue
        try:
            said[path] = _value(path, word)
        except ValueError as error:
            wrong[path] = str(error)
    if wrong:
        raise Invalid(wrong)
    return said


def _value(path: str, word: str) -> object:
    if path in CHOICES:
        if word not in CHOICES[path]:
            raise ValueError("unknown-word")
        return word == "yes" if CHOICES[path] is YES_NO else word
    if path in NUMBERS:
        if not re.fullmatch(r"[1-9]\d{0,5}", word):
            raise ValueError("bad-number")
        return int(word)
    if path in DATES:
        if not DATE.fullmatch(word):
            raise ValueError("bad-date")
        return word
    try:
        price = Decimal(word)
    except InvalidOperation:
        raise ValueError("bad-number") from None
    if not price.is_finite() or price < 0:
        raise ValueError("bad-number")
    return word


def _with(request: DocumentRequest, said: Mapping[str, object]) -> dict[str, object]:
    """What is found of a request, with these facts told of it and no others."""
    known = request.found.get("flags")
    settled = {
        name: value for name, value in (known.items() if isinstance(known, Mapping) else ()) if name == "fee_paid"
    }
    told: dict[str, dict[str, object]] = {}
    for path, value in said.items():
        group, _, name = path.partition(".")
        told.setdefault(group, {})[name] = value
    return {**request.found, "flags": {**told.pop("flags", {}), **settled}, "told": told}


def _kept(request: DocumentRequest) -> dict[str, object]:
    told = request.found.get("told")
    return {**(told if isinstance(told, Mapping) else {}), "flags": request.found.get("flags")}


def _word(tree: object, path: str) -> str:
    """A fact as the form shows it."""
    value = tree
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def decide_at_desk(
    work: Work, request: DocumentRequest, routes: tuple[Route, ...], now: datetime, final: bool = True
) -> DocumentRequest:
    """Decide again for the desk: it stays there when allowed or approved, waits where something is missing, ends where denied.

    Unless ``final`` a denied one stays too, without a place under any limit: it shows why, and is refused if it is filled as it is.
    """
    desk = [route for route in routes if route.source.kind == DESK]
    verdict = judge(work, request, work.libraries.get(request.library_id), desk, now)
    if not final and (verdict.route is None or is_denied(verdict.decision)):
        return without_place(work, request, verdict, now)
    if verdict.route is None or is_denied(verdict.decision):
        return refuse(work, replace(request, reason=verdict.decision.reason, decision=kept_decision(verdict)), now)
    request = reroute(work, request, verdict, now, "system")
    approved = bool(request.found.get("override")) or request.approved == verdict.route.source.id
    if hold_for(verdict) and verdict.decision.outcome is not Outcome.ALLOW and not approved:
        return hold(work, request, verdict, now)
    request = replace(
        request,
        source_id=verdict.route.source.id,
        reason=verdict.decision.reason,
        decision=kept_decision(verdict),
    )
    work.record(decision_event("request:decided", request, verdict, now, "system"))
    return work.requests.save(request)
