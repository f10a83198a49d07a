"""Agreements in the rights office: reading, drafting, comparing, simulating, proposing, confirming."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from delivery.errors import Conflict, Invalid, NotFound
from delivery.people import Role
from delivery.services import governing, officers
from delivery.services.context import require
from delivery.services.simulating import simulate
from delivery.web.shell.given import day, version_of
from delivery.web.shell.shell import site
from drm.agreements import AgreementError
from drm.audit.events import Event
from drm.rule_words import rule_words

blueprint = Blueprint("agreements", __name__, url_prefix="/rights/agreements")
SKELETON = Path(__file__).with_name("skeleton.toml")
LONGEST_PERIOD = timedelta(days=3 * 366)


@blueprint.get("")
def listed() -> ResponseReturnValue:
    """The agreements in force, and for officers those in the making."""
    ctx, _ = site()
    making = governing.in_the_making(ctx, g.person) if Role.RIGHTS_OFFICER in g.person.roles else ()
    return render_template("agreements.html", views=officers.agreements(ctx, g.person), making=making)


@blueprint.route("/new", methods=["GET", "POST"])
def draft() -> ResponseReturnValue:
    """Write the text of a new agreement or version. A text that cannot be read comes back with the place and the cure."""
    ctx, _ = site()
    require(g.person, Role.RIGHTS_OFFICER)
    if request.method == "GET":
        return render_template("agreement_edit.html", text=_starting_text(), errors={})
    text = request.form.get("text", "")
    try:
        kept = governing.save_draft(ctx, g.person, text)
    except AgreementError as error:
        errors = {"text": str(error)}
    except (Invalid, Conflict) as error:
        errors = dict(error.fields) if isinstance(error, Invalid) else {"text": error.text}
    else:
        return redirect(url_for("agreements.show", agreement_id=kept.id, version=kept.version), 303)
    return render_template("agreement_edit.html", text=text, errors=errors), 422


def _starting_text() -> str:
    ctx, _ = site()
    name, _, version = request.args.get("from", "").partition("@")
    if not name:
        return SKELETON.read_text(encoding="utf-8")
    with ctx.store.read() as work:
        return work.agreements.get(name, version_of(version) or 0).text


@blueprint.get("/<agreement_id>/<int:version>")
def show(agreement_id: str, version: int) -> ResponseReturnValue:
    """One version with its limits, their highest use, its text, and what it changes."""
    return _page(agreement_id, version, {}, 200)


def _page(agreement_id: str, version: int, errors: dict[str, str], status: int) -> ResponseReturnValue:
    ctx, _ = site()
    view = officers.agreement(ctx, g.person, agreement_id, version)
    with ctx.store.read() as work:
        sources, libraries = work.sources.active(), work.libraries.all()
    return render_template(
        "agreement.html",
        sources=sources,
        libraries=libraries,
        view=view,
        usage=officers.highest_use(ctx, g.person, view),
        difference=governing.difference(ctx, g.person, view.version),
        warnings=governing.warnings(view.agreement),
        officer=Role.RIGHTS_OFFICER in g.person.roles,
        own=view.version.proposed_by == g.person.reader_key and ctx.settings.two_person,
        today=ctx.clock().date(),
        words=partial(rule_words, language=g.language),
        errors=errors,
    ), status


@blueprint.post("/<agreement_id>/<int:version>/<act>")
def act(agreement_id: str, version: int, act: str) -> ResponseReturnValue:
    """Propose, confirm or send back."""
    ctx, _ = site()
    acts = {"propose": governing.propose, "confirm": governing.confirm, "send-back": governing.send_back}
    if act not in acts:
        raise NotFound("unknown-act", "There is no such act.")
    try:
        acts[act](ctx, g.person, agreement_id, version, request.form.get("note", ""))
    except Invalid as error:
        return _page(agreement_id, version, dict(error.fields), 422)
    return redirect(url_for("agreements.show", agreement_id=agreement_id, version=version), 303)


@blueprint.get("/<agreement_id>/<int:version>/simulation")
def simulation(agreement_id: str, version: int) -> ResponseReturnValue:
    """What this text would have done to the requests of a past period."""
    ctx, _ = site()
    require(g.person, Role.RIGHTS_OFFICER)
    view = officers.agreement(ctx, g.person, agreement_id, version)
    try:
        since = day(request.args.get("since", ""))
        until = day(request.args.get("until", "")) + timedelta(days=1)
    except ValueError:
        return _page(agreement_id, version, {"since": "bad-date"}, 422)
    if not since < until <= since + LONGEST_PERIOD:
        return _page(agreement_id, version, {"since": "bad-period"}, 422)
    sources, libraries, reach = _reach(request.args.get("reach", ""))
    found = simulate(ctx, [view.agreement], since, until, sources, libraries)
    with ctx.store.write() as work:
        pair = ((agreement_id, version),)
        work.record(Event("agreement:simulated", ctx.clock(), g.person.reader_key, agreements=pair))
        named = {library.id: library for library in work.libraries.all()}
    last = until - timedelta(days=1)
    return render_template(
        "simulation.html", view=view, found=found, since=since, until=last, libraries=named, reach=reach
    )


def _reach(wanted: str) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """The sources and the libraries that a text is tried on beyond where it holds, and their title. NotFound for others."""
    ctx, _ = site()
    kind, _, name = wanted.partition(":")
    with ctx.store.read() as work:
        sources = {source.id: source.title for source in work.sources.active()}
        libraries = {library.id: library.called(g.language) for library in work.libraries.all()}
    known = {"source": sources, "library": libraries}.get(kind, {})
    if wanted and name not in known:
        raise NotFound("unknown-reach", "There is no such source or library.")
    return ((name,) if kind == "source" else ()), ((name,) if kind == "library" else ()), known.get(name, "")
