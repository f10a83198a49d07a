"""Connections to PostgreSQL that end a wait even when the server itself stands still.

Loaded by whoever has a PostgreSQL: its driver takes a tenth of a second of a process's start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

from storage.bounds import CONNECT_SECONDS, Bounds

Found = TypeVar("Found")
GRACE = 2.0
"""Seconds that the server's own limits are ahead of ours: whoever can still say what was wrong, does."""
SILENCE = {"keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
"""When a machine is gone without a word, the kernel ends the connection after some 30 seconds."""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that does not wait for ever for a server whose machine still acknowledges what we send.

    A server that is stopped, or whose disk hangs, keeps none of its own limits, and for the kernel all is well. So each wait ends
    here, too; the connection is closed then, for nobody knows what the server did: an unanswered COMMIT may hold or not.
    """

    bounds = Bounds()

    def wait(self, gen: PQGen[Found], interval: float = 0.1, timeout: float | None = None) -> Found:
        """As psycopg, but with an end. Only the pool's question whether a connection lives is asked outside a transaction."""
        most = self.bounds.connect if self.autocommit else self.bounds.statement + GRACE
        try:
            return super().wait(gen, interval, most if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if error.sqlstate is None and timeout is None and not self.closed:
                self.close()
                raise psycopg.OperationalError("the database did not answer in time") from error
            raise


def connector(bounds: Bounds | None) -> Callable[..., psycopg.Connection[Any]]:
    """What SQLAlchemy's ``do_connect`` calls. What an address itself says of these options goes before ours."""

    def connect(dialect: object, record: object, words: list[Any], options: dict[str, Any]) -> psycopg.Connection[Any]:
        own: dict[str, Any] = {"connect_timeout": bounds.connect if bounds else CONNECT_SECONDS, **SILENCE}
        if bounds is None:
            return psycopg.connect(*words, **{**own, **options})
        told = {"options": f"{bounds.options} {options.get('options', '')}".strip()}
        made = BoundedConnection.connect(*words, **{**own, **options, **told})
        made.bounds = bounds
        return made

    return connect
