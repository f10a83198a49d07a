"""Tallies, the networks of links and alarms in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from delivery.errors import NotFound
from delivery.watching import Alarm, AlarmKind, Tally
from storage.models import AlarmRow, LinkNetworkRow, TallyRow


class SqlWatch:
    """What is counted against misuse."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def _insert(self, table: type[Any]) -> Any:
        insert = postgresql.insert if self.session.get_bind().dialect.name == "postgresql" else sqlite.insert
        return insert(table)

    def count(self, tallies: Sequence[Tally]) -> Mapping[Tally, int]:
        """Add one to each and tell what they are now. Always in the same sequence, so that two never wait for each other."""
        if not tallies:
            return {}
        rows = [
            {"scope": t.scope, "seconds": t.seconds, "start": t.start, "count": 1, "ends": t.ends}
            for t in sorted(set(tallies))
        ]
        statement = (
            self._insert(TallyRow)
            .values(rows)
            .on_conflict_do_update(
                index_elements=["scope", "seconds", "start"], set_={"count": TallyRow.__table__.c.count + 1}
            )
            .returning(TallyRow.scope, TallyRow.seconds, TallyRow.start, TallyRow.count)
        )
        return {Tally(*row[:3]): row[3] for row in self.session.execute(statement)}

    def uncount(self, tallies: Sequence[Tally]) -> None:
        """Take one from each, as far as there is one."""
        wanted = [(t.scope, t.seconds, t.start) for t in tallies]
        self.session.execute(
            update(TallyRow)
            .where(tuple_(TallyRow.scope, TallyRow.seconds, TallyRow.start).in_(wanted), TallyRow.count > 0)
            .values(count=TallyRow.count - 1)
            .execution_options(synchronize_session=False)
        )

    def counted(self, tallies: Sequence[Tally]) -> Mapping[Tally, int]:
        """What they are now, where anything was counted."""
        if not tallies:
            return {}
        wanted = [(t.scope, t.seconds, t.start) for t in tallies]
        rows = self.session.execute(
            select(TallyRow.scope, TallyRow.seconds, TallyRow.start, TallyRow.count).where(
                tuple_(TallyRow.scope, TallyRow.seconds, TallyRow.start).in_(wanted)
            )
        )
        return {Tally(*row[:3]): row[3] for row in rows}

    def forgive(self, scope: str) -> None:
        """Count a scope from nothing again."""
        self.session.execute(delete(TallyRow).where(TallyRow.scope == scope))

    def link_known_from(self, delivery: str, names: Sequence[str], since: datetime) -> bool:
        """Whether a network, by any of its names, asked for the link since then."""
        wanted = select(LinkNetworkRow.seen_at).where(
            LinkNetworkRow.delivery == delivery, LinkNetworkRow.network.in_(names), LinkNetworkRow.seen_at >= since
        )
        return self.session.scalar(wanted.limit(1)) is not None

    def link_asked_from(self, delivery: str, network: str, now: datetime, since: datetime, most: int) -> int:
        """Note a network, unless ``most`` are noted; how many asked for the link since then."""
        recent = (
            select(func.count())
            .select_from(LinkNetworkRow)
            .where(LinkNetworkRow.delivery == delivery, LinkNetworkRow.seen_at >= since)
        )
        known = self.session.scalar(recent) or 0
        if known >= most:
            return known
        statement = self._insert(LinkNetworkRow).values(delivery=delivery, network=network, seen_at=now)
        self.session.execute(
            statement.on_conflict_do_update(index_elements=["delivery", "network"], set_={"seen_at": now})
        )
        return self.session.scalar(recent) or 0

    def raise_alarm(self, alarm: Alarm, add: bool) -> bool:
        """Keep an alarm; True when it is the first of its subject and day. A later one adds to the count, or raises it."""
        day = alarm.last_at.date().isoformat()
        statement = self._insert(AlarmRow).values(
            kind=alarm.kind.value,
            subject=alarm.subject,
            day=day,
            library_id=alarm.library_id,
            count=alarm.count,
            first_at=alarm.first_at,
            last_at=alarm.last_at,
        )
        if self.session.scalar(statement.on_conflict_do_nothing().returning(AlarmRow.id)) is not None:
            return True
        self.session.execute(
            update(AlarmRow)
            .where(AlarmRow.kind == alarm.kind.value, AlarmRow.subject == alarm.subject, AlarmRow.day == day)
            .values(count=AlarmRow.count + alarm.count if add else alarm.count, last_at=alarm.last_at)
            .execution_options(synchronize_session=False)
        )
        return False

    def alarms(self, library_id: str, limit: int) -> tuple[Alarm, ...]:
        """The newest alarms of a library, or of all where none is named."""
        wanted = select(AlarmRow).order_by(AlarmRow.last_at.desc(), AlarmRow.id.desc()).limit(limit)
        if library_id:
            wanted = wanted.where(AlarmRow.library_id == library_id)
        return tuple(_alarm(row) for row in self.session.scalars(wanted))

    def alarm(self, alarm_id: int) -> Alarm:
        """One alarm, else NotFound."""
        row = self.session.get(AlarmRow, alarm_id)
        if row is None:
            raise NotFound("unknown-alarm", "There is no such alarm.")
        return _alarm(row)

    def forget_before(self, now: datetime, networks: datetime, alarms: datetime) -> None:
        """Drop tallies that nothing asks for, networks seen before one instant, and alarms last raised before another."""
        self.session.execute(delete(TallyRow).where(TallyRow.ends < int(now.timestamp())))
        self.session.execute(delete(LinkNetworkRow).where(LinkNetworkRow.seen_at < networks))
        self.session.execute(delete(AlarmRow).where(AlarmRow.last_at < alarms))

    def forget_reader(self, reader_key: str) -> None:
        """Drop the alarms about a reader."""
        self.session.execute(
            delete(AlarmRow).where(AlarmRow.kind == AlarmKind.READER.value, AlarmRow.subject == reader_key)
        )


def _alarm(row: AlarmRow) -> Alarm:
    return Alarm(AlarmKind(row.kind), row.subject, row.library_id, row.count, row.first_at, row.last_at, row.id)
