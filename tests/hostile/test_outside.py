"""What the jobs do to the system, as strace sees it: they write in their own folder only, call nobody and start nothing."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
JOBS = """
import sys
from pathlib import Path
from drm.pdf.values import PdfRefused
from tests.hostile.catalogue import HOSTILE, POISON
from tests.hostile.judging import ENGINES
from tests.hostile.test_poison import QUICK
folder = Path(sys.argv[1])
chosen = [one for one in HOSTILE if one.kind in {"hidden content", "notes"}][::3] + [one for one in HOSTILE if one.kind == "action"][::10] + QUICK[:4]
(folder / "begin").write_bytes(b"")
for number, one in enumerate(chosen):
    source = folder / f"{number}.pdf"
    source.write_bytes(one.make())
    for name, engine in ENGINES.items():
        try:
            engine(source, folder / f"{number}-{name}.pdf")
        except PdfRefused:
            pass
(folder / "end").write_bytes(b"")
print(len(chosen))
"""
WRITING = re.compile(r'\b(?:openat|open|creat)\([^"]*"([^"]*)"[^)]*(?:O_WRONLY|O_RDWR|O_CREAT)')
CHANGING = re.compile(
    r'\b(?:unlink|unlinkat|rename|renameat2?|mkdir|mkdirat|rmdir|link|symlink|chmod|truncate)\([^"]*"([^"]*)"'
)
CALLING = re.compile(r"(?:connect|sendto|bind)\(\d+, .*AF_INET")
STARTING = re.compile(r'execve\("([^"]*)"')
HARMLESS = ("/dev/null", "/proc/self/", f"{tempfile.gettempdir()}/rushlight-rehearsal-")
"""The rehearsal is the fork server's own, with a document of ours, before any job."""

PROBE = re.compile(rf"{re.escape(tempfile.gettempdir())}/[a-z0-9_]{{8}}")
"""The empty file by which Python's tempfile finds out where it may write."""


@pytest.mark.service
@pytest.mark.timeout(600)
def test_jobs_write_in_their_folder_call_nobody_and_start_nothing(tmp_path: Path) -> None:
    log, folder = tmp_path / "log", tmp_path / "private"
    folder.mkdir()
    traced = [
        "strace",
        "-f",
        "-qq",
        "-s",
        "400",
        "-o",
        str(log),
        "-e",
        "trace=%file,%network,execve",
        sys.executable,
        "-B",
        "-c",
        JOBS,
        str(folder),
    ]
    done = subprocess.run(traced, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    begin = next(number for number, line in enumerate(lines) if f"{folder}/begin" in line)
    lines = lines[begin:]

    touched = {match[1] for line in lines for match in (WRITING.search(line), CHANGING.search(line)) if match}
    assert f"{folder}/end" in touched, "the trace saw the test itself write"
    outside = {path for path in touched if path.startswith("/") and not path.startswith((str(folder), *HARMLESS))}
    compiled = {path for path in outside if "/__pycache__/" in path}  # what Python keeps of the modules that it loads
    assert sorted(path for path in outside - compiled if not PROBE.fullmatch(path)) == []
    assert [line for line in lines if CALLING.search(line)] == []
    assert {match[1] for line in lines if (match := STARTING.search(line))} <= {sys.executable}
