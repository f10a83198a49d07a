"""A reader's own requests."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from delivery.copies import CopyState, Delivery
from delivery.document_request import DocumentRequest
from delivery.errors import NotFound
from delivery.lifecycle import OPEN, Action, may
from delivery.ports import Work
from delivery.services import consenting, desk, linking, requesting
from delivery.services.allowances import allowances
from delivery.services.copy_passwords import copy_password
from delivery.services.deciding import DECLARATION, FEE
from delivery.services.desk import explain_request
from delivery.services.downloading import LinkState, state_of
from delivery.web.guards import person, signed_in
from delivery.web.shell.given import page_number
from delivery.web.shell.shell import site
from delivery.web.stations import stations

blueprint = Blueprint("requests", __name__)
PAGE = 20


@blueprint.get("/requests")
@signed_in
def mine() -> ResponseReturnValue:
    """My requests, newest first."""
    ctx, _ = site()
    number = page_number()
    with ctx.store.read() as work:
        page = work.requests.of_reader(person().id, PAGE, (number - 1) * PAGE)
        library = work.libraries.get(person().library_id)
    pages = -(-page.total // PAGE)
    left = allowances(ctx, person())
    return render_template("mine.html", page=page, number=number, pages=pages, library=library, allowances=left)


def _own(work: Work, number: str) -> DocumentRequest:
    found = work.requests.get(number)
    if found.reader_id != person().id:
        raise NotFound("unknown-request", "There is no such request.")
    return found


@blueprint.get("/requests/<number>")
@signed_in
def show(number: str) -> ResponseReturnValue:
    """One request: what happens now, what was tried, what it used."""
    ctx, _ = site()
    with ctx.store.read() as work:
        found = _own(work, number)
        library = work.libraries.get(found.library_id)
        delivery: Delivery | None = work.deliveries.get(found.delivery) if found.delivery else None
        explanation, tries = explain_request(work, found, g.language), work.requests.tries(number)
        titles = dict.fromkeys(rule.title for rule in explanation.rules) if explanation else {}
        view = {
            "asked": found,
            "renewals": linking.renewals_left(delivery) if delivery else 0,
            "file_password": copy_password(ctx, delivery) if delivery and delivery.state is CopyState.LIVE else None,
            "library": library,
            "delivery": delivery,
            "link": ctx.link(delivery.number) if delivery and state_of(delivery, ctx.clock()) is LinkState.LIVE else "",
            "tries": tries,
            "stations": stations(found, tries, tuple(titles)),
            "messages": [message for message in work.requests.messages(number) if message.kind != "note"],
            "explanation": explanation,
            "askings": consenting.wanted(work, found, g.language) if found.hold == DECLARATION else (),
            "charged": consenting.charges(work, found) if found.hold == FEE else (),
            "total": consenting.total,
            "waiting": found.state in OPEN,
            "can_cancel": may(found.state, Action.CANCEL),
            "titles": {source.id: source.title for source in work.sources.active()},
        }
    return render_template("request.html", **view)


@blueprint.post("/requests/<number>/cancel")
@signed_in
def cancel(number: str) -> ResponseReturnValue:
    """Take the request back."""
    ctx, _ = site()
    requesting.cancel(ctx, person(), number)
    return redirect(url_for("requests.show", number=number), 303)


@blueprint.post("/requests/<number>/declare")
@signed_in
def declare(number: str) -> ResponseReturnValue:
    """Sign what the agreement asks to be stated."""
    ctx, _ = site()
    consenting.declare(ctx, person(), number, request.form.getlist("declaration")[:50])
    return redirect(url_for("requests.show", number=number), 303)


@blueprint.post("/requests/<number>/accept-fee")
@signed_in
def accept_fee(number: str) -> ResponseReturnValue:
    """Agree to the fee that was shown."""
    ctx, _ = site()
    consenting.accept_fee(ctx, person(), number, request.form.get("total", ""))
    return redirect(url_for("requests.show", number=number), 303)


@blueprint.post("/requests/<number>/message")
@signed_in
def message(number: str) -> ResponseReturnValue:
    """A word to the library."""
    ctx, _ = site()
    with ctx.store.read() as work:
        _own(work, number)
    desk.say(ctx, person(), number, request.form.get("text", ""))
    return redirect(url_for("requests.show", number=number), 303)


@blueprint.post("/requests/<number>/renew")
@signed_in
def renew(number: str) -> ResponseReturnValue:
    """Give the link a fresh period, where the agreement permits it."""
    ctx, _ = site()
    with ctx.store.read() as work:
        found = _own(work, number)
    linking.renew(ctx, person(), found.delivery)
    return redirect(url_for("requests.show", number=number), 303)


@blueprint.post("/requests/<number>/resend")
@signed_in
def resend(number: str) -> ResponseReturnValue:
    """Have the link mailed again."""
    ctx, _ = site()
    with ctx.store.read() as work:
        found = _own(work, number)
    linking.resend(ctx, person(), found.delivery)
    return redirect(url_for("requests.show", number=number), 303)
