"""Stored decisions on the command line: explaining, replaying, simulating."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from admin.settings import read_settings
from admin.wiring import Services, build_services
from delivery.errors import NotFound
from delivery.services.desk import explain_request
from delivery.services.governing import save_drafts
from delivery.services.replaying import Replayed, replay, replay_all
from delivery.services.simulating import Changed, simulate
from drm.agreements import Agreement
from drm.reasons import ways_line


def _services() -> Services:
    return build_services(read_settings())


def explain_stored(number: str, language: str) -> list[str]:
    """A stored decision in the form that ``rights explain`` has for cases; NotFound for an unknown request."""
    with _services().store.read() as work:
        request = work.requests.get(number.strip().upper())
        found = explain_request(work, request, language, for_page=False)
    if found is None:
        raise NotFound("never-decided", "No decision is stored with this request.")
    lines = [f"{request.number}  {found.outcome.word}  {found.reason}"]
    for rule in found.rules:
        lines.append(f"  {rule.agreement} v{rule.version}, {rule.rule}: {rule.line}")
        if rule.resets:
            lines.append(f"  {rule.resets}")
    if found.ways:
        lines.append(f"  {ways_line(found.ways, language)}")
    return lines


def replayed(number: str, since: datetime | None, until: datetime | None) -> tuple[list[str], int, int]:
    """A line for each decision that differs, how many were decided again, and how many of them not by all their rules."""
    ctx = _services().ctx
    found = [replay(ctx, number.strip().upper())] if number else list(replay_all(ctx, since, until))
    again = [one for one in found if one is not None]
    return [_difference(one) for one in again if one.differs], len(again), sum(bool(one.left_out) for one in again)


def _difference(one: Replayed) -> str:
    before, after = one.stored.to_dict(), one.now.to_dict()
    parts = [
        f"{name}: stored {json.dumps(before[name], ensure_ascii=False)}, now {json.dumps(after.get(name), ensure_ascii=False)}"
        for name in one.differs
    ]
    zones = f" (zones {one.tzdata[0]} then, {one.tzdata[1]} now)" if one.tzdata[0] != one.tzdata[1] else ""
    return f"DIFFERS {one.request} {'; '.join(parts)}{zones}"


def imported(officer: str, texts: Sequence[str]) -> list[str]:
    """Keep each text as a draft of this officer; a line for each. NotFound for somebody unknown."""
    ctx = _services().ctx
    with ctx.store.read() as work:
        person = work.people.by_email(officer)
    if person is None:
        raise NotFound("unknown-person", f"There is nobody with the address {officer}.")
    return [f"draft {kept.id} v{kept.version}" for kept in save_drafts(ctx, person, texts)]


def simulated(
    agreements: Sequence[Agreement],
    since: datetime,
    until: datetime,
    sources: Sequence[str] = (),
    libraries: Sequence[str] = (),
) -> list[str]:
    """What would have changed, and a closing line with the sums."""
    found = simulate(_services().ctx, agreements, since, until, sources, libraries)
    lines = [_line(word, one) for word, rows in _groups(found.refused, found.freed, found.otherwise) for one in rows]
    lines.append(
        f"{found.decided} requests, {found.supplied} supplied: {len(found.refused)} would have been refused, "
        f"{len(found.freed)} freed, {len(found.otherwise)} answered otherwise"
    )
    return lines


def _groups(
    refused: tuple[Changed, ...], freed: tuple[Changed, ...], otherwise: tuple[Changed, ...]
) -> list[tuple[str, tuple[Changed, ...]]]:
    return [("refused  ", refused), ("freed    ", freed), ("otherwise", otherwise)]


def _line(word: str, one: Changed) -> str:
    change = f"{one.before.outcome.word} -> {one.after.outcome.word} {one.after.reason}"
    return f"{word} {one.request} {one.at:%Y-%m-%d} {one.library_id} {change}: {one.title}"
