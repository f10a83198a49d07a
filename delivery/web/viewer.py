"""The page viewer, for agreements that forbid a file. It works without script; keys turn pages where there is one."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from delivery.copies import Delivery
from delivery.services import downloading, viewing
from delivery.web.shell.shell import site

blueprint = Blueprint("viewer", __name__)
WIDTH = 1000


def _delivery(secret: str) -> tuple[Delivery | None, str]:
    """The copy behind a window that may be looked at now, with the link's token for the way back."""
    ctx, _ = site()
    download, token = downloading.find_download(ctx, secret, request.remote_addr or "", request.method != "HEAD")
    return (download.delivery if download else None), token


@blueprint.get("/v/<secret>")
def page(secret: str) -> ResponseReturnValue:
    """One page of the copy, with the ways to the others."""
    ctx, _ = site()
    delivery, token = _delivery(secret)
    if delivery is None:
        return redirect(url_for("links.landing", token=token), 303)
    if not viewing.is_view_only(delivery):
        return redirect(url_for("links.window", secret=secret, name=delivery.filename), 303)
    number = min(max(1, request.args.get("page", 1, int)), delivery.pages)
    leaf = viewing.leaf(ctx, delivery, number, request.args.get("width", WIDTH, int))
    with ctx.store.read() as work:
        asked = work.requests.get(delivery.request)
        library = work.libraries.get(delivery.library_id)
    shown = render_template(
        "viewer.html", leaf=leaf, delivery=delivery, asked=asked, library=library, secret=secret, token=token
    )
    return shown, 200, {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}


@blueprint.get("/v/<secret>/<int:number>-<int:width>.png")
def picture(secret: str, number: int, width: int) -> ResponseReturnValue:
    """The picture of one page. The stamp is in it."""
    ctx, _ = site()
    delivery, token = _delivery(secret)
    if delivery is None or not viewing.is_view_only(delivery):
        return redirect(url_for("links.landing", token=token), 303)
    return Response(viewing.picture(ctx, delivery, number, width), mimetype="image/png")
