"""Makes a Flask app with everything both apps share."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

import structlog
from flask import Flask, Response, current_app, g, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFError, CSRFProtect
from markupsafe import Markup
from werkzeug.middleware.proxy_fix import ProxyFix

from delivery import formats
from delivery.people import Library, Person
from delivery.services import accounts
from delivery.services.context import Context
from delivery.texts import LANGUAGES, Texts
from delivery.web.shell.given import guard
from delivery.web.shell.problems import register_problems
from delivery.web.shell.settings import WebSettings
from drm.decisions import Outcome
from drm.pdf.notes import note_sentences, note_texts
from drm.reasons import FALLBACK, says
from drm.security_keys import KeySite

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import WSGIApplication

HERE = Path(__file__).parents[1]
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PRIVATE = "private, no-store"
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
FORM_BYTES = 1024 * 1024


class _Sessions(SecureCookieSessionInterface):
    """Flask's signed cookies, signed with SHA-256 instead of SHA-1."""

    digest_method = staticmethod(hashlib.sha256)


class _App(Flask):
    """Flask, which would write an error's words and the path, tokens and all, to a log of its own."""

    def log_exception(self, exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None]) -> None:
        """An error that no handler of ours turned into an answer: of what kind, and at which of our addresses."""
        kind = exc_info[0].__name__ if exc_info[0] else ""
        structlog.get_logger().error("request.broken", app=self.name, endpoint=request.endpoint, error=kind)


def trusted_hosts(settings: WebSettings) -> list[str]:
    """The hosts that a request may name: ours, and this machine's own names."""
    return sorted({urlsplit(settings.base_url).hostname or "127.0.0.1", *LOOPBACK})


def make_app(
    name: str,
    ctx: Context,
    settings: WebSettings,
    templates: Path | None = None,
    way: Callable[[WSGIApplication], WSGIApplication] | None = None,
) -> Flask:
    """A Flask app with sessions, languages, CSRF, headers, limits and error pages.

    ``way`` goes around it, inside of what knows the proxies: there a request's address is the reader's.
    """
    app = _App(name, template_folder=str(templates or HERE / "templates"), static_folder=str(HERE / "static"))
    app.config.update(
        SECRET_KEY=settings.session_key,
        SESSION_COOKIE_NAME=settings.cookie,
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        MAX_CONTENT_LENGTH=FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=FORM_BYTES,
        MAX_FORM_PARTS=200,
        TRUSTED_HOSTS=trusted_hosts(settings),
        TESTING=settings.testing,
        WTF_CSRF_TIME_LIMIT=None,
        # Over TLS it would ask for the Referer, which the policy of our own pages keeps every browser from sending.
        WTF_CSRF_SSL_STRICT=False,
        RATELIMIT_ENABLED=not settings.testing,
    )
    app.session_interface = _Sessions()
    app.jinja_env.add_extension("jinja2.ext.i18n")
    if way is not None:
        app.wsgi_app = way(app.wsgi_app)  # type: ignore[method-assign,assignment]
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, settings.proxies, settings.proxies, settings.proxies)  # type: ignore[method-assign]
    app.extensions["csrf_protect"] = CSRFProtect(app)
    app.extensions["rushlight_limiter"] = Limiter(
        get_remote_address,
        app=app,
        storage_uri=settings.limits_url or "memory://",
        storage_options={"socket_connect_timeout": 1, "socket_timeout": 1} if settings.limits_url else {},
        strategy="fixed-window",
        # Without its Redis each process counts by itself: nobody is locked out because a counter is away.
        in_memory_fallback_enabled=bool(settings.limits_url),
        swallow_errors=bool(settings.limits_url),
        key_prefix=name,
    )
    app.extensions["rushlight"] = (ctx, settings)
    app.before_request(_only_our_forms)
    app.before_request(_begin)
    guard(app)
    app.after_request(_headers)
    app.context_processor(_for_templates)
    _teach_templates(app)
    register_problems(app)
    return app


def key_site() -> KeySite | None:
    """For whom security keys prove somebody; None for an address without a host name, where browsers have none."""
    _, settings = site()
    parts = urlsplit(settings.base_url)
    host = parts.hostname or ""
    if not host or ":" in host or host.replace(".", "").isdigit():
        return None
    return KeySite(host, f"{parts.scheme}://{parts.netloc}")


def limit_attempts(app: Flask, endpoint: str, counts_failures: bool = False) -> None:
    """Let one address try a form only so often, and all together only so often.

    Where the use case itself ``counts_failures`` of each address, those who succeed are not counted: behind one address a
    whole campus may sign in.
    """
    limiter, settings = app.extensions["rushlight_limiter"], app.extensions["rushlight"][1]
    view = app.view_functions[endpoint]
    if not counts_failures:
        view = limiter.limit(settings.form_limit, methods=["POST"])(view)
    view = limiter.limit(settings.overall_limit, key_func=lambda: "all", methods=["POST"])(view)
    app.view_functions[endpoint] = view


def site() -> tuple[Context, WebSettings]:
    """The use cases' context and the settings of the app that serves now."""
    return cast("tuple[Context, WebSettings]", current_app.extensions["rushlight"])


def new_request_id() -> str:
    """What an answer is called, in the log and to people who ask about it."""
    return secrets.token_hex(8)


def _only_our_forms() -> None:
    """A form with a good token must be of this very site as well, where the browser says of which it is."""
    if g.get("csrf_valid") and request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        raise CSRFError("The form is another site's.")


def _begin() -> None:
    ctx, settings = site()
    g.request_id = new_request_id()
    g.person = None
    if request.endpoint == "static":
        return
    g.person = accounts.who(ctx, settings.app, str(session.get("secret", "")))
    wished = request.args.get("lang", "")
    if wished in LANGUAGES:
        session["lang"] = wished
        if g.person is not None and g.person.language != wished:
            g.person = accounts.change_language(ctx, g.person, wished)
    g.language = _language(settings)


def _language(settings: WebSettings) -> str:
    chosen = session.get("lang")
    if chosen in LANGUAGES:
        return str(chosen)
    person: Person | None = g.person
    if person is not None and person.language in LANGUAGES:
        return person.language
    return request.accept_languages.best_match(["en", "zh", "zh-CN", "zh-TW", "zh-HK"], settings.language)[:2]


def _headers(response: Response) -> Response:
    _, settings = site()
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CSP)
    for name, value in protection(settings):
        headers[name] = value
    headers["X-Request-Id"] = g.get("request_id", "")
    if request.endpoint == "static":
        headers["Cache-Control"] = "public, max-age=31536000, immutable" if "v" in request.args else "no-cache"
    else:
        headers.setdefault("Cache-Control", PRIVATE)
    return response


def protection(settings: WebSettings) -> tuple[tuple[str, str], ...]:
    """The headers that every answer has, but for the policy of its content and its number."""
    fixed = (
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), interest-cohort=()"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    )
    return (*fixed, ("Strict-Transport-Security", "max-age=31536000")) if settings.secure else fixed


def _for_templates() -> dict[str, object]:
    texts = Texts.for_language(g.get("language", "en"))
    return {
        "person": g.get("person"),
        "language": g.get("language", "en"),
        "_": texts.gettext,
        "gettext": texts.gettext,
        "ngettext": texts.ngettext,
        "asset": _asset,
        "other_language": _other_language(),
    }


def _other_language() -> str:
    """This page in the other language; the query is kept."""
    other = "en" if g.get("language", "en") == "zh" else "zh"
    if request.endpoint is None or request.method != "GET":
        return f"/?lang={other}"
    # Anybody chooses the names in a query: none of them may become an argument of url_for().
    asked = urlencode({**request.args.to_dict(), "lang": other}, errors="replace")
    return f"{url_for(request.endpoint, **(request.view_args or {}))}?{asked}"


@lru_cache(maxsize=32)
def _digest(name: str) -> str:
    return hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]


def _asset(name: str) -> str:
    return url_for("static", filename=name, v=_digest(name))


def _teach_templates(app: Flask) -> None:
    def zone(library: Library | None) -> object:
        return library.zone if library is not None else ZoneInfo("UTC")

    app.jinja_env.filters.update(
        long_time=lambda at, library: formats.long_time(at, zone(library), g.language) if at else "",  # type: ignore[arg-type]
        short_time=lambda at, library: formats.short_time(at, zone(library), g.language) if at else "",  # type: ignore[arg-type]
        day=lambda at, library: formats.day(at.astimezone(zone(library)), g.language),
        left=lambda left: formats.time_left(left, g.language),
        lasting=lambda span: formats.lasting(span, g.language),
        size=formats.size,
        number=lambda value: formats.count(value, g.language),
        tongue=formats.tongue,
        dashed=lambda pages: formats.dashed(str(pages), g.language),
        note_texts=lambda codes: note_texts((code for code in codes if code in note_sentences()), g.language),
        says=lambda code: says(str(code), g.language),
        outcome=lambda outcome: FALLBACK[Outcome(outcome)][g.language.startswith("zh")],
        lines=lambda text: Markup("<br>").join(str(text).splitlines()),
    )
