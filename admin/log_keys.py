"""The keys that sign checkpoints on disk: a file of their own, apart from the keys of links and sessions."""

from __future__ import annotations

import json
import secrets
import stat
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from admin.keys import write_private
from admin.settings import Settings, SettingsError
from drm.audit.keys import LogKey, LogKeys
from drm.audit.notes import Verifier

SEED_BYTES = 32
OVERLAP = timedelta(days=1)
"""How long the key before still holds, so that machines that are restarted later may sign meanwhile."""


def make_log_keys(settings: Settings, now: datetime) -> bool:
    """Make the file unless there is one, with the log's name. Whole or not at all, mode 0600. True when it was made."""
    path = settings.log_key_file
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    origin = settings.log_origin or _origin(settings.public_url)
    content = {
        "origin": origin,
        "keys": [{"seed": secrets.token_hex(SEED_BYTES), "since": now.isoformat(), "until": None}],
        "witness": secrets.token_hex(SEED_BYTES),
    }
    try:
        write_private(path, content, new=True)
    except FileExistsError:
        return False
    return True


def _origin(public_url: str) -> str:
    parts = urlsplit(public_url)
    if parts.hostname:
        return f"{parts.netloc}{parts.path.rstrip('/')}/log"
    # Nobody knows yet where it will be served; the name only has to be its own for ever.
    return f"rushlight.invalid/{secrets.token_hex(8)}"


def rotate_log_key(settings: Settings, now: datetime) -> Verifier:
    """Add a key that signs from now on; the one before holds a day longer. The new public key."""
    known = read_log_keys(settings.log_key_file)
    path = settings.log_key_file
    content = json.loads(path.read_text(encoding="ascii"))
    for key in content["keys"]:
        key["until"] = key["until"] or (now + OVERLAP).isoformat()
    seed = secrets.token_bytes(SEED_BYTES)
    content["keys"].append({"seed": seed.hex(), "since": now.isoformat(), "until": None})
    write_private(path, content)
    return LogKeys(known.origin, (LogKey(seed, now),), known.witness_seed).verifiers[0]


def read_log_keys(path: Path) -> LogKeys:
    """The keys; SettingsError says what is wrong with the file. A file that others may read is refused."""
    hint = "run 'rushlight init', or restore the file from your backup"
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = json.loads(path.read_text(encoding="ascii"))
        keys = tuple(
            LogKey(bytes.fromhex(key["seed"]), _instant(key["since"]), _instant(key["until"]) if key["until"] else None)
            for key in content["keys"]
        )
        found = LogKeys(str(content["origin"]), keys, bytes.fromhex(content["witness"]))
        if not keys or any(len(seed) != SEED_BYTES for seed in (found.witness_seed, *(key.seed for key in keys))):
            raise ValueError("a key has not 32 bytes")
        _ = found.verifiers, found.witness.verifier  # a name that cannot be one is told here
    except FileNotFoundError:
        raise SettingsError(f"RUSHLIGHT_HOME: there is no file {path} with the log's keys; {hint}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"RUSHLIGHT_HOME: the log's keys in {path} cannot be used ({error}); {hint}") from None
    if mode & 0o077:
        raise SettingsError(f"RUSHLIGHT_HOME: the file {path} is open to others; run: chmod 600 '{path}'")
    return found


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time has no zone")
    return found
