"""The process log: one JSON object a line on stderr, without names, addresses or tokens."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

SECRET_KEYS = frozenset({"password", "token", "secret", "authorization", "cookie", "email", "name", "url", "link"})
SECRET_PATHS = re.compile(r"/(d|w|v|confirm|reset|check)/[^/\s\"?]+")
BREAKING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""What JSON leaves as it is and viewers take for the end of a line, or let run backwards."""


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Masks what must never be logged, whoever passes it in."""
    for key, value in event.items():
        if key in SECRET_KEYS:
            event[key] = "[hidden]"
        elif isinstance(value, str):
            event[key] = SECRET_PATHS.sub(r"/\1/[hidden]", value)
    return event


def one_line(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    """An event as one line of JSON: nothing in it ends the line or turns it round."""
    line = json.dumps(event, ensure_ascii=False, default=str)
    return BREAKING.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def start_logging(level: str) -> None:
    """Set up the process log once."""
    number = logging.getLevelName(level)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _redact,
            one_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=max(number, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s"
    )


def log() -> Any:
    """The logger."""
    return structlog.get_logger()
