"""Which ISSNs belong to one title, in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.models import TitleRow, UsageRow

BATCH = 500
"""So many at once that no database runs out of parameters."""
FRESH = {"populate_existing": True}
"""Rows are written past the session, so what it remembers of them is not trusted."""


class SqlTitles:
    """The map from an ISSN to its linking ISSN. All ISSNs are bare: eight signs, no hyphen."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def family(self, issn: str) -> Mapping[str, str]:
        """Every ISSN of the title that this one belongs to, with the linking ISSN; empty where nothing is known."""
        own = select(TitleRow.linking).where(TitleRow.issn == issn).scalar_subquery()
        wanted = select(TitleRow).where(TitleRow.linking == own).order_by(TitleRow.issn)
        rows = self.session.scalars(wanted, execution_options=FRESH)
        return {row.issn: row.linking for row in rows}

    def known(self, issns: Iterable[str]) -> Mapping[str, tuple[str, str]]:
        """The linking ISSN and the origin of each of these that is known."""
        wanted = sorted(set(issns))
        found: dict[str, tuple[str, str]] = {}
        for start in range(0, len(wanted), BATCH):
            part = wanted[start : start + BATCH]
            for row in self.session.scalars(select(TitleRow).where(TitleRow.issn.in_(part)), execution_options=FRESH):
                found[row.issn] = (row.linking, row.origin)
        return found

    def put(self, links: Mapping[str, str], origin: str) -> None:
        """Add or change links."""
        insert: Any = (postgresql if self.session.get_bind().dialect.name == "postgresql" else sqlite).insert(TitleRow)
        items = sorted(links.items())
        for start in range(0, len(items), BATCH):
            rows = [
                {"issn": issn, "linking": linking, "origin": origin} for issn, linking in items[start : start + BATCH]
            ]
            statement = insert.values(rows)
            changed = {name: statement.excluded[name] for name in ("linking", "origin")}
            self.session.execute(statement.on_conflict_do_update(index_elements=["issn"], set_=changed))

    def counted(self) -> frozenset[str]:
        """The ISSNs by which usage records are counted now."""
        titles = self.session.scalars(select(UsageRow.title).where(UsageRow.title.like("issn:%")).distinct())
        return frozenset(str(title).removeprefix("issn:") for title in titles)
