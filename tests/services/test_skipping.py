"""A missing service skips a test on a desk and fails it where services are required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

NEEDS_REDIS = Path(__file__).with_name("test_redis.py")


@pytest.mark.parametrize(("required", "exit_code", "closing"), [("0", 0, "1 skipped"), ("1", 1, "1 error")])
def test_without_redis_its_test_is(required: str, exit_code: int, closing: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(NEEDS_REDIS)]
    nothing_installed = {"PATH": str(tmp_path), "RUSHLIGHT_REQUIRE_SERVICES": required, "RUSHLIGHT_TEST_REDIS": ""}

    result = subprocess.run(
        command, env={**os.environ, **nothing_installed}, capture_output=True, text=True, check=False
    )

    assert result.returncode == exit_code, result.stdout
    assert "no Redis: the package redis-server is missing" in result.stdout
    assert closing in result.stdout.splitlines()[-1]
