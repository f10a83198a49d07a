"""Signing in and out, registering, new passwords."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from delivery.errors import Conflict, Invalid, NotAllowed, Unavailable
from delivery.services import accounts
from delivery.services.accounts import SignedIn
from delivery.web.guards import safe_next
from delivery.web.shell.shell import site

blueprint = Blueprint("accounts", __name__)
registering = Blueprint("registering", __name__)


def begin_session(signed_in: SignedIn) -> None:
    """A new session for a fresh sign-in: nothing of the old one is kept but the language."""
    language = session.get("lang")
    session.clear()
    session["secret"] = signed_in.secret
    session.permanent = True
    if language:
        session["lang"] = language


def complete_session(signed_in: SignedIn) -> None:
    """A new session for a sign-in whose other half is proved now: that its first half came by a provider stays known."""
    outside = bool(session.get("openid"))
    begin_session(signed_in)
    if outside:
        session["openid"] = True


def enter(signed_in: SignedIn, target: str) -> ResponseReturnValue:
    """Go on to where somebody wanted to, over the second factor where one is needed."""
    begin_session(signed_in)
    if not signed_in.needs:
        return redirect(target, 303)
    # Only half let in: this secret opens no page but the one that asks for the rest.
    session["half"], session["target"] = session.pop("secret"), target
    return redirect("/sign-in/second", 303)


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """The sign-in page."""
    ctx, settings = site()
    target = safe_next(request.values.get("next", "/"))
    failed = False
    if request.method == "POST":
        try:
            email, password = request.form.get("email", ""), request.form.get("password", "")
            return enter(accounts.sign_in(ctx, settings.app, email, password, request.remote_addr or ""), target)
        except NotAllowed:
            failed = True
    outside = ctx.settings.outside if settings.app in ctx.settings.outside.apps else None
    page = render_template(
        "sign_in.html",
        target=target,
        failed=failed,
        email=request.form.get("email", ""),
        app=settings.app,
        outside=outside,
    )
    return page, 403 if failed else 200


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    ctx, settings = site()
    if g.person is not None:
        accounts.sign_out(ctx, str(session.get("secret", "")), g.person)
    outside, language = bool(session.get("openid")), session.get("lang")
    session.clear()
    if language:
        session["lang"] = language
    leave = _leave(settings.base_url) if outside else ""
    if leave:
        g.person = None
        return render_template("signed_out.html", leave=leave, app=settings.app)
    return redirect("/", 303)


def _leave(back: str) -> str:
    """Where to sign out at the provider too; "" when it does not say, or does not answer: here it is done."""
    ctx, _ = site()
    try:
        return ctx.provider.leave(back.rstrip("/") + "/") if ctx.provider is not None else ""
    except (Unavailable, NotAllowed):
        return ""


@registering.route("/register", methods=["GET", "POST"])
def register() -> ResponseReturnValue:
    """A reader registers; the mail decides."""
    ctx, _ = site()
    with ctx.store.read() as work:
        libraries = work.libraries.all()
    errors: dict[str, str] = {}
    if request.method == "POST":
        form = request.form
        try:
            accounts.register(ctx, form.get("library", ""), form.get("name", ""), form.get("email", ""), g.language)
            return render_template("mailed.html", what="confirm")
        except Invalid as error:
            errors = error.fields
    return render_template(
        "register.html", libraries=libraries, errors=errors, given=request.form
    ), 422 if errors else 200


@registering.route("/confirm/<token>", methods=["GET", "POST"])
def confirm(token: str) -> ResponseReturnValue:
    """Confirm an address and set the password. Opening the link shows a form; only sending it confirms, so that mail
    scanners do nothing."""
    ctx, _ = site()
    errors: dict[str, str] = {}
    try:
        if request.method == "POST":
            try:
                begin_session(accounts.confirm(ctx, token, request.form.get("password", "")))
                return redirect(url_for("asking.form"), 303)
            except Invalid as error:
                errors = error.fields
        accounts.read_mailed_token(ctx, "confirm", token)
    except Conflict:
        return render_template("mailed_over.html"), 410
    return render_template("confirm.html", errors=errors), 422 if errors else 200


@blueprint.route("/forgot", methods=["GET", "POST"])
def forgot() -> ResponseReturnValue:
    """Ask for a new password."""
    ctx, _ = site()
    if request.method == "POST":
        accounts.forgot_password(ctx, request.form.get("email", ""))
        return render_template("mailed.html", what="reset")
    return render_template("forgot.html")


@blueprint.route("/reset/<token>", methods=["GET", "POST"])
def reset(token: str) -> ResponseReturnValue:
    """Set a new password."""
    ctx, _ = site()
    errors: dict[str, str] = {}
    try:
        if request.method == "POST":
            try:
                accounts.reset_password(ctx, token, request.form.get("password", ""))
                return redirect(url_for("accounts.sign_in"), 303)
            except Invalid as error:
                errors = error.fields
        accounts.read_mailed_token(ctx, "reset", token)
    except Conflict:
        return render_template("mailed_over.html"), 410
    return render_template("reset.html", errors=errors), 422 if errors else 200
