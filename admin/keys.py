"""The key ring on disk: made with random keys on first use, readable by its owner only."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from admin.settings import SettingsError
from drm.tokens import MIN_KEY_BYTES, KeyRing

KEY_BYTES = 32
ANNOUNCED = "announced"
"""In the file: the key that verifies already and does not sign yet."""


@dataclass(frozen=True)
class Keys:
    """The service's keys: one ring for tokens, one key for the audit chain, one for web sessions."""

    ring: KeyRing
    audit: bytes
    session: bytes


def make_keys(path: Path) -> bool:
    """Make a key file unless there is one. Whole or not at all, mode 0600. True when it was made."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "tokens": {"k1": secrets.token_hex(KEY_BYTES)},
        "audit": secrets.token_hex(KEY_BYTES),
        "session": secrets.token_hex(KEY_BYTES),
    }
    write_private(path, content)
    return True


def announce_key(path: Path) -> str:
    """Add a random key to the ring that verifies and does not sign yet; its name, the same until it signs.

    Once every process knows it, ``add_key`` lets it sign: so no process meets a link or a wrapped key that it cannot read.
    """
    known = read_keys(path).ring.keys
    content = json.loads(path.read_text(encoding="ascii"))
    if ANNOUNCED not in content:
        name = next(name for count in itertools.count(len(known) + 1) if (name := f"k{count}") not in known)
        content |= {ANNOUNCED: name, "tokens": {name: secrets.token_hex(KEY_BYTES), **content["tokens"]}}
        write_private(path, content)
    return str(content[ANNOUNCED])


def add_key(path: Path) -> str:
    """Let the announced key be the newest from now on, or a fresh one where none is; its name. SettingsError where the file cannot be used."""
    name = announce_key(path)
    content = json.loads(path.read_text(encoding="ascii"))
    content["tokens"][name] = content["tokens"].pop(name)
    del content[ANNOUNCED]
    write_private(path, content)
    return name


def write_private(path: Path, content: object, new: bool = False) -> None:
    """Whole or not at all, mode 0600. ``new``: FileExistsError where somebody else was faster."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    if new:
        try:
            path.hardlink_to(part)
        finally:
            part.unlink()
    else:
        part.rename(path)


def read_keys(path: Path) -> Keys:
    """The keys; SettingsError says what is wrong with the file and what to do. A weak or readable file is refused."""
    hint = "run 'rushlight init', or restore the file from your backup"
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = json.loads(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        raise SettingsError(f"RUSHLIGHT_HOME: there is no key file {path}; {hint}") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"RUSHLIGHT_HOME: the key file {path} cannot be read ({error}); {hint}") from None
    if mode & 0o077:
        raise SettingsError(f"RUSHLIGHT_HOME: the key file {path} is open to others; run: chmod 600 '{path}'")
    try:
        tokens = {str(name): bytes.fromhex(value) for name, value in content["tokens"].items()}
        audit, session = bytes.fromhex(content["audit"]), bytes.fromhex(content["session"])
        if min(len(audit), len(session)) < MIN_KEY_BYTES:
            raise ValueError(f"a key has fewer than {MIN_KEY_BYTES} bytes")
        return Keys(KeyRing(tokens), audit, session)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise SettingsError(
            f"RUSHLIGHT_HOME: the key file {path} holds weak or missing keys ({error}); {hint}"
        ) from None
