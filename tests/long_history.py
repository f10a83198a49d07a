"""So many requests and events behind the others that one leg of a search does not reach them all; of SQLite alone."""

from __future__ import annotations

from delivery.searching import STEPS
from storage.models import EventRow, RequestRow
from tests.world import World

NEWER = STEPS[0] + 1
"""More than the first leg looks at."""


def bury(world: World, number: str, count: int = NEWER) -> None:
    """Put this many requests, closed and called "Sediment", and their events on top of the request of this number and its own."""
    with world.services.engine.begin() as connection:
        counting = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        own = {"number": "'TR-' || printf('%08d', i)", "title": "'Sediment'", "container": "''", "state": "'unfilled'"}
        own |= {"changed_at": "datetime(changed_at, '+1 hour', '+' || i || ' minutes') || '.000000'"}
        names = [column.name for column in RequestRow.__table__.columns]
        values = ", ".join(own.get(name, name) for name in names)
        connection.exec_driver_sql(
            f"INSERT INTO requests ({', '.join(names)}) {counting} SELECT {values} FROM requests, n WHERE number = ?",
            (number,),
        )
        last = connection.exec_driver_sql("SELECT max(seq) FROM audit_events").scalar_one()
        own = {"seq": f"{last} + i", "request": "'TR-' || printf('%08d', i)"}
        own |= {"at": "datetime(at, '+' || i || ' minutes') || '.000000'"}
        names = [column.name for column in EventRow.__table__.columns]
        values = ", ".join(own.get(name, name) for name in names)
        connection.exec_driver_sql(
            f"INSERT INTO audit_events ({', '.join(names)}) {counting} SELECT {values} FROM audit_events, n WHERE seq = ?",
            (last,),
        )
        connection.exec_driver_sql(f"UPDATE audit_head SET size = size + {count}")
