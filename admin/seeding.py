"""Loads the sample consortium into an empty or older database. Running it again adds only what is missing."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from admin.sample import SampleConsortium, build_collection, load_sample
from admin.wiring import Services
from delivery.passwords import hash_password, new_password
from delivery.people import Library, Role
from delivery.services.accounts import new_person
from delivery.stores import AgreementVersion, Source
from drm.agreements import load_agreements
from drm.audit.events import Event


@dataclass(frozen=True)
class SignIn:
    """A sample person's way in, kept in a file only its owner can read."""

    name: str
    email: str
    password: str
    roles: tuple[str, ...]
    library: str


def sign_in_file(home: Path) -> Path:
    """Where the sample people's passwords are kept."""
    return home / "demo" / "sign-ins.json"


def load_consortium(services: Services) -> tuple[SignIn, ...]:
    """Load libraries, agreements, sources, the collection and the people; returns the sign-ins of the sample people."""
    sample = load_sample()
    home = services.settings.home
    folder = home / "collection"
    build_collection(folder)
    known = read_sign_ins(home)
    with services.store.write() as work:
        known_ids = {library.id for library in work.libraries.all()}
        for library in sample.libraries:
            if library["id"] not in known_ids:
                work.libraries.save(Library(**library))
    _load_agreements(services, sample)
    _load_sources(services, sample, folder)
    sign_ins = _load_people(services, sample, {sign_in.email: sign_in for sign_in in known})
    _write_sign_ins(home, sign_ins)
    return sign_ins


def _load_agreements(services: Services, sample: SampleConsortium) -> None:
    now = services.ctx.clock()
    for name, text in sample.agreements.items():
        for agreement in load_agreements(text, name):
            version = AgreementVersion(
                agreement.id,
                agreement.version,
                agreement.title,
                text,
                "confirmed",
                proposed_by="sample",
                confirmed_by="sample",
                confirmed_at=now,
                note="Sample agreement of the demonstration consortium",
            )
            with services.store.write() as work:
                if work.agreements.add(version, now):
                    pair, digest = ((agreement.id, agreement.version),), version.digest
                    work.record(Event("agreement:loaded", now, "system", agreements=pair, digest=digest))
                    work.record(
                        Event("agreement:confirmed", now, "system", agreements=pair, digest=digest, code="sample")
                    )


def _load_sources(services: Services, sample: SampleConsortium, folder: Path) -> None:
    with services.store.write() as work:
        known = {source.id: source for source in work.sources.all()}
        for source in sample.sources:
            settings = dict(source["settings"])
            if source["kind"] == "local_collection":
                settings["folder"] = str((folder / settings["part"]).absolute())
            work.sources.save(
                Source(
                    id=source["id"],
                    kind=source["kind"],
                    title=source["title"],
                    library_id=source["library"] or None,
                    # What a rights officer has changed since stays as it is.
                    agreements=known[source["id"]].agreements if source["id"] in known else tuple(source["agreements"]),
                    settings=settings,
                    rank=source["rank"],
                    active=source["kind"] != "unpaywall" or bool(services.settings.unpaywall_email),
                )
            )


def _load_people(services: Services, sample: SampleConsortium, known: dict[str, SignIn]) -> tuple[SignIn, ...]:
    sign_ins = []
    now = services.ctx.clock()
    for entry in sample.people:
        with services.store.read() as work:
            there = work.people.by_email(entry["email"]) is not None
        kept = known.get(entry["email"])
        password = kept.password if kept else new_password()
        if not there:
            roles = frozenset(Role(role) for role in entry["roles"])
            person, salt = new_person(entry["library"], entry["name"], entry["email"], entry["language"], roles, now)
            hashed = hash_password(password)
            with services.store.write() as work:
                work.people.add(person, salt, hashed)
                work.record(Event("person:added", now, "system", entry["library"], code="sample"))
        if not there or kept:
            sign_ins.append(SignIn(entry["name"], entry["email"], password, tuple(entry["roles"]), entry["library"]))
    return tuple(sign_ins)


def read_sign_ins(home: Path) -> tuple[SignIn, ...]:
    """The sample people's sign-ins, empty when there are none."""
    path = sign_in_file(home)
    if not path.exists():
        return ()
    return tuple(
        SignIn(entry["name"], entry["email"], entry["password"], tuple(entry["roles"]), entry["library"])
        for entry in json.loads(path.read_text(encoding="utf-8"))
    )


def _write_sign_ins(home: Path, sign_ins: tuple[SignIn, ...]) -> None:
    path = sign_in_file(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(f".{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump([vars(sign_in) for sign_in in sign_ins], file, ensure_ascii=False, indent=1)
    part.replace(path)
