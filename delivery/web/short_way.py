"""The short way to a file: past sessions, languages, forms and pages, of which a request within an open window needs nothing.

A viewer asks for a copy in dozens of ranges. What decides is asked each time, as on the long way and by the same functions: the host,
the window, the state of the copy, the network. Whatever is not a file to send goes on to the app, which has words for it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from flask import Response
from structlog.contextvars import bind_contextvars, clear_contextvars
from werkzeug.exceptions import SecurityError
from werkzeug.wrappers import Request

from delivery.errors import DeliveryError
from delivery.services import downloading, viewing
from delivery.services.context import Context
from delivery.web.links import send
from delivery.web.shell.settings import WebSettings
from delivery.web.shell.shell import PRIVATE, new_request_id, protection, trusted_hosts

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

WINDOW = re.compile(r"/w/([^/]+)/[^/]+")
METHODS = frozenset({"GET", "HEAD"})


SENT = "rushlight_sent"
"""Among an app's extensions: who is told of files that went the short way."""

Hear = Callable[[str, int, float], None]
"""Is told of an answer: the method, the status and the seconds until it began."""


class ShortWay:
    """WSGI: answers requests for files, and hands all others to ``further``. Whoever is in ``heard`` then is told of each answer."""

    def __init__(self, ctx: Context, settings: WebSettings, heard: Sequence[Hear], further: WSGIApplication) -> None:
        self._heard = heard
        self._ctx = ctx
        self._settings = settings
        self._further = further
        self._hosts = trusted_hosts(settings)
        # on the cookie depends whatever the app answers, and what a file's address answers later
        self._protection = [*protection(settings), ("Cache-Control", PRIVATE), ("Vary", "Cookie")]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI."""
        found = WINDOW.fullmatch(environ.get("PATH_INFO", ""))
        if found is None or environ["REQUEST_METHOD"] not in METHODS or environ.get("QUERY_STRING"):
            return self._further(environ, start_response)
        began, number = time.perf_counter(), new_request_id()
        clear_contextvars()
        bind_contextvars(request=number)
        answer = self._file(Request(environ), found[1], number)
        if answer is None:
            return self._further(environ, start_response)
        for hear in self._heard:
            hear(environ["REQUEST_METHOD"], answer.status_code, time.perf_counter() - began)
        return answer(environ, start_response)

    def _file(self, request: Request, secret: str, number: str) -> Response | None:
        """The file that this request may have; None where there is anything to say instead."""
        request.trusted_hosts = self._hosts
        try:
            _ = request.host  # SecurityError for a host that is not ours
            counts = request.method != "HEAD"
            download, _ = downloading.find_download(self._ctx, secret, request.remote_addr or "", count=counts)
            if download is None or viewing.is_view_only(download.delivery):
                return None
            answer = send(download, request, self._ctx, self._settings)
        except (SecurityError, DeliveryError):
            return None
        answer.headers.extend([*self._protection, ("X-Request-Id", number)])
        return answer
