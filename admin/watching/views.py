"""Overshared links with a button to withdraw them, and accounts, libraries and tokens that were slowed down."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from delivery.errors import Invalid
from delivery.services import watching
from delivery.watching import AlarmKind
from delivery.web.shell.shell import site

blueprint = Blueprint("watching", __name__, url_prefix="/alarms")


@blueprint.get("")
def listed() -> ResponseReturnValue:
    """All alarms that this person may see, the newest first."""
    return _page({}, 0, 200)


def _page(errors: dict[str, str], wrong: int, status: int) -> ResponseReturnValue:
    ctx, _ = site()
    found = watching.alarms(ctx, g.person)
    with ctx.store.read() as work:
        libraries = {library.id: library for library in work.libraries.all()}
    page = render_template(
        "alarms.html",
        links=[one for one in found if one.alarm.kind is AlarmKind.LINK],
        others=[one.alarm for one in found if one.alarm.kind is not AlarmKind.LINK],
        libraries=libraries,
        library=libraries.get(g.person.library_id),
        hours=ctx.settings.overshared_within,
        errors=errors,
        wrong=wrong,
    )
    return page, status


@blueprint.post("/<int:alarm_id>/withdraw")
def withdraw(alarm_id: int) -> ResponseReturnValue:
    """Withdraw an overshared link at once."""
    ctx, _ = site()
    try:
        watching.withdraw(ctx, g.person, alarm_id, request.form.get("reason", ""))
    except Invalid as error:
        return _page({f"reason-{alarm_id}": code for code in error.fields.values()}, alarm_id, 422)
    return redirect(url_for("watching.listed"), 303)
