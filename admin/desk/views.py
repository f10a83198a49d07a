"""Queue and request pages of the desk."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from delivery.citation import FIELDS
from delivery.document_request import QueueFilter
from delivery.errors import Invalid
from delivery.lifecycle import Action, may
from delivery.people import Role
from delivery.searching import Leg
from delivery.services import accounts, correcting, desk, joining, linking, previewing, telling
from delivery.services.context import require
from delivery.services.overriding import may_override
from delivery.stores import MOST_COUNTED
from delivery.web.shell.given import YEARS, page_number
from delivery.web.shell.shell import site

blueprint = Blueprint("desk", __name__)
VIEWS = ("open", "desk", "mine", "approval", "supplied", "closed", "all")
PAGE = 50


@blueprint.get("/queue")
def queue() -> ResponseReturnValue:
    """What waits, by view and filter; every view has an address that can be kept."""
    ctx, _ = site()
    view = request.args.get("view", "open")
    number = page_number()
    wanted = QueueFilter(
        view if view in VIEWS else "open",
        request.args.get("q", "")[:200],
        request.args.get("library", ""),
        "",
        request.args.get("language", ""),
        PAGE,
        (number - 1) * PAGE,
    )
    page = desk.queue(ctx, g.person, wanted, Leg.read(request.args.get("from", "")))
    with ctx.store.read() as work:
        libraries = {library.id: library for library in work.libraries.all()}
        people = {asked.assignee_id: work.people.get(asked.assignee_id) for asked in page.requests if asked.assignee_id}
    counts = desk.queue_counts(ctx, g.person)
    return render_template(
        "queue.html",
        page=page,
        wanted=wanted,
        views=VIEWS,
        counts=counts,
        most=MOST_COUNTED,
        everywhere=bool(g.person.roles & {Role.RIGHTS_OFFICER, Role.OPERATOR}),
        libraries=libraries,
        own=libraries.get(g.person.library_id),
        people=people,
        number=number,
        pages=-(-page.total // PAGE),
        now=ctx.clock(),
    )


@blueprint.get("/requests/<number>")
def show(number: str) -> ResponseReturnValue:
    """Everything known about one request."""
    return _page(number, {}, 200)


def _page(number: str, errors: dict[str, str], status: int) -> ResponseReturnValue:
    ctx, _ = site()
    view = desk.look(ctx, g.person, number)
    can = {action.value: may(view.request.state, action) for action in Action}
    working = Role.LIBRARIAN in g.person.roles
    return render_template(
        "desk_request.html",
        view=view,
        errors=errors,
        can=can,
        fields=FIELDS,
        working=working,
        officer=Role.RIGHTS_OFFICER in g.person.roles,
        overridable=may_override(view.request),
        tellable=telling.tellable(view.request) if telling.may_tell(view.request) else (),
        now=ctx.clock(),
    ), status


@blueprint.post("/requests/<number>/<act>")
def act(number: str, act: str) -> ResponseReturnValue:
    """One step with a request: its name stands in the address."""
    ctx, _ = site()
    form, staff = request.form, g.person
    reason = form.get("reason", "")
    try:
        match act:
            case "claim":
                desk.claim(ctx, staff, number)
            case "unclaim":
                desk.unclaim(ctx, staff, number)
            case "edit":
                desk.edit_citation(
                    ctx, staff, number, {name: form.get(name, "") for name in FIELDS}, form.get("version", 0, int)
                )
            case "search":
                desk.search_again(ctx, staff, number)
            case "unfilled":
                desk.leave_unfilled(ctx, staff, number, reason)
            case "replace":
                desk.replace_copy(ctx, staff, number, reason)
            case "cancel":
                desk.cancel_for_reader(ctx, staff, number, reason)
            case "message":
                desk.say(ctx, staff, number, reason, note=form.get("note") == "yes")
            case "join" | "correct" | "tell":
                _count_act(number, act)
            case "resend" | "extend" | "revoke":
                _link_act(number, act)
            case _:
                return "", 404
    except Invalid as error:
        return _page(number, error.fields, 422)
    return redirect(url_for("desk.show", number=number), 303)


def _count_act(number: str, act: str) -> None:
    """What a request counts as: for whom, when, which pages, and under which further facts."""
    ctx, _ = site()
    form, filled_at = request.form, None
    if act == "tell":
        telling.tell(ctx, g.person, number, form.to_dict(), form.getlist("statement"))
        return
    if act == "join":
        joining.join(ctx, g.person, number, form.get("emails", ""))
        return
    if form.get("filled_at"):
        try:
            civil = datetime.fromisoformat(form["filled_at"]).replace(tzinfo=None)
        except ValueError:
            raise Invalid({"filled_at": "bad-date"}) from None
        if civil.year not in YEARS:
            raise Invalid({"filled_at": "bad-date"})
        filled_at = civil.replace(tzinfo=desk.look(ctx, g.person, number).library.zone).astimezone(UTC)
    # Corrected by its citation it has that citation's pages; the field shows them.
    named = form.get("by_citation") == "yes"
    pages = None if named else form.get("pages")
    correcting.correct(ctx, g.person, number, form.get("reason", ""), filled_at, pages, named)


def _link_act(number: str, act: str) -> None:
    ctx, _ = site()
    delivery = desk.look(ctx, g.person, number).request.delivery
    if act == "resend":
        linking.resend(ctx, g.person, delivery)
    elif act == "extend":
        linking.extend(ctx, g.person, delivery, request.form.get("days", 0, int), request.form.get("opens", 0, int))
    else:
        linking.revoke(ctx, g.person, delivery, request.form.get("reason", ""), request.form.get("refund") == "yes")


@blueprint.post("/requests/<number>/upload")
def upload(number: str) -> ResponseReturnValue:
    """Take a PDF for a request. What cannot be taken says why, and the request stays as it was."""
    ctx, _ = site()
    file = request.files.get("file")
    require(g.person, Role.LIBRARIAN)
    if file is None or not file.filename:
        return _page(number, {"file": "missing"}, 422)
    try:
        desk.upload(ctx, g.person, number, file.stream, file.filename, None)  # type: ignore[arg-type]  # werkzeug's stream reads bytes
    except Invalid as error:
        return _page(number, error.fields, 422)
    return redirect(url_for("desk.show", number=number), 303)


@blueprint.get("/requests/<number>/preview/<int:page>.png")
def preview(number: str, page: int) -> ResponseReturnValue:
    """One page of the stamped copy; counts nothing."""
    ctx, _ = site()
    return Response(previewing.preview_page(ctx, g.person, number, page), mimetype="image/png")


@blueprint.route("/readers", methods=["GET", "POST"])
def readers() -> ResponseReturnValue:
    """Add a reader of the own library."""
    ctx, _ = site()
    require(g.person, Role.LIBRARIAN, Role.OPERATOR)
    errors: dict[str, str] = {}
    added = ""
    if request.method == "POST":
        try:
            person = accounts.add_reader(
                ctx,
                g.person,
                request.form.get("name", ""),
                request.form.get("email", ""),
                request.form.get("language", "en"),
                request.form.get("card", "")[:200],
            )
            added = person.email
        except Invalid as error:
            errors = error.fields
    return render_template("readers.html", errors=errors, added=added, given=request.form), 422 if errors else 200
