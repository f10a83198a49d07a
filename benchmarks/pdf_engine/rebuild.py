"""Builds three deliveries from what is stored and prints one SHA-256: python -m benchmarks.pdf_engine.rebuild MASTER RECORD."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.pdf_engine.ours import HAN, KEYS, SPEC
from drm.pdf.tail.personalise import personalise
from drm.pdf.tail.values import master_from


def digest(path: Path, record: Path) -> str:
    """The SHA-256 of the copies one after the other."""
    master, base, made = master_from(json.loads(record.read_text())), path.read_bytes(), hashlib.sha256()
    for name, password in ((SPEC.reader, None), (HAN[:24], None), (SPEC.reader, "open sesame")):
        made.update(base + personalise(master, replace(SPEC, reader=name), KEYS, password).data)
    return made.hexdigest()


if __name__ == "__main__":
    print(digest(Path(sys.argv[1]), Path(sys.argv[2])))
