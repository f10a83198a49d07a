"""What the measuring is done on: without it no number means anything."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("pikepdf", "cryptography", "pypdfium2", "reportlab", "pymupdf", "pypdf")


def lines() -> list[str]:
    """The processor, the system, the libraries and the load, a line each."""
    info = Path("/proc/cpuinfo")
    models = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return [
        f"{model}, {len(os.sched_getaffinity(0))} cores; {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}; " + ", ".join(f"{name} {_version(name)}" for name in LIBRARIES),
        f"load averages {load}",
    ]


def machine_cpu() -> float:
    """Seconds of the processor that everybody has used."""
    words = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    user, nice, system, _, _, irq, softirq = map(int, words[:7])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
