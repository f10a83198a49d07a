"""Lists that several walks along indexes make together: each is left after a page, so that no list grows with the history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, union_all
from sqlalchemy.orm import Session

from delivery.stores import MOST_COUNTED

Walk = Select[Any]


def holds(column: Any, words: str) -> ColumnElement[bool]:
    """Whether a text holds these words as they stand, in capitals or not."""
    found: ColumnElement[bool] = column.icontains(words, autoescape=True)
    return found


def page_of(session: Session, walks: Sequence[Walk], order: Sequence[Any], limit: int, offset: int) -> list[Any]:
    """The first column of a page of what these walks find, which must be the same columns, in a common order.

    Each walk goes along its own index and stops by itself: only what they bring is sorted. So both databases can do it.
    """
    return [row[0] for row in rows_of(session, walks, order, limit, offset)]


def rows_of(session: Session, walks: Sequence[Walk], order: Sequence[Any], limit: int, offset: int) -> list[Any]:
    """The same page with all columns of the walks."""
    if len(walks) == 1:
        return list(session.execute(walks[0].order_by(*order).limit(limit).offset(offset)))
    ended = (walk.order_by(*order).limit(limit + offset).subquery() for walk in walks)
    found = union_all(*(select(one) for one in ended)).subquery("found")
    again = [_named_alike(found.columns, one) for one in order]
    return list(session.execute(select(found).order_by(*again).limit(limit).offset(offset)))


def far_down(session: Session, walks: Sequence[Walk], order: Sequence[Any], limit: int, offset: int) -> list[Any]:
    """The same rows for an offset of many thousands: the walks are merged as they come, and nothing is sorted.

    PostgreSQL does so with walks that stop by themselves, SQLite with those that do not.
    """
    if len(walks) == 1 or session.get_bind().dialect.name != "sqlite":
        return rows_of(session, walks, order, limit, offset)
    together = union_all(*walks)
    again = [_named_alike(together.selected_columns, one) for one in order]
    return list(session.execute(together.order_by(*again).limit(limit).offset(offset)))


def _named_alike(columns: Any, one: Any) -> Any:
    """The same order by the columns of what was found."""
    falling = getattr(one, "modifier", None) is not None
    column = columns[(one.element if falling else one).name]
    return column.desc() if falling else column


def count_of(session: Session, walks: Sequence[Walk]) -> int:
    """How much these walks find together, up to ``MOST_COUNTED``. Nothing may be found by two of them."""
    all_of_them = union_all(*walks) if len(walks) > 1 else walks[0]
    return session.scalar(select(func.count()).select_from(all_of_them.limit(MOST_COUNTED).subquery())) or 0
