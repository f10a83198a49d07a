"""The folder that carries an installation: its parts, and the manifest that tells what each must be."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from delivery.errors import Conflict, Invalid, NotFound

FORM = 1
MANIFEST, KEYS, LOG_KEYS, HEAD, FILES = "manifest.json", "keys.json", "log-keys.json", "audit-head.json", "files.jsonl"


@dataclass(frozen=True)
class Part:
    """A table as it was written: its columns, how many rows, and the SHA-256 of its lines."""

    columns: tuple[str, ...]
    rows: int
    sha256: str


@dataclass
class Manifest:
    """What a folder holds. It is written last: a folder without one is not whole."""

    revision: str
    tables: dict[str, Part] = field(default_factory=dict)
    secrets: dict[str, Part] = field(default_factory=dict)
    files: int = 0
    files_sha256: str = ""
    events: int = 0
    form: int = FORM
    beside: dict[str, str] | None = None
    """The keys and the log's head by their SHA-256; None where an older release wrote it, which did not say."""

    def write(self, folder: Path) -> None:
        """Write it, durably."""
        with (folder / MANIFEST).open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1)
            file.flush()
            os.fsync(file.fileno())


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder; NotFound or Invalid where it is none of ours."""
    path = folder / MANIFEST
    if not path.is_file():
        raise NotFound("no-export", f"{folder} holds no export that was finished.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        for name in ("tables", "secrets"):
            content[name] = {
                table: Part(tuple(one["columns"]), one["rows"], one["sha256"]) for table, one in content[name].items()
            }
        found = Manifest(**content)
    except (ValueError, TypeError, KeyError) as error:
        raise Invalid({"folder": "bad-export"}) from error
    if found.form != FORM:
        raise Conflict("other-form", f"{folder} was written in form {found.form}; this version reads form {FORM}.")
    return found


class Lines:
    """Writes lines into a packed file, and counts and digests them."""

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self._digest = hashlib.sha256()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._raw = path.open("xb")
        os.fchmod(self._raw.fileno(), 0o600)
        self._file = gzip.GzipFile(fileobj=self._raw, mode="wb", compresslevel=3, mtime=0)

    def add(self, line: bytes) -> None:
        """One more."""
        self.rows += 1
        self._digest.update(line)
        self._file.write(line)

    def close(self) -> str:
        """Make it durable; the SHA-256 of all lines."""
        self._file.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        return self._digest.hexdigest()


def table_file(folder: Path, kind: str, name: str) -> Path:
    """Where the lines of a table lie."""
    return folder / kind / f"{name}.jsonl.gz"


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a packed file."""
    with gzip.open(path, "rb") as file:
        yield from file


def digest_of_lines(found: Iterator[bytes]) -> tuple[int, str]:
    """How many lines, and their SHA-256."""
    digest, rows = hashlib.sha256(), 0
    for line in found:
        digest.update(line)
        rows += 1
    return rows, digest.hexdigest()
