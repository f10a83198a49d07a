"""Proving a sign-in by a second factor, and setting one up."""

from __future__ import annotations

import segno
from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from delivery.errors import Invalid
from delivery.people import Person
from delivery.services import second_factors, security_keys
from delivery.services.second_factors import Enrolment
from delivery.web.accounts import complete_session
from delivery.web.guards import safe_next
from delivery.web.shell.shell import key_site, site

blueprint = Blueprint("second", __name__)
OPEN_TO_HALF = frozenset({"second.code", "second.by_key", "second.first_app"})
"""What somebody whose password fitted may see before the second factor; each asks for that half sign-in itself."""


def half_sign_in() -> tuple[str, Person | None]:
    """The secret of a half sign-in and its person, while it lives."""
    ctx, _ = site()
    secret = str(session.get("half", ""))
    return secret, second_factors.half_signed_in(ctx, secret)


def where_to() -> str:
    """Where the person wanted to go before signing in; to be asked before the session begins anew."""
    return safe_next(str(session.get("target", "/")))


@blueprint.route("/sign-in/second", methods=["GET", "POST"])
def code() -> ResponseReturnValue:
    """Ask for a code of the app, or a recovery code."""
    ctx, _ = site()
    half, person = half_sign_in()
    if person is None:
        return redirect(url_for("accounts.sign_in"), 303)
    if not second_factors.kept(ctx, person).factors:
        return redirect(url_for("second.first_app"), 303)
    errors: dict[str, str] = {}
    if request.method == "POST":
        target = where_to()
        try:
            complete_session(second_factors.finish_by_code(ctx, half, request.form.get("code", "")[:100]))
            return redirect(target, 303)
        except Invalid as error:
            errors = error.fields
    return prove_page(person, errors)


def prove_page(person: Person, errors: dict[str, str]) -> ResponseReturnValue:
    """The page that asks for a code, a recovery code or a touch of a key."""
    ctx, _ = site()
    kept, there = second_factors.kept(ctx, person), key_site()
    offer = security_keys.ask(ctx, there, person) if there else None
    return render_template("second_code.html", errors=errors, kept=kept, offer=offer), 422 if errors else 200


@blueprint.route("/sign-in/second/app", methods=["GET", "POST"])
def first_app() -> ResponseReturnValue:
    """Where a second factor is demanded: set the first one up before the sign-in counts."""
    ctx, _ = site()
    half, person = half_sign_in()
    if person is None:
        return redirect(url_for("accounts.sign_in"), 303)
    if second_factors.kept(ctx, person).factors:
        return redirect(url_for("second.code"), 303)
    target = where_to()

    def done() -> None:
        complete_session(second_factors.finish(ctx, half, person))

    return _app_page(person, target, done, first=True)


def _app_page(person: Person, target: str, done: object, first: bool) -> ResponseReturnValue:
    ctx, _ = site()
    if request.method == "GET":
        return _show_app(second_factors.begin_app(ctx, person), {}, first)
    token = request.form.get("enrolment", "")
    begun = second_factors.begun_app(ctx, person, token)
    given = request.form.get("code", "")[:100]
    try:
        codes = second_factors.enrol_app(ctx, person, token, given, request.form.get("label", "")[:100])
    except Invalid as error:
        return _show_app(begun, dict(error.fields), first)
    if callable(done):
        done()
    if not codes:
        return redirect(target, 303)
    return render_template("recovery_codes.html", codes=codes, target=target)


def _show_app(begun: Enrolment, errors: dict[str, str], first: bool) -> ResponseReturnValue:
    picture = Markup(segno.make(begun.address, error="m").svg_inline(scale=4, border=4, light="white", title=""))  # noqa: S704  # nosec - drawn by segno from an address of ours
    page = render_template("second_app.html", begun=begun, picture=picture, errors=errors, first=first)
    return page, 422 if errors else 200


@blueprint.get("/second-factor")
def mine() -> ResponseReturnValue:
    """What I have set up."""
    return _mine({}, 200)


def _mine(errors: dict[str, str], status: int) -> ResponseReturnValue:
    ctx, _ = site()
    with ctx.store.read() as work:
        library = work.libraries.get(g.person.library_id)
    kept = second_factors.kept(ctx, g.person)
    return render_template("second_factor.html", kept=kept, library=library, errors=errors), status


@blueprint.route("/second-factor/app", methods=["GET", "POST"])
def app() -> ResponseReturnValue:
    """Set up an app that shows codes."""
    return _app_page(g.person, url_for("second.mine"), None, first=False)


@blueprint.post("/second-factor/<int:factor_id>/remove")
def remove(factor_id: int) -> ResponseReturnValue:
    """Take one of my factors away; asks for the password again."""
    ctx, _ = site()
    try:
        second_factors.remove(ctx, g.person, factor_id, request.form.get("password", ""))
    except Invalid as error:
        return _mine({f"password-{factor_id}": error.fields["password"]}, 422)
    return redirect(url_for("second.mine"), 303)


@blueprint.post("/second-factor/codes")
def codes() -> ResponseReturnValue:
    """New recovery codes; asks for the password again."""
    ctx, _ = site()
    try:
        fresh = second_factors.new_codes(ctx, g.person, request.form.get("password", ""))
    except Invalid as error:
        return _mine({"password-codes": error.fields["password"]}, 422)
    return render_template("recovery_codes.html", codes=fresh, target=url_for("second.mine"))
