"""What is sent with each address: the fields with which its act succeeds for whoever may do it, about the thing that is meant."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

from delivery.services import consenting, downloading
from tests.access.town import AGREEMENT, HELD, MISSING, Owner, Town
from tests.world import PASSWORD

Fields = Mapping[str, Any]
REASON = {"reason": "words of mine"}
PERIOD = {"kind": "uses", "since": "2026-01-01", "until": "2026-12-31"}
MAILED = "never-used-before-7"
STATE = {
    "reader POST /requests/<number>/cancel": "desk",
    "reader POST /requests/<number>/message": "desk",
    "reader POST /requests/<number>/declare": "declaration",
    "reader POST /requests/<number>/accept-fee": "fee",
    "reader POST /api/v1/requests/<number>/cancel": "desk",
    "staff POST /requests/<number>/upload": "desk",
    "staff GET /rights/signers/<number>": "signed",
    "staff POST /rights/acts/override/<subject>": "limited",
    "staff POST /rights/acts/signer/<subject>": "signed",
    **{
        f"staff POST /requests/<number>/{act}": "desk"
        for act in ("claim", "unclaim", "edit", "search", "unfilled", "cancel", "message", "join", "tell")
    },
    **{f"staff POST /rights/approvals/<number>/{act}": "approval" for act in ("approve", "refuse")},
}
"""The request that an address is tried on; the supplied one where none is named."""
QUERY = {
    "staff GET /rights/reports": PERIOD,
    "staff GET /rights/reports/report.csv": PERIOD,
    "staff GET /rights/reports/report.xlsx": PERIOD,
    "staff GET /rights/agreements/<agreement_id>/<int:version>/simulation": PERIOD,
    "staff GET /queue": {"view": "all", "library": "glenmore"},
    "reader GET /openurl": {"title": "River beds"},
}
PLAIN: Mapping[str, Fields] = {
    "reader POST /requests": {"doi": HELD, "title": "Another", "deliberate": "yes"},
    "reader POST /requests/<number>/message": {"text": "words of mine"},
    "reader POST /requests/<number>/declare": {"declaration": "named"},
    "reader POST /register": {
        "library": "harbour",
        "name": "New Name",
        "email": "new@harbour.example.org",
        "password": MAILED,
    },
    "reader POST /forgot": {"email": "maeve@harbour.example.org"},
    "reader POST /confirm/<token>": {"password": MAILED},
    "reader POST /reset/<token>": {"password": MAILED},
    "staff POST /forgot": {"email": "sinead@harbour.example.org"},
    "staff POST /reset/<token>": {"password": MAILED},
    "staff POST /readers": {"name": "New Name", "email": "new@harbour.example.org", "language": "en"},
    "staff POST /requests/<number>/tell": {"work.pages": "10"},
    "staff POST /requests/<number>/correct": {**REASON, "pages": "1-2"},
    "staff POST /requests/<number>/extend": {"days": "1"},
    "staff POST /rights/agreements/new": {"text": AGREEMENT.replace("version = 2\n[", "version = 5\n[", 1)},
    "staff POST /rights/agreements/<agreement_id>/<int:version>/send-back": {"note": "words of mine"},
    "staff POST /rights/where/source/<name>": {"agreements": "open"},
    "staff POST /rights/where/library/<name>": {"agreements": "open"},
    "staff POST /second-factor/<int:factor_id>/remove": {"password": PASSWORD},
    "staff POST /second-factor/codes": {"password": PASSWORD},
}


def _sign_in(town: Town, who: str, owner: Owner | None) -> Fields:
    person = town.people.get(who, town.world.other)
    return {"email": person.email, "password": PASSWORD}


def _open(town: Town, who: str, owner: Owner | None) -> Fields:
    token = owner.values["/d/<token>"].removeprefix("/d/") if owner else "none"
    return {"nonce": downloading.look(town.world.ctx, token).nonce or "none"}


def _fee(town: Town, who: str, owner: Owner | None) -> Fields:
    if owner is None:
        return {"total": "1.50 EUR"}
    with town.world.store.read() as work:
        return {"total": consenting.total(consenting.charges(work, work.requests.get(owner.numbers["fee"])))}


def _edit(town: Town, who: str, owner: Owner | None) -> Fields:
    version = town.world.get(owner.numbers["desk"]).version if owner else 1
    return {"title": "Mended", "version": str(version)}


def _join(town: Town, who: str, owner: Owner | None) -> Fields:
    return {"emails": town.world.reader.email}


def _upload(town: Town, who: str, owner: Owner | None) -> Fields:
    return {"file": (io.BytesIO(town.pdf), "article.pdf")}


def _hold(town: Town, who: str, owner: Owner | None) -> Fields:
    target = owner.numbers["supplied"] if owner else MISSING["<number>"]
    return {**REASON, "kind": "request", "target": target}


MADE: Mapping[str, Callable[[Town, str, Owner | None], Fields]] = {
    "reader POST /sign-in": _sign_in,
    "staff POST /sign-in": _sign_in,
    "reader POST /d/<token>": _open,
    "reader POST /requests/<number>/accept-fee": _fee,
    "staff POST /requests/<number>/edit": _edit,
    "staff POST /requests/<number>/join": _join,
    "staff POST /requests/<number>/upload": _upload,
    "staff POST /rights/holds": _hold,
}


def fields(town: Town, key: str, who: str, owner: Owner | None) -> Fields:
    """The form of an address, without its token."""
    made = MADE.get(key)
    return made(town, who, owner) if made else PLAIN.get(key, REASON)
