"""What is forgotten when, legal holds, and acts that need a second officer."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from delivery.errors import Invalid, NotFound
from delivery.privacy import ActKind, HoldKind
from delivery.services import holding, retaining, two_persons
from delivery.web.shell.given import day
from delivery.web.shell.shell import site

blueprint = Blueprint("privacy", __name__, url_prefix="/rights")
SHOWN = 200


@blueprint.get("/retention")
def retention() -> ResponseReturnValue:
    """What is due to be forgotten, what was, and the holds."""
    return _page({}, 200)


def _page(errors: dict[str, str], status: int) -> ResponseReturnValue:
    ctx, _ = site()
    holds = holding.holds(ctx, g.person)
    with ctx.store.read() as work:
        round_ = work.privacy.round()
        items = list(islice(retaining.due(ctx, work, round_.announced_at if round_ else ctx.clock()), SHOWN + 1))
        done = work.privacy.last_rounds()
        libraries = {library.id: library for library in work.libraries.all()}
    return render_template(
        "retention.html",
        round=round_,
        items=items[:SHOWN],
        more=len(items) > SHOWN,
        done=done,
        holds=holds,
        libraries=libraries,
        errors=errors,
        given=request.form,
    ), status


@blueprint.post("/retention/<act>")
def retention_act(act: str) -> ResponseReturnValue:
    """Carry the announced round out now, or put it off."""
    ctx, _ = site()
    if act == "carry-out":
        retaining.carry_out(ctx, g.person)
    elif act == "postpone":
        retaining.postpone(ctx, g.person, request.form.get("days", 30, int))
    else:
        raise NotFound("unknown-act", "There is no such act.")
    return redirect(url_for("privacy.retention"), 303)


@blueprint.post("/holds")
def place() -> ResponseReturnValue:
    """Place a legal hold."""
    ctx, _ = site()
    form = request.form
    try:
        kind = HoldKind(form.get("kind", ""))
        since = _day(form.get("since", "")) if kind is HoldKind.PERIOD else None
        until = _day(form.get("until", "")) if kind is HoldKind.PERIOD else None
        ends = until + timedelta(days=1) if until else None
        holding.place(ctx, g.person, kind, form.get("target", ""), form.get("reason", ""), since, ends)
    except Invalid as error:
        return _page(dict(error.fields), 422)
    except NotFound:
        return _page({"target": "unknown-target"}, 422)
    except ValueError:
        return _page({"since": "bad-date"}, 422)
    return redirect(url_for("privacy.retention"), 303)


def _day(text: str) -> datetime | None:
    return day(text) if text else None


@blueprint.post("/holds/<int:hold_id>/lift")
def lift(hold_id: int) -> ResponseReturnValue:
    """End a hold."""
    ctx, _ = site()
    holding.lift(ctx, g.person, hold_id)
    return redirect(url_for("privacy.retention"), 303)


@blueprint.post("/acts/<kind>/<subject>")
def ask(kind: str, subject: str) -> ResponseReturnValue:
    """Ask for an act that needs a second officer."""
    ctx, _ = site()
    if kind not in set(ActKind):
        raise NotFound("unknown-act", "There is no such act.")
    two_persons.ask(ctx, g.person, ActKind(kind), subject, request.form.get("reason", ""))
    return redirect(url_for("rights_office.approvals"), 303)


@blueprint.post("/acts/<int:act_id>/<answer>")
def answer(act_id: int, answer: str) -> ResponseReturnValue:
    """Grant or refuse what another officer asked for."""
    ctx, _ = site()
    if answer not in {"grant", "refuse"}:
        raise NotFound("unknown-act", "There is no such act.")
    two_persons.answer(ctx, g.person, act_id, answer == "grant")
    return redirect(url_for("rights_office.approvals"), 303)


@blueprint.get("/signers/<number>")
def signer(number: str) -> ResponseReturnValue:
    """The names under the declarations of a request, for the officer to whom it was granted."""
    ctx, _ = site()
    signed = two_persons.signers(ctx, g.person, number)
    with ctx.store.read() as work:
        asked = work.requests.get(number)
        library = work.libraries.get(asked.library_id)
    return render_template("signers.html", signed=signed, asked=asked, library=library)


@blueprint.get("/readers/<reader_key>")
def reader(reader_key: str) -> ResponseReturnValue:
    """A reader's name, for the officer to whom it was granted."""
    ctx, _ = site()
    person = two_persons.shown(ctx, g.person, reader_key)
    with ctx.store.read() as work:
        library = work.libraries.get(person.library_id)
    return render_template("unmasked.html", reader=person, library=library)
