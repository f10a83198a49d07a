"""Go's packages for signed notes and transparency logs: a check of our log by other hands, built from Debian's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.processes import ServiceUnavailableError, folder_for

SOURCES = Path("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog")


@contextmanager
def log_checker() -> Iterator[Path]:
    """The built program of ``log_check.go``."""
    go = shutil.which("go")
    if go is None or not SOURCES.is_dir():
        raise ServiceUnavailableError("no Go: the packages golang-go and golang-golang-x-mod-dev are missing")
    with folder_for("root") as folder:
        # Nothing is fetched: Debian has the sources.
        own = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(folder / "cache"), "GOFLAGS": ""}
        command = [go, "build", "-o", str(folder / "log_check"), str(Path(__file__).with_name("log_check.go"))]
        subprocess.run(command, check=True, env={**os.environ, **own}, capture_output=True, timeout=300)
        yield folder / "log_check"
