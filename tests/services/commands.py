"""Programs of other hands that read our files in tests."""

from __future__ import annotations

import shutil

import pytest


def needed(command: str, package: str) -> None:
    """Skip the rest of a test where a command is missing. Mark such tests as ``service``: then CI fails instead."""
    if shutil.which(command) is None:
        pytest.skip(f"{command} is not installed; type: apt-get install {package}")
