"""How the installation is, what waits, and the letters that no mail server takes."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, current_app, g, render_template
from flask.typing import ResponseReturnValue

from admin.doctor import examine
from admin.operating.letters import letter, letters
from admin.settings import Settings
from delivery.people import Role
from delivery.services.context import require
from delivery.web.shell.shell import site
from drm.audit.events import Event

blueprint = Blueprint("operating", __name__, url_prefix="/operator")


def _installation() -> Settings:
    require(g.person, Role.OPERATOR)
    return cast("Settings", current_app.extensions["rushlight_installation"])


@blueprint.get("")
def status() -> ResponseReturnValue:
    """Every part of the installation, and how much work waits."""
    settings = _installation()
    ctx, _ = site()
    with ctx.store.read() as work:
        jobs = work.jobs.lines(ctx.clock())
        requests = work.requests.waiting(ctx.clock())
    return render_template(
        "operator.html",
        findings=examine(settings, quick=True),
        jobs=jobs,
        requests=requests,
        by_mail=bool(settings.smtp_url),
    )


@blueprint.get("/mail")
def mail() -> ResponseReturnValue:
    """The letters of the mail folder."""
    settings = _installation()
    return render_template("mail_folder.html", letters=() if settings.smtp_url else letters(settings.mail_folder))


@blueprint.get("/mail/<name>")
def one_letter(name: str) -> ResponseReturnValue:
    """One letter. It may hold a link that is somebody's own, so looking at it is logged."""
    settings = _installation()
    found = letter(settings.mail_folder, name)
    ctx, _ = site()
    with ctx.store.write() as work:
        work.record(Event("mail:shown", ctx.clock(), g.person.reader_key, code=found.name[:60]))
    return render_template("letter.html", letter=found)
