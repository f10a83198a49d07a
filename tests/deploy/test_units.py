"""The units are understood by systemd and shut off well; the other files are well formed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from admin.settings import Settings

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
SERVICES = [path for path in UNITS if path.suffix == ".service"]
WORST = 2.0
"""The exposure that systemd may find, of 10."""


def installed(folder: Path) -> Path:
    """The units as they would lie on a machine, with commands and a user that exist here."""
    for unit in UNITS:
        text = re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", unit.read_text(encoding="utf-8"), flags=re.M)
        text = text.replace("User=rushlight", "User=daemon").replace("Group=rushlight", "Group=daemon")
        text = re.sub(r"^EnvironmentFile=", "EnvironmentFile=-", text, flags=re.M)
        (folder / unit.name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("no systemd-analyze here: the package systemd is missing")
    return found


@pytest.mark.service
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_understands_every_unit(analyze: str, tmp_path: Path, unit: Path) -> None:
    name = unit.name.replace("@.", "@1.")
    folder = installed(tmp_path)

    said = subprocess.run(
        [analyze, "verify", "--man=no", "--recursive-errors=no", str(folder / name)],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip

    assert (said.returncode, [line for line in said.stderr.splitlines() if unit.stem in line]) == (0, [])


@pytest.mark.service
@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.name)
def test_systemd_finds_little_that_a_service_could_do_beside_its_work(analyze: str, unit: Path, tmp_path: Path) -> None:
    command = [analyze, "security", "--offline=true", f"--threshold={int(WORST * 10)}", "--no-pager"]

    said = subprocess.run(
        [*command, str(installed(tmp_path) / unit.name)], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert said.returncode == 0, said.stdout[-300:] + said.stderr[-300:]


WEB, WEB_OF_SEVERAL = (
    ROOT / "deploy" / "systemd" / name for name in ("rushlight-web.service", "rushlight-web@.service")
)


@pytest.mark.parametrize("path", [WEB, WEB_OF_SEVERAL], ids=lambda path: path.name)
def test_systemd_waits_longer_for_the_web_process_than_that_waits_for_its_readers(path: Path) -> None:
    unit = path.read_text(encoding="utf-8")

    patience = int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, flags=re.M)[0])
    assert patience > Settings.model_fields["stop_seconds"].default


def test_a_web_process_of_several_is_the_single_one_with_ports_of_its_own() -> None:
    one, several = (
        [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith(("#", "Description="))]
        for path in (WEB, WEB_OF_SEVERAL)
    )
    start = "ExecStart=/opt/rushlight/.venv/bin/rushlight serve"
    ports = "/usr/bin/env RUSHLIGHT_READER_PORT=81%i0 RUSHLIGHT_STAFF_PORT=81%i1 "

    assert several == [line.replace("=", f"={ports}", 1) if line == start else line for line in one]
    assert {"reader_port", "staff_port"} <= set(Settings.model_fields)


def test_the_example_of_an_environment_names_settings_that_exist() -> None:
    lines = (ROOT / "deploy" / "rushlight.env.example").read_text(encoding="utf-8").splitlines()
    names = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}

    assert names <= {f"RUSHLIGHT_{name.upper()}" for name in Settings.model_fields}
    assert {"RUSHLIGHT_DATABASE_URL", "RUSHLIGHT_SECRETS_URL", "RUSHLIGHT_BROKER_URL", "RUSHLIGHT_BLOB_URL"} <= names


def test_a_shell_reads_the_example_of_an_environment_as_it_stands() -> None:
    file = ROOT / "deploy" / "rushlight.env.example"

    told = subprocess.run(
        ["sh", "-euc", 'set -a; . "$0"; echo "$RUSHLIGHT_SENDER"; echo "$RUSHLIGHT_DATABASE_URL"', file],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    sender, database = told.stdout.splitlines()
    assert sender == "Document delivery <delivery@example.org>"
    assert f"RUSHLIGHT_DATABASE_URL={database}\n" in file.read_text(encoding="utf-8")


def test_the_compose_file_is_well_formed_and_names_settings_that_exist() -> None:
    content = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    web = content["services"]["web"]

    assert set(content["services"]) == {"postgres", "rabbitmq", "s3", "web", "worker"}
    assert set(web["environment"]) <= {f"RUSHLIGHT_{name.upper()}" for name in Settings.model_fields}
    assert all(port.startswith("127.0.0.1:") for port in web["ports"])
    json.dumps(content)


@pytest.mark.parametrize("name", ["backup.sh", "schema.sh"])
def test_a_script_is_one_that_a_shell_can_read(name: str) -> None:
    assert subprocess.run(["sh", "-n", ROOT / "deploy" / name], check=False).returncode == 0
