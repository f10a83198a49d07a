"""``rushlight export`` and ``rushlight import``: all data of an installation, from any database and store to any other."""
