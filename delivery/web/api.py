"""The JSON API: bearer tokens, idempotency keys, problem documents."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from flask import Blueprint, Response, g, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from delivery.document_request import DocumentRequest
from delivery.errors import Conflict, Invalid, NotAllowed, NotFound, Unreadable
from delivery.people import Person, Standing
from delivery.plain_texts import all_texts, is_text
from delivery.ports import Work
from delivery.services import downloading, pacing, requesting
from delivery.services.requesting import Asked, Submitted
from delivery.stores import LARGEST, KeptAnswer
from delivery.web.links import address_of
from delivery.web.shell.given import within
from delivery.web.shell.problems import problem
from delivery.web.shell.shell import site
from drm.tokens import TokenError

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
LONGEST_KEY = 255


@dataclass(frozen=True)
class _Unauthorised(Exception):
    text: str


@blueprint.errorhandler(_Unauthorised)
def _no_entry(error: _Unauthorised) -> Response:
    response = problem(401, "bad-token", error.text)
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _caller() -> Person:
    """The person a bearer token speaks for; the register decides, not the token alone."""
    ctx, _ = site()
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise _Unauthorised("A bearer token is needed.")
    try:
        claims = ctx.api_tokens.read(token.strip(), ctx.clock())
    except TokenError:
        raise _Unauthorised("The token is not valid.") from None
    g.token_id = claims.token_id
    with ctx.store.read() as work:
        person = work.tokens.speaks_for(claims.token_id)
    if person is None or person.id != claims.subject:
        raise _Unauthorised("The token is not valid.")
    if person.standing is not Standing.ACTIVE:
        raise NotAllowed("account-closed", "This account is closed.")
    return person


def _shown(found: DocumentRequest) -> dict[str, object]:
    ctx, settings = site()
    return {
        "number": found.number,
        "state": found.state.value,
        "waiting_for": found.hold or None,
        "reason": found.reason or None,
        "citation": found.citation.to_dict(),
        "typed": dict(found.typed),
        "created_at": found.created_at.isoformat(),
        "changed_at": found.changed_at.isoformat(),
        "delivery": found.delivery or None,
        "link": ctx.link(found.delivery) if found.delivery else None,
        "page": settings.base_url + url_for("requests.show", number=found.number),
    }


@blueprint.post("/requests")
def create() -> ResponseReturnValue:
    """Ask for a document. The same Idempotency-Key gives the same answer; with another body it is refused."""
    ctx, _ = site()
    person = _caller()
    body = request.get_data()
    key = _key()
    digest = hashlib.sha256(body).hexdigest()
    kept = _kept(person, key, digest)
    if kept is not None:
        return jsonify(kept.answer), kept.status

    pacing.admit(ctx, pacing.ASK, person, g.token_id)

    def keep(work: Work, submitted: Submitted) -> None:
        answer, status = _answer(submitted)
        work.tokens.keep_answer(person.id, key, KeptAnswer(digest, status, answer), ctx.clock())

    try:
        answer, status = _answer(requesting.submit(ctx, person, _asked(body), keep if key else None))
    except Conflict:
        # Another call with this key was faster; nothing of this one was kept, and its answer is that one's.
        kept = _kept(person, key, digest)
        if kept is None:
            raise
        return jsonify(kept.answer), kept.status
    return jsonify(answer), status


def _key() -> str:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > LONGEST_KEY:
        raise Invalid({"Idempotency-Key": "too-long"})
    if not is_text(key):
        raise Unreadable({"Idempotency-Key": "control-characters"})
    return key


def _answer(submitted: Submitted) -> tuple[dict[str, object], int]:
    return {**_shown(submitted.request), "repeats": submitted.repeats}, 200 if submitted.repeats else 202


def _kept(person: Person, key: str, digest: str) -> KeptAnswer | None:
    ctx, _ = site()
    if not key:
        return None
    with ctx.store.read() as work:
        kept = work.tokens.kept_answer(person.id, key)
    if kept is not None and kept.body_hash != digest:
        raise Conflict("key-reused", "This Idempotency-Key was used with another body.")
    return kept


def _asked(body: bytes) -> Asked:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise Invalid({"body": "not-json"}) from None
    if not all_texts(content):
        raise Unreadable({_odd_part(content): "control-characters"})
    if not isinstance(content, dict) or not isinstance(content.get("citation"), dict):
        raise Invalid({"citation": "missing"})
    citation = content["citation"]
    wrong = {str(name): "not-text" for name, value in citation.items() if not isinstance(value, str)}
    if wrong:
        raise Invalid(wrong)
    declarations = content.get("declarations", [])
    if not isinstance(declarations, list) or not all(isinstance(word, str) for word in declarations):
        raise Invalid({"declarations": "not-text"})
    words = {"purpose": content.get("purpose", ""), "language": content.get("language", "en")}
    wrong = {name: "not-text" for name, word in words.items() if not isinstance(word, str)}
    if wrong:
        raise Invalid(wrong)
    return Asked(
        citation,
        "api",
        words["purpose"],
        content.get("deliberate") is True,
        tuple(declarations[:20]),
        words["language"][:2],
    )


def _odd_part(content: object) -> str:
    """Which part of the body holds what cannot be kept, as far as its name can be said."""
    parts = content.items() if isinstance(content, dict) else ()
    return next((str(name) for name, part in parts if is_text(str(name)) and not all_texts(part)), "body")


def _own(number: str) -> tuple[Person, DocumentRequest]:
    ctx, _ = site()
    person = _caller()
    with ctx.store.read() as work:
        found = work.requests.get(number)
    if found.reader_id != person.id:
        raise NotFound("unknown-request", "There is no such request.")
    return person, found


@blueprint.get("/requests")
def listed() -> ResponseReturnValue:
    """The caller's requests, newest first."""
    ctx, _ = site()
    person = _caller()
    limit, offset = within("limit", 20, 1, 100), within("offset", 0, 0, LARGEST)
    with ctx.store.read() as work:
        page = work.requests.of_reader(person.id, limit, offset)
    return jsonify({"total": page.total, "requests": [_shown(found) for found in page.requests]})


@blueprint.get("/requests/<number>")
def one(number: str) -> ResponseReturnValue:
    """One request."""
    return jsonify(_shown(_own(number)[1]))


@blueprint.post("/requests/<number>/cancel")
def cancel(number: str) -> ResponseReturnValue:
    """Take a request back."""
    ctx, _ = site()
    person, _found = _own(number)
    return jsonify(_shown(requesting.cancel(ctx, person, number)))


@blueprint.post("/requests/<number>/open")
def open_window(number: str) -> ResponseReturnValue:
    """Open a download window: counts one open. The same Idempotency-Key leads to the same window, counted once."""
    ctx, settings = site()
    person, found = _own(number)
    if not found.delivery:
        raise Conflict("nothing-to-open", "There is no copy for this request.")
    token = ctx.links.sign(found.delivery)
    key = _key()
    nonce = downloading.RetryKey(key) if key else downloading.look(ctx, token).nonce
    opened = downloading.open_window(ctx, token, nonce, person, token_id=g.token_id)
    return jsonify({"url": settings.base_url + address_of(opened), "view_only": opened.view_only}), 201


@blueprint.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """The description of this API."""
    from delivery.web.openapi import DESCRIPTION

    return jsonify(DESCRIPTION)
