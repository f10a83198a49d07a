"""Links: the landing page, opening, the download window, the check page."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Request

from delivery.errors import Conflict
from delivery.filenames import content_disposition
from delivery.outgoing import Outgoing, Part
from delivery.services import copy_reading, downloading, notices, viewing
from delivery.services.context import Context
from delivery.services.copy_reading import Download
from delivery.services.downloading import LinkState, LinkView, Opened
from delivery.web.shell.ranges import Multipart, Slice, Unsatisfiable, wanted
from delivery.web.shell.settings import WebSettings
from delivery.web.shell.shell import site

blueprint = Blueprint("links", __name__)
DEVICE = "rushlight_device"
DEVICE_LIFE = 400 * 24 * 3600
GONE = {
    LinkState.EXPIRED: 410,
    LinkState.REVOKED: 410,
    LinkState.REPLACED: 410,
    LinkState.USED_UP: 410,
    LinkState.UNKNOWN: 404,
}


@blueprint.get("/d/<token>")
def landing(token: str) -> ResponseReturnValue:
    """What the link is, whatever asks: nothing is counted, scanners and previews use nothing up."""
    ctx, _ = site()
    if downloading.is_machine(request.method, dict(request.headers)):
        downloading.machine_hit(ctx, token)
        return _page(downloading.look(ctx, token), token)
    return _page(downloading.look(ctx, token, request.remote_addr or ""), token)


def _page(view: LinkView, token: str) -> ResponseReturnValue:
    ctx, _ = site()
    now = ctx.clock()
    page = render_template(
        "landing.html" if view.state is LinkState.LIVE else "ended.html",
        view=view,
        token=token,
        now=now,
        states=LinkState,
        duties=_duties(view),
    )
    return page, GONE.get(view.state, 200), {"X-Robots-Tag": "noindex, nofollow"}


def _duties(view: LinkView) -> tuple[str, ...]:
    codes = view.delivery.terms.get("notice_codes") if view.delivery else ()
    return notices.texts([str(code) for code in codes], g.language) if isinstance(codes, list) else ()


@blueprint.post("/d/<token>")
def open_link(token: str) -> ResponseReturnValue:
    """Count one open and lead to the download window."""
    ctx, _ = site()
    view = downloading.look(ctx, token, request.remote_addr or "")
    if view.needs_sign_in and g.person is None:
        return redirect(url_for("accounts.sign_in", next=url_for("links.landing", token=token)), 303)
    bound = view.delivery is not None and bool(view.delivery.terms.get("same_device"))
    nonce = request.form.get("nonce", "")
    device = request.cookies.get(DEVICE) or (downloading.device_of(ctx, nonce) if bound else "")
    try:
        opened = downloading.open_window(ctx, token, nonce, g.person, device)
    except Conflict as conflict:
        if conflict.code == "other-device":
            raise
        return _page(downloading.look(ctx, token), token)
    answer = redirect(address_of(opened), 303)
    if bound:
        secure = request.is_secure
        answer.set_cookie(DEVICE, device, max_age=DEVICE_LIFE, httponly=True, samesite="Lax", secure=secure)
    return answer


def address_of(opened: Opened) -> str:
    """Where a window leads: to the file, or to the viewer where the agreement forbids one."""
    if opened.view_only:
        return url_for("viewer.page", secret=opened.secret)
    return url_for("links.window", secret=opened.secret, name=opened.filename)


@blueprint.get("/w/<secret>/<path:name>")
def window(secret: str, name: str) -> ResponseReturnValue:
    """The file, whole or in ranges, as often as wanted while the window is open."""
    ctx, settings = site()
    head = request.method == "HEAD"
    download, token = downloading.find_download(ctx, secret, request.remote_addr or "", count=not head)
    if download is None:
        return redirect(url_for("links.landing", token=token), 303)
    if viewing.is_view_only(download.delivery):
        return redirect(url_for("viewer.page", secret=secret), 303)
    return send(download, request, ctx, settings)


def send(download: Download, request: Request, ctx: Context, settings: WebSettings) -> Response:
    """The answer to a request for a copy: whole, in ranges, by nginx, or the news that it has not changed."""
    head = request.method == "HEAD"
    headers = {
        "Content-Type": "application/pdf",
        "Content-Disposition": content_disposition(download.delivery.filename),
        "Accept-Ranges": "bytes",
        "ETag": download.etag,
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Robots-Tag": "noindex, nofollow",
    }
    # Without a date of change there is nothing to compare If-Unmodified-Since with: it is ignored (RFC 9110, 13.1.4).
    if "If-Match" in request.headers and not request.if_match.contains(download.etag.strip('"')):
        return Response(status=412, headers=headers)
    if request.if_none_match.contains(download.etag.strip('"')):
        return Response(status=304, headers=headers)
    try:
        # Ranges are defined for GET alone; HEAD tells of the whole.
        asked = None if head else request.headers.get("Range")
        parts = wanted(asked, request.headers.get("If-Range"), download.etag, download.size)
    except Unsatisfiable:
        return Response(status=416, headers={**headers, "Content-Range": f"bytes */{download.size}"})
    sent_for_us = _by_nginx(download, asked, parts, request, ctx, settings)
    if sent_for_us:
        del headers["Accept-Ranges"]  # nginx would say it a second time
        return Response(status=200, headers={**headers, "X-Accel-Redirect": sent_for_us})
    if len(parts) > 1:
        return _several(ctx, download, parts, headers)
    part = parts[0] if parts else Slice(0, download.size)
    if parts:
        headers["Content-Range"] = part.content_range(download.size)
    headers["Content-Length"] = str(part.length)
    # An iterator, not b"": from bytes the length would be taken, and HEAD tells the file's.
    body = iter(()) if head else Outgoing(copy_reading.read_parts(ctx, download, part.start, part.length))
    return Response(body, status=206 if parts else 200, headers=headers, direct_passthrough=True)


def _by_nginx(
    download: Download,
    asked: str | None,
    parts: tuple[Slice, ...],
    request: Request,
    ctx: Context,
    settings: WebSettings,
) -> str:
    """Where nginx finds the copy, if it is to send it: the whole or one range, where it would understand the request just as we do.

    A range alone never has the whole written out.
    """
    conditions = {"If-Match", "If-Unmodified-Since"} & set(request.headers.keys())
    if not settings.accel or request.method == "HEAD" or conditions or (asked and len(parts) != 1):
        return ""
    file = copy_reading.copy_file(ctx, download, write=not asked)
    return settings.accel + file.name if file else ""


def _several(ctx: Context, download: Download, parts: tuple[Slice, ...], headers: dict[str, str]) -> Response:
    boundary = f"rushlight-{download.delivery.sha256[:24]}"
    whole = Multipart(parts, download.size, boundary, headers["Content-Type"])
    headers |= {"Content-Type": f"multipart/byteranges; boundary={boundary}", "Content-Length": str(whole.length)}
    # Opened now, so that a vanished file is told before anything is sent.
    first = copy_reading.read_parts(ctx, download, parts[0].start, parts[0].length)

    def open_part(start: int, length: int) -> Iterator[Part]:
        return first if start == parts[0].start else copy_reading.read_parts(ctx, download, start, length)

    return Response(Outgoing(whole.body(open_part)), status=206, headers=headers, direct_passthrough=True)


@blueprint.get("/check/<code>")
def check(code: str) -> ResponseReturnValue:
    """Genuine, withdrawn or unknown, and no more."""
    ctx, _ = site()
    found = downloading.check_copy(ctx, code)
    return render_template("check.html", found=found), 200 if found else 404, {"X-Robots-Tag": "noindex, nofollow"}
