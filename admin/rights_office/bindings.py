"""The page on which a rights officer says where agreements hold."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from delivery.errors import Invalid, NotFound
from delivery.services import binding
from delivery.web.shell.shell import site

blueprint = Blueprint("bindings", __name__, url_prefix="/rights/where")
BIND = {"source": binding.bind_source, "library": binding.bind_library}


@blueprint.get("")
def listed() -> ResponseReturnValue:
    """All sources and libraries with their agreements."""
    return _page({}, 200)


def _page(errors: dict[str, str], status: int) -> ResponseReturnValue:
    ctx, _ = site()
    found = binding.bindings(ctx, g.person)
    return render_template("bindings.html", found=found, errors=errors), status


@blueprint.post("/<kind>/<name>")
def bind(kind: str, name: str) -> ResponseReturnValue:
    """Keep the agreements of one source or library."""
    ctx, _ = site()
    if kind not in BIND:
        raise NotFound("unknown-act", "There is no such act.")
    try:
        BIND[kind](ctx, g.person, name, request.form.getlist("agreements"))
    except Invalid as error:
        return _page(dict(error.fields), 422)
    return redirect(url_for("bindings.listed"), 303)
