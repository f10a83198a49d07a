"""Signing in by the provider of one's own institution."""

from __future__ import annotations

import hmac

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from delivery.errors import NotAllowed, NotFound
from delivery.identity import IdentityProvider
from delivery.services import arriving
from delivery.web.accounts import enter
from delivery.web.guards import safe_next
from delivery.web.shell.shell import site

blueprint = Blueprint("openid", __name__, url_prefix="/sign-in/openid")
ENDPOINTS = frozenset({"openid.start", "openid.back"})
KEPT = "openid_started"


def _provider() -> IdentityProvider:
    ctx, settings = site()
    if ctx.provider is None or settings.app not in ctx.settings.outside.apps:
        raise NotFound("not-found", "There is no such page.")
    return ctx.provider


def _back() -> str:
    _, settings = site()
    return settings.base_url.rstrip("/") + url_for("openid.back")


@blueprint.get("")
def start() -> ResponseReturnValue:
    """Go to the provider; what is needed when the browser comes back stays in its session."""
    started = _provider().start(_back())
    target = safe_next(request.args.get("next", "/"))
    session[KEPT] = [started.state, started.nonce, started.verifier, target]
    return redirect(started.address, 303)


@blueprint.get("/back")
def back() -> ResponseReturnValue:
    """The browser comes back with a code. Only the one that set out, once, is let in."""
    ctx, settings = site()
    provider = _provider()
    state, nonce, verifier, target = session.pop(KEPT, None) or ["", "", "", "/"]
    given = request.args
    try:
        if not state or not hmac.compare_digest(state.encode(), given.get("state", "").encode()):
            raise NotAllowed("openid-stale", "This sign-in was not begun here, or was used.")
        if given.get("iss", provider.issuer) != provider.issuer or not given.get("code"):
            raise NotAllowed("openid-failed", "The provider let nobody in.")
        claims = provider.finish(given["code"], _back(), nonce, verifier)
        answer = enter(arriving.arrive(ctx, settings.app, provider.issuer, claims, g.language), target)
    except NotAllowed as refused:
        return render_template("openid_failed.html", code=refused.code, app=settings.app), 403
    session["openid"] = True
    return answer
