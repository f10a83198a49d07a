"""Figures for Prometheus, readiness and the request log: what operators see, and what they must not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from admin.app import create_staff_app
from admin.metering.meters import Meters
from admin.metering.waiting import Waiting
from admin.metering.web import watch
from admin.settings import Settings, SettingsError, read_settings
from admin.web_settings import web_settings
from delivery.ports import MailFailed
from tests.behaviours.test_link_promises import supplied
from tests.serving.shop import open_window
from tests.world import START, World

TOKEN = "a-token-of-enough-length"
ROOT = Path(__file__).resolve().parents[2]


def figures(text: bytes) -> dict[tuple[str, str], float]:
    """Each sample by its name and its labels as text."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            found[sample.name, " ".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))] = sample.value
    return found


def told(world: World) -> dict[tuple[str, str], float]:
    return figures(world.services.meters.text(Waiting(world.ctx)))


def staff_app(world: World, token: str = TOKEN) -> Flask:
    settings: Settings = world.services.settings.model_copy(update={"metrics_token": _secret(token)})
    shown = replace(web_settings(world.services, "staff"), testing=True)
    return create_staff_app(world.ctx, shown, settings, world.services.meters)


def _secret(token: str) -> object:
    from pydantic import SecretStr

    return SecretStr(token)


def test_figures_are_for_who_knows_the_token_and_for_nobody_where_none_is_set(world: World) -> None:
    client = staff_app(world).test_client()

    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}x"}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert staff_app(world, "").test_client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_a_short_token_is_refused_by_the_name_of_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSHLIGHT_METRICS_TOKEN", "short")

    with pytest.raises(SettingsError, match="RUSHLIGHT_METRICS_TOKEN"):
        read_settings()


def test_one_delivery_shows_in_events_tries_and_letters(world: World) -> None:
    world.ask()
    waiting = told(world)
    world.work()
    after = told(world)

    assert waiting["rushlight_jobs", "kind=fetch state=queued"] == 1
    assert waiting["rushlight_requests", "state=new"] == 1
    assert ("rushlight_jobs", "kind=fetch state=queued") not in after
    assert after["rushlight_events_total", "kind=copy:supplied"] == 1
    assert after["rushlight_fetches_total", "outcome=found source=collection"] == 1
    assert after["rushlight_fetch_seconds_count", "source=collection"] == 1
    assert after["rushlight_pdf_seconds_count", "act=prepare"] == 1
    with world.store.read() as work:
        assert after["rushlight_log_events", ""] == work.log.size()


def test_a_letter_that_no_server_takes_is_counted_as_postponed(world: World) -> None:
    from admin.metering.measured import MeasuredMailer

    class Away:
        def send(self, letter: object) -> None:
            raise MailFailed("the server is away")

    meters = Meters()
    with pytest.raises(MailFailed):
        MeasuredMailer(Away(), meters).send(world.post)  # type: ignore[arg-type]  # no letter is read

    assert figures(meters.text())["rushlight_mails_total", "outcome=postponed"] == 1


def test_what_several_processes_count_adds_up_even_after_they_ended(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from admin.metering.meters import Meters
meters = Meters(Path({str(tmp_path)!r}))
meters.mails.labels("sent").inc(2)
print(meters.text().decode())
"""
    outputs = [
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True).stdout for _ in range(3)
    ]

    assert [figures(text)["rushlight_mails_total", "outcome=sent"] for text in outputs] == [2, 4, 6]


def test_files_of_processes_that_ended_long_ago_are_taken_away_and_no_others(tmp_path: Path) -> None:
    old, young, living = (tmp_path / f"counter_{pid}.db" for pid in (4_000_001, 4_000_002, os.getpid()))
    for file in (old, young, living):
        file.write_bytes(b"")
    for file in (old, living):
        os.utime(file, (START.timestamp() - 40 * 86400,) * 2)
    os.utime(young, (START.timestamp() - 20 * 86400,) * 2)

    code = f"""
from datetime import datetime
from pathlib import Path
from admin.metering.meters import Meters
Meters(Path({str(tmp_path)!r}), datetime.fromisoformat({START.isoformat()!r}))
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)

    assert (old.exists(), young.exists(), living.exists()) == (False, True, True)


def test_a_process_without_its_blobs_is_not_ready(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = staff_app(world).test_client()
    assert client.get("/readyz").status_code == 200

    def away(name: str) -> bool:
        raise OSError("away")

    monkeypatch.setattr(world.ctx.blobs, "exists", away)
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json) == (503, {"status": "wait", "troubles": ["blobs-away"]})


def test_a_request_is_logged_under_its_id_without_its_path_or_anybody(world: World) -> None:
    app = world.reader_app()
    watch(app, world.services.meters)
    with capture_logs() as lines:
        answer = app.test_client().get("/d/a-secret-token?email=maeve@harbour.example.org")

    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["endpoint"], line["status"]) == ("links.landing", 404)
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-Id"])
    assert "secret" not in str(line)
    assert "maeve" not in str(line)
    assert told(world)["rushlight_http_seconds_count", "app=reader endpoint=links.landing method=GET status=4xx"] == 1


def test_a_file_that_goes_the_short_way_is_timed_and_logged_like_any_request(world: World) -> None:
    app, path = world.reader_app(), open_window(world, supplied(world).number)
    watch(app, world.services.meters)

    with capture_logs([merge_contextvars]) as lines:
        answer = app.test_client().get(path)

    (line,) = (one for one in lines if one["event"] == "request")
    kept = {name: line[name] for name in ("request", "endpoint", "method", "status")}
    own = answer.headers["X-Request-Id"]
    assert kept == {"request": own, "endpoint": "links.window", "method": "GET", "status": 200}
    assert path not in str(line)
    assert told(world)["rushlight_http_seconds_count", "app=reader endpoint=links.window method=GET status=2xx"] == 1


def test_every_figure_is_in_the_operators_guide_and_every_alert_asks_for_one_that_exists(world: World) -> None:
    world.ask()
    families = {
        family.name
        for family in text_string_to_metric_families(world.services.meters.text(Waiting(world.ctx)).decode())
    }
    guide = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
    asked = set(re.findall(r"rushlight_[a-z_]+", (ROOT / "deploy" / "alerts.yml").read_text(encoding="utf-8")))

    assert {name for name in families if f"`{name}" not in guide} == set()
    known = families | {f"{name}{end}" for name in families for end in ("_total", "_count", "_sum", "_bucket")}
    assert asked
    assert asked <= known
