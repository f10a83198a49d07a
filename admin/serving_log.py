"""What gunicorn has to tell, in the process log's own form: its messages quote the request, secrets and addresses included."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog
from gunicorn.glogging import Logger

FIRST_WORDS = re.compile(r"[A-Za-z ]*[A-Za-z](?![^\s:.=])")


class ServerLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's logger. A line has its fixed words, its numbers and the error's type, never a text from outside."""

    def critical(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Of the gravest level."""
        self.log(logging.CRITICAL, msg, *args, **kwargs)

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Of the level of errors."""
        self.log(logging.ERROR, msg, *args, **kwargs)

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Of the level of warnings."""
        self.log(logging.WARNING, msg, *args, **kwargs)

    def info(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Of the level of things worth knowing."""
        self.log(logging.INFO, msg, *args, **kwargs)

    def debug(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Of the lowest level."""
        self.log(logging.DEBUG, msg, *args, **kwargs)

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Of the level of errors, while one is handled."""
        self.log(logging.ERROR, msg, *args, **kwargs)

    def log(self, lvl: int | str, msg: object, *args: object, **kwargs: Any) -> None:
        """Of a level, by its number or name."""
        level = self.LOG_LEVELS.get(lvl.lower(), logging.INFO) if isinstance(lvl, str) else lvl
        if level < self.loglevel:
            return
        numbers = [value for value in args if isinstance(value, int)]
        failed, _, trace = sys.exc_info()
        facts: dict[str, object] = {"what": _words(msg, args), **({"numbers": numbers} if numbers else {})}
        if failed is not None:
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            facts["error"] = failed.__name__
            facts["at"] = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else ""
        structlog.get_logger().log(level, "server", **facts)


def _words(msg: object, args: tuple[object, ...]) -> str:
    """The words that gunicorn's source has for it. A message without arguments may be filled in already: its first words."""
    if not isinstance(msg, str):
        return ""
    found = None if args else FIRST_WORDS.match(msg.strip())
    return msg if args else found[0] if found else ""
