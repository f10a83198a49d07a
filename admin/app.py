"""The staff app: desk and rights office, with sign-ins and cookies of its own."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from jinja2 import ChoiceLoader, FileSystemLoader

from admin import desk, operating, rights_office, second_factor, watching
from admin.metering.meters import Meters
from admin.metering.web import OPEN_TO_TOOLS, add_tools
from admin.settings import Settings
from delivery.people import Role
from delivery.services.accounts import who
from delivery.services.context import Context
from delivery.web import accounts, openid
from delivery.web.shell.settings import WebSettings
from delivery.web.shell.shell import FORM_BYTES, HERE, limit_attempts, make_app, site

OPEN_TO_ALL = (
    frozenset({"accounts.sign_in", "accounts.forgot", "accounts.reset", "static"})
    | OPEN_TO_TOOLS
    | second_factor.OPEN_TO_HALF
    | openid.ENDPOINTS
)


def create_staff_app(
    ctx: Context, settings: WebSettings, installation: Settings, meters: Meters | None = None
) -> Flask:
    """The app that librarians, rights officers and operators use."""
    app = make_app("staff", ctx, settings)
    templates = [str(Path(__file__).parent / "templates"), str(HERE / "templates")]
    app.jinja_loader = ChoiceLoader([FileSystemLoader(templates)])
    app.context_processor(lambda: {"staff": True, "Role": Role})
    app.extensions["rushlight_installation"] = installation
    for blueprint in (
        accounts.blueprint,
        openid.blueprint,
        desk.blueprint,
        rights_office.blueprint,
        rights_office.agreements.blueprint,
        rights_office.bindings.blueprint,
        rights_office.privacy.blueprint,
        rights_office.reports.blueprint,
        operating.blueprint,
        watching.blueprint,
        second_factor.blueprint,
    ):
        app.register_blueprint(blueprint)
    for name in ("accounts.sign_in", "second.code", "second.by_key"):
        limit_attempts(app, name, counts_failures=True)
    for name in ("accounts.forgot", "accounts.reset"):
        limit_attempts(app, name)
    # First of all: the check of the form's token reads the form, and with it the file.
    app.before_request_funcs.setdefault(None, []).insert(0, _room_for_files)
    app.before_request(_only_staff)
    app.add_url_rule("/", "start", _start)
    add_tools(app, ctx, installation, meters or Meters())
    return app


def _room_for_files() -> None:
    """A librarian's upload may be as long as the settings say; whatever anybody else sends is a form, and short."""
    if request.endpoint != "desk.upload" or request.method != "POST":
        return
    ctx, settings = site()
    person = who(ctx, settings.app, str(session.get("secret", "")))
    if person is not None and Role.LIBRARIAN in person.roles:
        request.max_content_length = settings.upload_bytes + FORM_BYTES


def _only_staff() -> ResponseReturnValue | None:
    """Deny by default: every page but signing in needs a signed-in member of staff."""
    if request.endpoint in OPEN_TO_ALL or g.person is not None:
        return None
    back = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect(url_for("accounts.sign_in", next=back), 303)


def _start() -> ResponseReturnValue:
    roles = g.person.roles
    if Role.LIBRARIAN in roles:
        return redirect(url_for("desk.queue"))
    return redirect(url_for("rights_office.approvals" if Role.RIGHTS_OFFICER in roles else "operating.status"))
