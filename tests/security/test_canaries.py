"""After a day of use, mistakes and faults included, no secret and nobody's name stands in the process log, the audit log or the figures."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from datetime import timedelta

import structlog
from flask import Flask

from admin.metering.waiting import Waiting
from admin.metering.web import watch
from admin.process_log import start_logging
from admin.settings import Settings
from delivery.document_request import DocumentRequest
from delivery.errors import NotAllowed
from delivery.services import accounts, desk, downloading, linking
from delivery.services.mailing import password_stamp
from delivery.stores import ApiTokenRecord
from tests.delivery.web_test_support import signed_in, token_of
from tests.world import World

SETTINGS = {
    "database_url": "postgresql+psycopg://rushlight:canary-database@127.0.0.1/x",
    "smtp_url": "smtp://rushlight:canary-smtp@127.0.0.1:9",
    "broker_url": "amqp://rushlight:canary-broker@127.0.0.1:9//",
    "s3_secret_key": "canary-bucket-key",
    "oidc_client_secret": "canary-provider-secret",
    "metrics_token": "canary-metrics-token",
}


class Ears:
    """All that a process logs: by structlog as it is set up, and by any other library at its loudest."""

    def __init__(self) -> None:
        self.file = io.StringIO()
        self._before = structlog.get_config()
        start_logging("DEBUG")
        structlog.configure(
            processors=structlog.get_config()["processors"],
            wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
            logger_factory=structlog.PrintLoggerFactory(self.file),
            cache_logger_on_first_use=False,
        )
        self._handler = logging.StreamHandler(self.file)
        self._level = logging.getLogger().level
        logging.getLogger().addHandler(self._handler)
        logging.getLogger().setLevel(logging.INFO)

    def close(self) -> str:
        """Everything that was heard; the logs are as before."""
        logging.getLogger().removeHandler(self._handler)
        logging.getLogger().setLevel(self._level)
        structlog.configure(**self._before)
        return self.file.getvalue()


def faulty(app: Flask) -> Flask:
    """An app one of whose addresses fails with words that nobody should read."""
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def broken(secret: str) -> str:
        raise RuntimeError(f"canary-in-an-error {secret}")

    app.add_url_rule("/v/<secret>/broken", "broken", broken)
    return app


def open_and_withdraw(world: World, app: Flask, requests: Sequence[DocumentRequest]) -> set[str]:
    """Each copy is opened, fetched, failed at, written about and withdrawn; the secrets of it."""
    canaries: set[str] = set()
    for request in requests:
        token = world.ctx.links.sign(request.delivery)
        opened = downloading.open_window(world.ctx, token, downloading.look(world.ctx, token).nonce, None)
        canaries |= {token, opened.secret}
        app.test_client().get(f"/w/{opened.secret}/copy.pdf", environ_overrides={"REMOTE_ADDR": "198.51.100.77"})
        app.test_client().get(f"/v/{opened.secret}/broken", headers={"Referer": f"https://x.example/d/{token}"})
        desk.say(world.ctx, world.reader, request.number, f"canary-message-{request.number}")
        linking.revoke(world.ctx, world.librarian, request.delivery, f"canary-reason-{request.number}")
        canaries |= {f"canary-message-{request.number}", f"canary-reason-{request.number}"}
    return canaries


def use(world: World) -> set[str]:
    """A day of use. Returns the canaries: every secret that was made or typed, and everything that names a person."""
    ctx, canaries = world.ctx, {person.name for person in (world.reader, world.other, world.librarian)}
    canaries |= {person.email for person in (world.reader, world.other, world.librarian, world.officer, world.stranger)}
    apps = {"reader": faulty(world.reader_app()), "staff": world.staff_app()}
    for app in apps.values():
        watch(app, world.services.meters)
    reader, clerk = signed_in(apps["reader"], world.reader), signed_in(apps["staff"], world.librarian)
    for client, name in ((reader, "reader"), (clerk, "staff")):
        cookie = client.get_cookie(f"rushlight_{name}")
        assert cookie is not None
        canaries |= {
            cookie.value,
            token_of(client.get("/ask" if name == "reader" else "/alarms").get_data(as_text=True)),
        }
    form = token_of(reader.get("/ask").get_data(as_text=True))
    titles = [f"canary-title-{place}" for place in range(10)]
    for title in titles:
        reader.post(
            "/requests",
            data={"csrf_token": form, "title": title, "doi": "10.5555/lantern.2021.0001", "deliberate": "yes"},
        )
    reader.post("/requests", data={"csrf_token": form, "doi": "canary-doi", "title": "canary-typed"})
    reader.get("/ask?title=canary-query&authors=canary-author")
    world.work()
    with world.store.read() as work:
        requests = work.requests.of_reader(world.reader.id, 20).requests
    canaries |= open_and_withdraw(world, apps["reader"], requests)
    for typed in ("canary-password-one", "canary-password-two"):
        try:
            accounts.sign_in(ctx, "reader", world.reader.email, typed, "198.51.100.77")
        except NotAllowed:
            canaries.add(typed)
    accounts.add_reader(ctx, world.librarian, "Canary Newcomer", "canary-mail@harbour.example.org", "en", "canary-card")
    with world.store.read() as work:
        stamp = password_stamp(work.people.password(world.reader.id))
    mailed = ctx.signer("reset").sign([world.reader.id, stamp])
    apps["reader"].test_client().get(f"/reset/{mailed}")
    token, claims = ctx.api_tokens.issue(world.reader.id, world.clock(), timedelta(days=1))
    with world.store.write() as work:
        work.tokens.add_api_token(
            ApiTokenRecord(claims.token_id, world.reader.id, "", world.clock(), claims.expires_at)
        )
    bearer = {"Authorization": f"Bearer {token}", "Idempotency-Key": "canary-key"}
    apps["reader"].test_client().post(
        "/api/v1/requests", json={"citation": {"title": "canary-api", "year": "2020"}}, headers=bearer
    )
    apps["reader"].test_client().get("/api/v1/requests", headers={"Authorization": "Bearer canary-forged"})
    clerk.get("/queue?q=canary-search")
    structlog.get_logger().error(
        "request.failed", password="canary-kept-out", url=SETTINGS["database_url"], path=f"/d/{token}"
    )
    return canaries | {
        *titles, mailed, token, "canary-doi", "canary-typed", "canary-query", "canary-author", "Canary Newcomer", "canary-mail",
        "canary-card", "canary-key", "canary-api", "canary-forged", "canary-search", "canary-in-an-error", "canary-kept-out",
        "canary-database", "198.51.100.77",
    }  # fmt: skip


def test_no_secret_and_no_name_stands_in_any_log(world: World) -> None:
    ears = Ears()
    try:
        canaries = use(world)
    finally:
        heard = ears.close()
    with world.store.read() as work:
        leaves = "\n".join(row.leaf.decode() for row in work.log.rows())
    figures = world.services.meters.text(Waiting(world.ctx)).decode()

    assert len(canaries) >= 50
    assert heard.count("request.failed") >= 10
    assert leaves.count("\n") > 50
    for place, text in (("process log", heard), ("audit log", leaves), ("figures", figures)):
        assert [one for one in canaries if one in text] == [], place


def test_settings_show_no_secret_when_they_are_printed() -> None:
    settings = Settings(_env_file=None, **SETTINGS)  # type: ignore[arg-type]  # texts

    assert "canary" not in f"{settings!r} {settings} {[settings]}"
    assert settings.metrics_token.get_secret_value() == SETTINGS["metrics_token"]


def test_a_letter_is_the_only_thing_that_holds_a_link(world: World) -> None:
    number = world.ask().number
    world.work()
    token = world.ctx.links.sign(world.get(number).delivery)

    assert any(token in letter.text for letter in world.post.letters)
    assert token not in repr(world.tables())
