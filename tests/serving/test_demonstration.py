"""The demonstration as a script starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_script_ends_the_demonstration_that_it_started_in_the_background(tmp_path: Path) -> None:
    ports = {"RUSHLIGHT_READER_PORT": "0", "RUSHLIGHT_STAFF_PORT": "0", "RUSHLIGHT_HOME": str(tmp_path / "home")}
    # A shell without job control starts what runs in the background with Ctrl-C switched off.
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-m", "admin.cli", "demo"]
    with subprocess.Popen(command, env={**os.environ, **ports}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            next(line for line in process.stdout if line.startswith("reader app"))
            process.terminate()
            process.communicate(timeout=60)
        finally:
            process.kill()

    assert process.returncode == 0
