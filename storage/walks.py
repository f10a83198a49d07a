"""Lists that several walks along indexes make together: each is left after a page, so that no list grows with the history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import Session

from delivery.stores import MOST_COUNTED

Walk = Select[Any]


def page_of(session: Session, walks: Sequence[Walk], order: Sequence[Any], limit: int, offset: int) -> list[Any]:
    """The first column of a page of what these walks find, which must be the same columns, in a common order.

    Each walk goes along its own index and stops by itself: only what they bring is sorted. So both databases can do it.
    """
    if len(walks) == 1:
        return list(session.scalars(walks[0].order_by(*order).limit(limit).offset(offset)))
    ended = (walk.order_by(*order).limit(limit + offset).subquery() for walk in walks)
    found = union_all(*(select(one) for one in ended)).subquery("found")
    again = [_named_alike(found, one) for one in order]
    return list(session.scalars(select(found.columns[0]).order_by(*again).limit(limit).offset(offset)))


def _named_alike(found: Any, one: Any) -> Any:
    """The same order by the columns of what was found."""
    falling = getattr(one, "modifier", None) is not None
    column = found.columns[(one.element if falling else one).name]
    return column.desc() if falling else column


def count_of(session: Session, walks: Sequence[Walk]) -> int:
    """How much these walks find together, up to ``MOST_COUNTED``. Nothing may be found by two of them."""
    all_of_them = union_all(*walks) if len(walks) > 1 else walks[0]
    return session.scalar(select(func.count()).select_from(all_of_them.limit(MOST_COUNTED).subquery())) or 0
