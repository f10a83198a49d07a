"""A file is durable before it has its name, and its name before anybody hears of it: seen in the calls that the system gets."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

STORE = """
import sys
from pathlib import Path
from storage.blobs.local import LocalBlobs
LocalBlobs(Path(sys.argv[1])).put(sys.argv[2], Path(sys.argv[3]))
"""
NAME = "masters/ab/abcd.pdf"


def calls(folder: Path) -> list[str]:
    """What storing a blob asks of the system, one word for each call that matters."""
    source, trace = folder / "source.pdf", folder / "trace"
    source.write_bytes(b"%PDF-1.7\n" * 1_000)
    wanted = "trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat"
    command = [
        "strace",
        "-f",
        "-y",
        "-o",
        str(trace),
        "-e",
        wanted,
        sys.executable,
        "-c",
        STORE,
        str(folder / "blobs"),
        NAME,
        str(source),
    ]
    subprocess.run(command, check=True, timeout=100)
    found = []
    for line in trace.read_text(encoding="utf-8").splitlines():
        synced = re.search(r"\bf(?:data)?sync\(\d+<([^>]+)>\)", line)
        if synced:
            found.append("folder synced" if Path(synced[1]).is_dir() else "file synced")
        elif re.search(r"\b(rename|link)", line) and "abcd.pdf" in line:
            found.append("named")
    return found


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.service
def test_a_blob_is_synced_before_it_is_named_and_its_folder_after(tmp_path: Path) -> None:
    assert calls(tmp_path) == ["file synced", "named", "folder synced"]
