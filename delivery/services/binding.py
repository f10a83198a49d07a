"""Where agreements hold: for the sources that supply, and for the libraries that ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from delivery.errors import Invalid
from delivery.facts import via_of
from delivery.people import Library, Person, Role
from delivery.ports import Work
from delivery.services.context import Context, require
from delivery.services.deciding import DESK, parsed
from delivery.stores import AgreementVersion, Source
from drm.agreements import Agreement
from drm.audit.events import Event


@dataclass(frozen=True)
class Idle:
    """A rule that can never apply to copies of a source, since they reach readers in other ways than it asks for."""

    agreement: str
    rule: str
    vias: tuple[str, ...]


@dataclass(frozen=True)
class Bindings:
    """All sources and libraries, and the agreements that may be bound: those with a confirmed version."""

    sources: tuple[Source, ...]
    libraries: tuple[Library, ...]
    agreements: tuple[AgreementVersion, ...]
    idle: Mapping[str, tuple[Idle, ...]]


def bindings(ctx: Context, officer: Person) -> Bindings:
    """What holds where, now."""
    require(officer, Role.RIGHTS_OFFICER, Role.OPERATOR)
    with ctx.store.read() as work:
        sources, libraries, bindable = work.sources.all(), work.libraries.all(), _bindable(work)
    texts = {version.id: parsed(version) for version in bindable}
    idle = {source.id: idle_rules(source, libraries, texts) for source in sources}
    return Bindings(sources, libraries, bindable, idle)


def idle_rules(source: Source, libraries: Sequence[Library], texts: Mapping[str, Agreement]) -> tuple[Idle, ...]:
    """The rules bound to a source that ask for a ``request.via`` which none of its copies has."""
    by_id = {library.id: library for library in libraries}
    owner = by_id.get(source.library_id or "")
    served = [owner] if source.kind == DESK and owner else libraries
    vias = tuple(sorted({via_of(source, library, owner) for library in served}))
    found = []
    for name in source.agreements:
        for rule in texts[name].rules if name in texts else ():
            for test in rule.when:
                wanted = test.value if isinstance(test.value, tuple) else (test.value,)
                if test.path == "request.via" and test.operator in {"is", "in"} and not set(wanted) & set(vias):
                    found.append(Idle(name, rule.id, vias))
    return tuple(found)


def _bindable(work: Work) -> tuple[AgreementVersion, ...]:
    newest = {version.id: version for version in work.agreements.standing("confirmed")}
    return tuple(newest.values())


def bind_source(ctx: Context, officer: Person, source_id: str, agreements: Sequence[str]) -> Source:
    """Let these agreements, in this sequence, hold for a source. Without any it supplies nothing.

    Holds for requests decided from now on. Invalid for an agreement that has no confirmed version.
    """
    require(officer, Role.RIGHTS_OFFICER)
    with ctx.store.write() as work:
        source = replace(work.sources.get(source_id), agreements=_checked(work, agreements))
        work.sources.save(source)
        _record(work, ctx, officer, f"source:{source_id}", source.agreements)
    return source


def bind_library(ctx: Context, officer: Person, library_id: str, agreements: Sequence[str]) -> Library:
    """Let these agreements hold for whatever the readers of a library ask for, beside those of the source.

    The law of the supplier binds the copying, that of the requester the counting: both are kept. Invalid as above.
    """
    require(officer, Role.RIGHTS_OFFICER)
    with ctx.store.write() as work:
        library = replace(work.libraries.get(library_id), agreements=_checked(work, agreements))
        work.libraries.save(library)
        _record(work, ctx, officer, f"library:{library_id}", library.agreements)
    return library


def _checked(work: Work, agreements: Sequence[str]) -> tuple[str, ...]:
    known = {version.id for version in _bindable(work)}
    wanted = tuple(dict.fromkeys(agreements))
    if set(wanted) - known:
        raise Invalid({"agreements": "unknown-agreement"})
    return wanted


def _record(work: Work, ctx: Context, officer: Person, what: str, agreements: Sequence[str]) -> None:
    newest = {version.id: version.version for version in _bindable(work)}
    pairs = tuple((name, newest[name]) for name in agreements)
    work.record(Event("agreement:bound", ctx.clock(), officer.reader_key, agreements=pairs, code=what))
