"""Registering a security key, and proving a sign-in by one."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from admin.second_factor.views import blueprint, half_sign_in, prove_page, where_to
from delivery.errors import Invalid
from delivery.services import security_keys
from delivery.web.accounts import complete_session
from delivery.web.shell.shell import key_site, site


@blueprint.post("/sign-in/second/key")
def by_key() -> ResponseReturnValue:
    """Complete a sign-in by a key."""
    ctx, _ = site()
    half, person = half_sign_in()
    there = key_site()
    if person is None or there is None:
        return redirect(url_for("accounts.sign_in"), 303)
    target, form = where_to(), request.form
    try:
        complete_session(
            security_keys.finish_by_key(ctx, there, half, form.get("enrolment", ""), form.get("answer", ""))
        )
    except Invalid as error:
        return prove_page(person, error.fields)
    return redirect(target, 303)


@blueprint.route("/second-factor/key", methods=["GET", "POST"])
def new_key() -> ResponseReturnValue:
    """Register a key."""
    ctx, settings = site()
    there = key_site()
    if there is None:
        return render_template("second_key.html", offer=None, errors={}, host=urlsplit(settings.base_url).hostname)
    errors: dict[str, str] = {}
    if request.method == "POST":
        form = request.form
        given = form.get("enrolment", ""), form.get("answer", ""), form.get("label", "")[:100]
        try:
            codes = security_keys.enrol_key(ctx, there, g.person, *given)
            if not codes:
                return redirect(url_for("second.mine"), 303)
            return render_template("recovery_codes.html", codes=codes, target=url_for("second.mine"))
        except Invalid as error:
            errors = error.fields
    offer = security_keys.offer(ctx, there, g.person)
    return render_template("second_key.html", offer=offer, errors=errors), 422 if errors else 200
