"""Agreements as governed data: drafted, proposed by one officer, confirmed by another; a confirmed version is frozen."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from delivery.errors import Conflict, Invalid
from delivery.people import Person, Role
from delivery.plain_texts import all_texts
from delivery.ports import Work
from delivery.services.context import Context, require
from delivery.services.deciding import parsed
from delivery.stores import AgreementVersion
from drm import agreement_warnings
from drm.agreements import Agreement, AgreementError, load_agreements
from drm.audit.events import Event
from drm.obligations import unknown_codes
from drm.statements import without_words

LONGEST_TEXT = 200_000
LONGEST_NOTE = 2_000
LONGEST_NAME, LONGEST_RULE = 64, 128


@dataclass(frozen=True)
class Draft:
    """A text that was read: what it is, and what an officer should know before proposing it."""

    agreement: Agreement
    warnings: tuple[str, ...]


def read_draft(text: str) -> Draft:
    """Read the text of one agreement. AgreementError names the place and the cure; Invalid where there is not exactly one."""
    if len(text) > LONGEST_TEXT:
        raise Invalid({"text": "too-long"})
    found = load_agreements(text.replace("\r\n", "\n"), "the text")
    if len(found) != 1:
        raise Invalid({"text": "one-agreement"})
    for key in ("effective_from", "effective_to"):
        # A day is a day wherever a library is; an instant would end it somewhere at noon.
        if len(getattr(found[0], key)) > len("2026-12-31"):
            raise AgreementError("the text", found[0].id, "", key, "is a whole day; leave the time of day out")
    _check_kept(text, found[0])
    return Draft(found[0], warnings(found[0]))


def _check_kept(text: str, agreement: Agreement) -> None:
    """Refuse what requests could not be kept with later, when nobody is there who could mend it."""
    if not all_texts(tomllib.loads(text.removeprefix("\ufeff"))):
        raise AgreementError("the text", agreement.id, "", "", "has a character of number 0 in it; take it out")
    names = [("", "id", agreement.id, LONGEST_NAME), ("", "jurisdiction", agreement.jurisdiction, LONGEST_NAME)]
    names += [(rule.id, "id", rule.id, LONGEST_RULE) for rule in agreement.rules]
    for rule in agreement.rules:
        effects = [rule.effect] if rule.on_unknown is None else [rule.effect, rule.on_unknown]
        names += [(rule.id, "reason", effect.reason, LONGEST_NAME) for effect in effects]
        names.append((rule.id, "currency", rule.currency, LONGEST_NAME))
    for where, key, name, most in names:
        if len(name) > most:
            raise AgreementError(
                "the text", agreement.id, where[:40], key, f"has more than {most} characters; shorten it"
            )


def warnings(agreement: Agreement) -> tuple[str, ...]:
    """What can be loaded and yet deserves a look."""
    found = []
    if agreement.verified is False:
        found.append(f"not verified: {agreement.check or 'compare it with its source'}")
    found += agreement_warnings.warnings([agreement])
    found += [f"no text for the obligation {code!r}" for code in unknown_codes(agreement)]
    return tuple(found)


def save_draft(ctx: Context, officer: Person, text: str) -> AgreementVersion:
    """Keep a text as a draft. A draft may be written over; a proposed or confirmed version may not.

    AgreementError and Invalid for a text that cannot be read; Conflict for a version that stands.
    """
    return save_drafts(ctx, officer, [text])[0]


def save_drafts(ctx: Context, officer: Person, texts: Sequence[str]) -> tuple[AgreementVersion, ...]:
    """Keep several texts as drafts, all of them or none."""
    require(officer, Role.RIGHTS_OFFICER)
    versions = [_draft_version(text.replace("\r\n", "\n")) for text in texts]
    with ctx.store.write() as work:
        for version in versions:
            _put_draft(ctx, work, officer, version)
    return tuple(versions)


def _draft_version(text: str) -> AgreementVersion:
    draft = read_draft(text).agreement
    return AgreementVersion(
        draft.id,
        draft.version,
        draft.title,
        text,
        "draft",
        _instant(draft.effective_from),
        _instant(draft.effective_to),
    )


def _put_draft(ctx: Context, work: Work, officer: Person, version: AgreementVersion) -> None:
    known = {one.version: one for one in work.agreements.versions(version.id)}
    standing = known[version.version].standing if version.version in known else ""
    if standing not in {"", "draft"}:
        raise Conflict(
            "agreement-frozen",
            f"{version.id} v{version.version} is {standing}; give the change the version {max(known) + 1}.",
        )
    now = ctx.clock()
    work.agreements.put(version, now)
    _record(work, "agreement:drafted", version, now, officer)


def _instant(text: str) -> datetime | None:
    """An effective date as it is stored: a whole day as its midnight UTC."""
    if not text:
        return None
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def propose(ctx: Context, officer: Person, agreement_id: str, version: int, note: str) -> AgreementVersion:
    """Put a draft before a second officer. What an obligation says must be known before."""
    require(officer, Role.RIGHTS_OFFICER)
    now = ctx.clock()
    with ctx.store.write() as work:
        found = _in(work, agreement_id, version, "draft")
        missing = unknown_codes(parsed(found))
        if missing:
            raise Conflict("no-obligation-text", f"There is no text for the obligation {missing[0]!r}.")
        silent = without_words(parsed(found))
        if silent:
            raise Conflict(
                "no-statement-text",
                f"There are no words for the statement {silent[0]!r}; write them under [agreement.statements.{silent[0]}].",
            )
        found = replace(found, standing="proposed", proposed_by=officer.reader_key, note=note.strip()[:LONGEST_NOTE])
        work.agreements.put(found, now)
        _record(work, "agreement:proposed", found, now, officer)
    return found


def confirm(ctx: Context, officer: Person, agreement_id: str, version: int, note: str) -> AgreementVersion:
    """Bring a proposed version into force: another officer than the one who proposed it, unless the consortium has only one.

    From now on it is frozen, and decides where its effective dates say so.
    """
    require(officer, Role.RIGHTS_OFFICER)
    now = ctx.clock()
    with ctx.store.write() as work:
        found = _in(work, agreement_id, version, "proposed")
        alone = found.proposed_by == officer.reader_key
        if alone and ctx.settings.two_person:
            raise Conflict("second-person", "Another rights officer has to confirm what you proposed.")
        if silent := without_words(parsed(found)):
            raise Conflict("no-statement-text", f"There are no words for the statement {silent[0]!r}.")
        found = replace(
            found,
            standing="confirmed",
            confirmed_by=officer.reader_key,
            confirmed_at=now,
            note=note.strip()[:LONGEST_NOTE] or found.note,
        )
        work.agreements.put(found, now)
        _record(work, "agreement:confirmed", found, now, officer, "one-person" if alone else "two-persons")
    return found


def send_back(ctx: Context, officer: Person, agreement_id: str, version: int, note: str) -> AgreementVersion:
    """Turn a proposed version into a draft again, with a word why."""
    require(officer, Role.RIGHTS_OFFICER)
    if not note.strip():
        raise Invalid({"note": "missing"})
    now = ctx.clock()
    with ctx.store.write() as work:
        found = _in(work, agreement_id, version, "proposed")
        found = replace(found, standing="draft", proposed_by="", note=note.strip()[:LONGEST_NOTE])
        work.agreements.put(found, now)
        _record(work, "agreement:sent_back", found, now, officer)
    return found


def difference(ctx: Context, officer: Person, version: AgreementVersion) -> tuple[str, ...]:
    """The lines in which a version differs from the one in force, as a unified diff; empty where nothing is in force."""
    with ctx.store.read() as work:
        zone = work.libraries.get(officer.library_id).zone
        running = next((one for one in work.agreements.in_force(ctx.clock(), zone) if one.id == version.id), None)
    if running is None or running.version == version.version:
        return ()
    return tuple(
        difflib.unified_diff(
            running.text.splitlines(),
            version.text.splitlines(),
            f"{running.id} v{running.version}",
            f"{version.id} v{version.version}",
            lineterm="",
            n=2,
        )
    )


def in_the_making(ctx: Context, officer: Person) -> tuple[AgreementVersion, ...]:
    """Drafts and proposals, by id."""
    require(officer, Role.RIGHTS_OFFICER)
    with ctx.store.read() as work:
        return work.agreements.standing("draft", "proposed")


def _in(work: Work, agreement_id: str, version: int, standing: str) -> AgreementVersion:
    found = work.agreements.get(agreement_id, version)
    if found.standing != standing:
        raise Conflict("not-" + standing, f"{agreement_id} v{version} is {found.standing}, not {standing}.")
    return found


def _record(work: Work, kind: str, version: AgreementVersion, now: datetime, officer: Person, code: str = "") -> None:
    pairs = ((version.id, version.version),)
    work.record(Event(kind, now, officer.reader_key, agreements=pairs, digest=version.digest, code=code))


__all__ = [
    "AgreementError",
    "Draft",
    "confirm",
    "difference",
    "in_the_making",
    "propose",
    "read_draft",
    "save_draft",
    "send_back",
    "warnings",
]
