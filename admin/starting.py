"""Makes an installation ready to run: folder, keys, database, schema."""

from __future__ import annotations

import os

from admin.keys import make_keys
from admin.log_keys import make_log_keys
from admin.settings import Settings, SettingsError
from admin.wiring import real_clock
from storage.engine import open_engine
from storage.migrating import migrate


def make_ready(settings: Settings) -> bool:
    """Make what is missing and bring the database to the present schema. True when the keys were made now."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(f"RUSHLIGHT_HOME: the folder {settings.home} cannot be made ({error.strerror})") from None
    if not os.access(settings.home, os.W_OK | os.X_OK):
        raise SettingsError(f"RUSHLIGHT_HOME: the folder {settings.home} cannot be written by this user")
    made = make_keys(settings.key_file)
    make_log_keys(settings, real_clock())
    engine = open_engine(settings.database)
    try:
        migrate(engine)
    finally:
        engine.dispose()
    return made
