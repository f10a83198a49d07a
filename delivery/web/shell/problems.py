"""The one place that turns errors into pages for people or problem documents (RFC 9457) for programs."""

from __future__ import annotations

import secrets
import sys
from datetime import timedelta

import structlog
from flask import Flask, Response, g, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from delivery.errors import (
    Conflict,
    DeliveryError,
    Invalid,
    NotAllowed,
    NotFound,
    StorageFull,
    TooFast,
    Unavailable,
    Unreadable,
)

STATUS: tuple[tuple[type[DeliveryError], int], ...] = (
    (NotFound, 404),
    (NotAllowed, 403),
    (Unreadable, 400),
    (Invalid, 422),
    (Conflict, 409),
    (TooFast, 429),
    (StorageFull, 507),
    (Unavailable, 503),
    (DeliveryError, 422),
)


def register_problems(app: Flask) -> None:
    """Let every error end here."""
    app.register_error_handler(DeliveryError, _ours)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _ours(error: DeliveryError) -> Response:
    status = next(number for kind, number in STATUS if isinstance(error, kind))
    return problem(status, error.code, error.text, error)


def _stale_form(error: CSRFError) -> Response:
    return problem(400, "stale-form", "The form is too old. Load the page again and send it once more.")


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if isinstance(error, SecurityError):
        # The host is not ours, so no address of ours can be built for a page.
        return Response("This address is not served here.\n", 400, mimetype="text/plain")
    response = problem(status, f"http-{status}", error.name)
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(allowed)
    return response


def _unexpected(error: Exception) -> Response:
    incident = secrets.token_hex(4)
    structlog.get_logger().error(
        "request.failed", incident=incident, error=type(error).__name__, path=request.path, exc_info=None
    )
    if request.environ.get("rushlight.show_errors"):
        raise error
    sys.stderr.flush()
    return problem(500, "our-fault", "Something went wrong that is our fault.", incident=incident)


def problem(status: int, code: str, text: str, error: DeliveryError | None = None, incident: str = "") -> Response:
    """An error as the client wants to have it. Nothing of our insides is shown."""
    wants_json = request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json"
    if wants_json:
        body: dict[str, object] = {"type": "about:blank", "title": text, "status": status, "code": code}
        if isinstance(error, Invalid):
            body["errors"] = error.fields
        if incident:
            body["incident"] = incident
        response = jsonify(body)
        response.mimetype = "application/problem+json"
    else:
        if "language" not in g:
            g.language = "en"
        response = _page(status, code, text, error, incident)
    response.status_code = status
    if isinstance(error, Unavailable | TooFast):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _page(status: int, code: str, text: str, error: DeliveryError | None, incident: str) -> Response:
    try:
        page = render_template(
            "problem.html",
            status=status,
            code=code,
            incident=incident,
            fields=getattr(error, "fields", {}),
            wait=timedelta(seconds=getattr(error, "retry_after", 0)),
        )
    except Exception as failed:  # noqa: BLE001 - what broke a page may break the page that tells of it as well
        structlog.get_logger().error("problem.failed", incident=incident, error=type(failed).__name__)
        said = f"{text} ({code})\n{f'Incident number: {incident}' if incident else ''}\n"
        return Response(said, mimetype="text/plain")
    return Response(page, mimetype="text/html")
