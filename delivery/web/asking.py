"""The request form and OpenURL."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from delivery.citation import FIELDS, Citation
from delivery.errors import Invalid
from delivery.openurl import parse_openurl
from delivery.services import notices, pacing, requesting
from delivery.services.allowances import allowances
from delivery.services.requesting import Asked, Outlook
from delivery.web.guards import person, signed_in
from delivery.web.shell.shell import site
from drm.fact_values import PURPOSES

blueprint = Blueprint("asking", __name__)


@blueprint.get("/ask")
@signed_in
def form() -> ResponseReturnValue:
    """The form, filled with what the address brought."""
    ctx, _ = site()
    given = {name: request.args.get(name, "") for name in FIELDS}
    outlook: Outlook | None = None
    citation, errors = Citation.from_fields(given)
    if not errors and any(given.values()) and citation.can_be_found:
        outlook = requesting.preview(ctx, person(), given)
    return _page(given, {}, outlook, request.args.get("repeat", ""))


def _page(given: dict[str, str], errors: Mapping[str, str], outlook: Outlook | None = None, repeat: str = "") -> str:
    ctx, _ = site()
    with ctx.store.read() as work:
        library = work.libraries.get(person().library_id)
    return render_template(
        "ask.html",
        given=given,
        errors=errors,
        outlook=outlook,
        purposes=PURPOSES,
        repeat=repeat,
        library=library,
        allowances=allowances(ctx, person()),
        notices=notices.texts(notices.form_notices(ctx, person()), g.language),
    )


@blueprint.get("/openurl")
def openurl() -> ResponseReturnValue:
    """An OpenURL leads to the filled form, past the sign-in where that is needed."""
    parsed = parse_openurl(request.query_string.decode("latin-1"))
    filled = {name: value for name, value in parsed.citation.to_dict().items() if value}
    return redirect(f"{url_for('asking.form')}?{urlencode(filled)}", 303)


@blueprint.post("/requests")
@signed_in
def send() -> ResponseReturnValue:
    """Take the request; wrong fields come back with what was typed."""
    ctx, _ = site()
    given = {name: request.form.get(name, "") for name in FIELDS}
    asked = Asked(
        given,
        "form",
        request.form.get("purpose", "") if request.form.get("purpose") in PURPOSES else "",
        request.form.get("deliberate") == "yes",
        tuple(request.form.getlist("declaration")[:20]),
        g.language,
        noticed=True,
    )
    try:
        pacing.admit(ctx, pacing.ASK, person())
        submitted = requesting.submit(ctx, person(), asked)
    except Invalid as error:
        return _page(given, error.fields), 422
    if submitted.repeats:
        return render_template(
            "repeat.html", given=given, asked=asked, earlier=submitted.request, delivery=submitted.delivery
        ), 409
    return redirect(url_for("requests.show", number=submitted.request.number), 303)
