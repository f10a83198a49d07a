"""A large file is never in memory as a whole while it is prepared."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MEGABYTES, MOST = 150, 32
"""What the file has and what the child may grow by, in megabytes."""


@pytest.mark.slow
def test_a_child_that_prepares_a_large_scan_stays_small(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.prepare_memory", str(MEGABYTES), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[4])

    measured = json.loads(done.stdout)
    assert measured["bytes"] > 0.9 * MEGABYTES * 1024 * 1024
    assert measured["grown_megabytes"] < MOST
