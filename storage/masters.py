"""Prepared documents in SQL."""

from __future__ import annotations

import functools
import json
from datetime import datetime
from typing import Any

from sqlalchemy import exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from delivery.errors import NotFound
from delivery.masters import KeptMaster, MasterWish
from drm.pdf.tail.values import ENGINE_VERSION, Master, master_from, master_to
from storage.models import DeliveryRow, MasterRow


class SqlMasters:
    """Masters and their records."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def find(self, wish: MasterWish) -> KeptMaster | None:
        """The newest master that may serve a copy; None where one has to be prepared."""
        row = self.session.scalars(
            select(MasterRow)
            .where(
                MasterRow.source_sha256 == wish.source_sha256,
                MasterRow.encrypted.is_(wish.encrypted),
                MasterRow.only_for == wish.only_for,
                MasterRow.engine_version == ENGINE_VERSION,
                MasterRow.made_at > wish.since,
                MasterRow.retired_at.is_(None),
                MasterRow.removed_at.is_(None),
            )
            .order_by(MasterRow.made_at.desc())
            .limit(1)
        ).first()
        return None if row is None else as_kept(row)

    def get(self, master_id: str) -> KeptMaster:
        """One master that is still kept, else NotFound."""
        row = self.session.get(MasterRow, master_id)
        if row is None or row.removed_at is not None:
            raise NotFound("unknown-master", "There is no such prepared document.")
        return as_kept(row)

    def add(self, kept: KeptMaster) -> None:
        """Keep a new master. One that is there already, byte for byte the same, stays as it is."""
        insert = postgresql.insert if self.session.get_bind().dialect.name == "postgresql" else sqlite.insert
        values = {
            "id": kept.id,
            "source_sha256": kept.master.source_sha256,
            "encrypted": kept.master.encrypted,
            "only_for": kept.only_for,
            "engine_version": kept.master.engine_version,
            "key_version": kept.master.key_version,
            "blob": kept.blob,
            "record": _text(kept.master),
            "made_at": kept.made_at,
            "used_at": kept.made_at,
            "retired_reason": "",
        }
        self.session.execute(insert(MasterRow).values(**values).on_conflict_do_nothing())

    def use(self, master_id: str, now: datetime) -> bool:
        """Note that a copy of it is being published; False where it is retired or gone, and may not serve one."""
        return self._changed(
            update(MasterRow)
            .where(MasterRow.id == master_id, MasterRow.retired_at.is_(None), MasterRow.removed_at.is_(None))
            .values(used_at=now)
        )

    def retire(self, master_id: str, reason: str, now: datetime) -> bool:
        """Let it serve no new copies; False where it is retired already."""
        return self._changed(
            update(MasterRow)
            .where(MasterRow.id == master_id, MasterRow.retired_at.is_(None))
            .values(retired_at=now, retired_reason=reason)
        )

    def retire_old(self, made_before: datetime, used_before: datetime, now: datetime) -> int:
        """Retire what is too old for new copies, and what was made for one copy and served it; how many."""
        over = or_(MasterRow.made_at < made_before, (MasterRow.only_for != "") & (MasterRow.used_at < used_before))
        result: Any = self.session.execute(
            update(MasterRow)
            .where(MasterRow.retired_at.is_(None), MasterRow.removed_at.is_(None), over)
            .values(retired_at=now, retired_reason="old")
            .execution_options(synchronize_session=False)
        )
        return int(result.rowcount)

    def unneeded(self, limit: int) -> tuple[KeptMaster, ...]:
        """Retired masters that no copy needs whose file is still kept."""
        needed = exists().where(DeliveryRow.master == MasterRow.id, DeliveryRow.blob_removed_at.is_(None))
        rows = self.session.scalars(
            select(MasterRow)
            .where(MasterRow.removed_at.is_(None), MasterRow.retired_at.is_not(None), ~needed)
            .order_by(MasterRow.made_at)
            .limit(limit)
        )
        return tuple(as_kept(row) for row in rows)

    def removed(self, master_id: str, now: datetime) -> None:
        """Note that its blob is gone, and forget its record with the key."""
        self.session.execute(
            update(MasterRow).where(MasterRow.id == master_id).values(removed_at=now, record="", key_version="")
        )

    def under_other_keys(self, key_version: str, limit: int) -> tuple[KeptMaster, ...]:
        """Masters whose file keys are wrapped by another key than this."""
        rows = self.session.scalars(
            select(MasterRow)
            .where(MasterRow.removed_at.is_(None), MasterRow.encrypted, MasterRow.key_version != key_version)
            .order_by(MasterRow.id)
            .limit(limit)
        )
        return tuple(as_kept(row) for row in rows)

    def rewrapped(self, kept: KeptMaster) -> None:
        """Keep the record with its key wrapped anew."""
        self.session.execute(
            update(MasterRow)
            .where(MasterRow.id == kept.id, MasterRow.removed_at.is_(None))
            .values(record=_text(kept.master), key_version=kept.master.key_version)
        )

    def _changed(self, statement: Any) -> bool:
        result: Any = self.session.execute(statement.execution_options(synchronize_session=False))
        return bool(result.rowcount == 1)


def _text(master: Master) -> str:
    return json.dumps(master_to(master), ensure_ascii=False, separators=(",", ":"))


@functools.lru_cache(maxsize=256)
def _read(record: str) -> Master:
    """The record from its text. Kept for the masters in use: their caches go by the value itself."""
    return master_from(json.loads(record))


def as_kept(row: MasterRow) -> KeptMaster:
    return KeptMaster(
        _read(row.record), row.blob, row.made_at, row.only_for, row.used_at, row.retired_at, row.retired_reason
    )
