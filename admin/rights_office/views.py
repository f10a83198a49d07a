"""Approvals, agreements with their counts, the usage log."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from delivery.errors import Invalid, NotFound
from delivery.lists import LogEntry
from delivery.searching import Leg
from delivery.services import officers, two_persons
from delivery.services.desk import explain_request
from delivery.services.evidence import evidence_bundle, proof_file, show_event
from delivery.services.officers import export_columns, guarded_cell
from delivery.stores import MOST_COUNTED, LogFilter
from delivery.web.shell.given import day, page_number, version_of
from delivery.web.shell.shell import site
from drm.audit.events import KINDS
from drm.decisions import Outcome
from drm.reasons import Explanation, RuleExplanation, says

blueprint = Blueprint("rights_office", __name__, url_prefix="/rights")
PAGE = 50


@blueprint.get("/approvals")
def approvals() -> ResponseReturnValue:
    """Requests that wait for an officer."""
    return _approvals({}, 200)


def _approvals(errors: dict[str, str], status: int) -> ResponseReturnValue:
    ctx, _ = site()
    waiting = officers.awaiting(ctx, g.person)
    with ctx.store.read() as work:
        libraries = {library.id: library for library in work.libraries.all()}
    acts = two_persons.waiting(ctx, g.person)
    with ctx.store.read() as work:
        asked = [*waiting, *(one.request for one in acts if one.request is not None)]
        told = {request.number: _told(explain_request(work, request, g.language)) for request in asked}
    said = {request.number: says(request.reason, g.language, Outcome.NEEDS_APPROVAL) for request in waiting}
    page = render_template(
        "approvals.html", waiting=waiting, libraries=libraries, said=said, acts=acts, told=told, errors=errors
    )
    return page, status


def _told(explanation: Explanation | None) -> tuple[RuleExplanation, ...]:
    """What counts beside the buttons: every rule that counted something, and every one that objects."""
    rules = explanation.rules if explanation else ()
    return tuple(rule for rule in rules if rule.counts or rule.outcome is not Outcome.ALLOW)


@blueprint.post("/approvals/<number>/<act>")
def answer(number: str, act: str) -> ResponseReturnValue:
    """Approve or refuse."""
    ctx, _ = site()
    words = request.form.get("reason", "")
    if act == "approve":
        try:
            officers.approve(
                ctx, g.person, number, words, request.form.get("amount", ""), request.form.get("currency", "")
            )
        except Invalid as error:
            return _approvals(dict(error.fields), 422)
    elif act == "refuse":
        officers.refuse_held(ctx, g.person, number, words)
    else:
        raise NotFound("unknown-act", "There is no such act.")
    return redirect(url_for("rights_office.approvals"), 303)


@blueprint.get("/log")
def log() -> ResponseReturnValue:
    """The usage log under a filter."""
    ctx, _ = site()
    wanted = _filter()
    number = page_number()
    leg = Leg.read(request.args.get("from", ""), sequence=True)
    page = officers.usage_log(ctx, g.person, replace(wanted, limit=PAGE, offset=(number - 1) * PAGE), leg)
    with ctx.store.read() as work:
        libraries = work.libraries.all()
        versions = work.agreements.in_force(ctx.clock(), work.libraries.get(g.person.library_id).zone)
    return render_template(
        "log.html",
        page=page,
        most=MOST_COUNTED,
        wanted=wanted,
        number=number,
        pages=-(-page.total // PAGE),
        library_names=[(library.id, library.called(g.language)) for library in libraries],
        versions=[(f"{known.id}@{known.version}", f"{known.id} v{known.version}") for known in versions],
        kinds=[(kind, kind) for kind in KINDS],
    )


def _filter() -> LogFilter:
    given = request.args
    name, _, version = given.get("agreement", "").partition("@")
    try:
        since = day(given["since"]) if given.get("since") else None
        until = day(given["until"]) + timedelta(days=1) if given.get("until") else None
    except ValueError:
        raise Invalid({"since": "bad-date"}) from None
    return LogFilter(
        agreement=name,
        version=version_of(version),
        title=given.get("title", "")[:200].strip(),
        library_id=given.get("library", ""),
        reader_key=given.get("reader", "").strip(),
        kind=given.get("kind", ""),
        request=given.get("request", "").strip().upper(),
        since=since,
        until=until,
    )


@blueprint.get("/log.csv")
def log_csv() -> ResponseReturnValue:
    """The filter's events as CSV, guarded against formulas."""
    ctx, _ = site()
    entries = officers.export_log(ctx, g.person, _filter())
    headers = {"Content-Disposition": 'attachment; filename="rushlight-log.csv"'}
    return Response(_csv(entries), mimetype="text/csv; charset=utf-8", headers=headers)


def _csv(entries: Iterator[LogEntry]) -> Iterator[str]:
    # The mark lets spreadsheets read Chinese titles as what they are.
    yield "\ufeff" + _line(list(export_columns()))
    for entry in entries:
        yield _line(
            [
                entry.seq,
                entry.at.isoformat(),
                entry.kind,
                entry.actor,
                entry.library_id,
                entry.request,
                entry.delivery,
                entry.agreements,
                entry.code,
                entry.title,
                entry.reader_key,
                entry.hash.hex(),
            ]
        )


def _line(cells: list[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([guarded_cell(cell) for cell in cells])
    return line.getvalue()


@blueprint.post("/log/verify")
def verify() -> ResponseReturnValue:
    """Check the whole log now."""
    ctx, _ = site()
    verdict = officers.verify_log(ctx, g.person)
    return render_template("log_verified.html", verdict=verdict)


@blueprint.get("/log/<int:seq>")
def event(seq: int) -> ResponseReturnValue:
    """One event with its proof."""
    ctx, _ = site()
    view = show_event(ctx, g.person, seq)
    return render_template("log_event.html", view=view, content=_content(view.entry), origin=ctx.log.keys.origin)


def _content(entry: bytes) -> list[tuple[str, str]]:
    """What the event says, line by line; nothing for one that was tampered with."""
    try:
        content = json.loads(entry)
    except ValueError:
        return []
    told = content.items() if isinstance(content, dict) else ()
    return [(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)) for name, value in told]


@blueprint.get("/log/<int:seq>/proof")
def proof(seq: int) -> ResponseReturnValue:
    """The proof as a file."""
    ctx, _ = site()
    headers = {"Content-Disposition": f'attachment; filename="event-{seq}.tlog-proof"'}
    return Response(proof_file(ctx, g.person, seq), mimetype="text/plain; charset=utf-8", headers=headers)


@blueprint.post("/evidence/<delivery>")
def evidence(delivery: str) -> ResponseReturnValue:
    """Everything about one delivery, with proofs."""
    ctx, _ = site()
    data = evidence_bundle(ctx, g.person, delivery)
    headers = {"Content-Disposition": f'attachment; filename="{delivery}-evidence.zip"'}
    return Response(data, mimetype="application/zip", headers=headers)
