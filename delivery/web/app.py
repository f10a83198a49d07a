"""The reader app."""

from __future__ import annotations

from functools import partial

from flask import Flask

from delivery.services.context import Context
from delivery.web import accounts, api, asking, links, log, openid, pages, requests, viewer
from delivery.web.shell.settings import WebSettings
from delivery.web.shell.shell import limit_attempts, make_app
from delivery.web.short_way import SENT, Hear, ShortWay


def create_reader_app(ctx: Context, settings: WebSettings) -> Flask:
    """The app that readers use."""
    heard: list[Hear] = []
    app = make_app("reader", ctx, settings, way=partial(ShortWay, ctx, settings, heard))
    app.extensions[SENT] = heard
    csrf = app.extensions["csrf_protect"]
    for blueprint in (
        pages.blueprint,
        accounts.blueprint,
        accounts.registering,
        openid.blueprint,
        asking.blueprint,
        requests.blueprint,
        links.blueprint,
        viewer.blueprint,
        log.blueprint,
        api.blueprint,
    ):
        app.register_blueprint(blueprint)
    # The link page needs no cookie: its form carries a signed nonce instead. The API has bearer tokens.
    csrf.exempt(links.blueprint)
    csrf.exempt(api.blueprint)
    # Nobody is signed in who witnesses or is witnessed: the checkpoint's signature says whose it is.
    csrf.exempt(log.blueprint)
    limiter = app.extensions["rushlight_limiter"]
    limit_attempts(app, "accounts.sign_in", counts_failures=True)
    for name in ("registering.register", "accounts.forgot", "accounts.reset"):
        limit_attempts(app, name)
    app.view_functions["log.witness"] = limiter.limit("120 per minute")(app.view_functions["log.witness"])
    app.view_functions["links.check"] = limiter.limit("60 per minute")(app.view_functions["links.check"])
    return app
