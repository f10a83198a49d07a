"""The start page and what stands still."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from delivery.web.shell.shell import site

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """Readers go to the form; strangers learn what this is."""
    if g.person is not None:
        return redirect(url_for("asking.form"))
    ctx, _ = site()
    with ctx.store.read() as work:
        libraries = work.libraries.all()
    return render_template("start.html", libraries=libraries)


@blueprint.get("/healthz")
def health() -> ResponseReturnValue:
    """Whether the app can read its database."""
    ctx, _ = site()
    with ctx.store.read() as work:
        work.libraries.all()
    return {"status": "ok"}
