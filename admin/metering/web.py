"""What operators' tools ask the staff app for: figures, and whether this process can serve. And a log line for each request."""

from __future__ import annotations

import hmac
import time
from functools import partial

import structlog
from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST
from structlog.contextvars import bind_contextvars, clear_contextvars

from admin.metering.meters import Meters
from admin.metering.waiting import Waiting
from admin.readiness import troubles
from admin.settings import Settings
from delivery.errors import NotFound
from delivery.services.context import Context
from delivery.web.short_way import SENT

OPEN_TO_TOOLS = frozenset({"health", "ready", "metrics"})
QUIET = frozenset({"static", *OPEN_TO_TOOLS})


def watch(app: Flask, meters: Meters) -> None:
    """Time each request of an app, and write it to the process log under its id: no address, no path, nobody's name."""

    def tell(endpoint: str, method: str, status: int, seconds: float) -> None:
        meters.http_seconds.labels(app.name, endpoint, method, f"{status // 100}xx").observe(seconds)
        if endpoint not in QUIET:
            structlog.get_logger().info(
                "request", app=app.name, endpoint=endpoint, method=method, status=status, ms=round(seconds * 1000, 1)
            )

    def begin() -> None:
        clear_contextvars()
        g.began = time.perf_counter()

    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.get("began", time.perf_counter())
        method = request.method if request.endpoint else "none"
        tell(request.endpoint or "none", method, response.status_code, seconds)
        return response

    def bind() -> None:
        bind_contextvars(request=g.request_id)

    app.before_request_funcs.setdefault(None, []).insert(0, begin)
    app.before_request(bind)
    app.after_request(end)
    if SENT in app.extensions:  # files pass the app by
        app.extensions[SENT].append(partial(tell, "links.window"))


def add_tools(app: Flask, ctx: Context, settings: Settings, meters: Meters) -> None:
    """``/healthz``, ``/readyz``, and ``/metrics`` for who knows the token."""

    def ready() -> ResponseReturnValue:
        found = troubles(ctx, settings)
        return {"status": "wait" if found else "ok", "troubles": found}, 503 if found else 200

    def metrics() -> ResponseReturnValue:
        token = settings.metrics_token.get_secret_value()
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token or not hmac.compare_digest(given.encode(), token.encode()):
            raise NotFound("not-found", "There is no such page.")
        return Response(meters.text(Waiting(ctx)), content_type=CONTENT_TYPE_LATEST)

    app.add_url_rule("/healthz", "health", lambda: {"status": "ok"})
    app.add_url_rule("/readyz", "ready", ready)
    app.add_url_rule("/metrics", "metrics", metrics)
