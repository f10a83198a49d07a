"""What a worker process tells of its work, and what it leaves to others."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.services.processes import running, wait_until
from tests.world import World


def test_a_worker_loads_nothing_of_the_web_and_nothing_that_few_need() -> None:
    told = "import sys, admin.worker_process; print(*{name.partition('.')[0] for name in sys.modules})"

    loaded = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout.split()

    assert not {"flask", "werkzeug", "jinja2", "gunicorn", "webauthn", "xlsxwriter"} & set(loaded)
    assert not {"psycopg", "fontTools"} & set(loaded)
    assert {"celery", "sqlalchemy"} <= set(loaded)


def test_a_worker_logs_one_json_object_a_line_as_the_web_process_does(world: World, tmp_path: Path) -> None:
    world.ask()
    log, home = tmp_path / "log", str(world.services.settings.home)

    with running([sys.executable, "-m", "admin.cli", "worker"], Path.cwd(), log, {"RUSHLIGHT_HOME": home}) as process:
        wait_until(lambda: b"job.done" in log.read_bytes(), process, log)

    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if "job." in line]
    assert {json.loads(line)["level"] for line in lines} == {"info"}


def test_a_worker_stands_back_where_the_processor_is_short(world: World, tmp_path: Path) -> None:
    log, home = tmp_path / "log", str(world.services.settings.home)
    own = {"RUSHLIGHT_HOME": home, "RUSHLIGHT_WORKER_NICE": "7"}

    with running([sys.executable, "-u", "-m", "admin.cli", "worker"], Path.cwd(), log, own) as process:
        wait_until(lambda: b"worker is ready" in log.read_bytes(), process, log)

        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 7


def test_a_worker_that_is_told_to_stop_leaves_a_job_in_hand_to_others(world: World, tmp_path: Path) -> None:
    number, log = world.ask().number, tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as silent:  # a mail server that never says a word
        own = {
            "RUSHLIGHT_HOME": str(world.services.settings.home),
            "RUSHLIGHT_SMTP_URL": f"smtp://127.0.0.1:{silent.getsockname()[1]}",
        }
        silent.settimeout(60)
        with running([sys.executable, "-m", "admin.cli", "worker"], Path.cwd(), log, own) as process:
            with silent.accept()[0]:
                process.send_signal(signal.SIGTERM)

                assert process.wait(20) == 0
    world.clock.now = datetime.now(UTC) + timedelta(days=1)
    world.work()

    assert world.kinds(number).count("mail:sent") == 1
