"""The migration that packs values: old rows say afterwards what they said before, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.orm import Session

from storage.engine import open_engine
from storage.migrating import migrate
from storage.models import DeliveryRow, RequestRow, UsageChangeRow, UsageRow
from storage.models.packing import unpacked
from tests.services.databases import BOTH

CITATION = {"title": "潮汐 in 'estuaries' \u2028", "container": "Journal of Tides", "issn": "2999-0001"}
BLOB = f"sources/3f/{'3f' * 32}.pdf"
FACTS = {"request": {"copies": 3, "pages": ["211-218"]}, "reader": {"id": "5f" * 16}, "flags": {}}
JOURNAL = "SELECT facts FROM usage_journal ORDER BY id"
MANY = 1_203
"""More than the migration takes at once."""
LIBRARY = (
    "INSERT INTO libraries (id, name, name_zh, isil, country, tz, language, email, url, phone, group_id, agreements) "
    "VALUES ('l', 'L', '', '', 'IE', 'UTC', 'en', 'l@x', '', '', '', '[]')"
)
REQUEST = (
    "INSERT INTO requests (number, library_id, reader_key, state, hold, typed, citation, title, purpose, language, via, reason, "
    "reason_text, source_id, repeat_of, copy_no, approved, delivery, found, decision, created_at, changed_at, version) VALUES "
    "(:number, 'l', '', 'supplied', '', '{}', :citation, '', '', 'en', 'form', '', '', '', '', 1, '', '', :found, :decision, "
    "'2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', 1)"
)
DELIVERY = (
    "INSERT INTO deliveries (number, request, claim, library_id, reader_key, state, blob, sha256, bytes, pages, filename, issued_at, "
    "opens_used, machine_hits, same_reader_only, open_access, engine, source_id, source_sha256, agreements, stamp, terms, "
    "message_id, ended_reason) VALUES ('RL-1', 'TR-1', 'TR-1/1', 'l', '', 'live', '', '', 1, 1, '', '2026-01-01 00:00:00.000000', "
    "0, 0, :no, :no, 'tail', '', '', '[[\"a\", 1]]', :stamp, :terms, '', '')"
)
USAGE = (
    "INSERT INTO usage_records (claim, request, library_id, status, under, facts, requested_at, recorded_at) VALUES "
    "(:claim, 'TR-1', 'l', 'filled', '[]', :facts, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000')"
)
CHANGE = (
    "INSERT INTO usage_journal (claim, status, under, facts, at) "
    "VALUES (:claim, 'filled', '[\"a\"]', :facts, '2026-01-01 00:00:00.000000')"
)


@pytest.fixture(params=BOTH)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database of the schema before, with rows."""
    own = request.param == "postgresql"
    engine = open_engine(request.getfixturevalue("postgres_url") if own else f"sqlite:///{tmp_path / 'old.db'}")
    migrate(engine, "0018")
    with engine.execution_options(rushlight_write=True).begin() as connection:
        connection.execute(text(LIBRARY))
        said = {"citation": json.dumps(CITATION), "found": json.dumps({"blob": BLOB, "bytes": 5}), "decision": "{}"}
        connection.execute(text(REQUEST), {"number": "TR-1", **said})
        connection.execute(text(REQUEST), {"number": "TR-2", "citation": "{}", "found": "{}", "decision": "{}"})
        connection.execute(text(DELIVERY), {"no": False, "stamp": '{"why": "x"}', "terms": '{"renewals": 0}'})
        connection.execute(text(USAGE), {"claim": "TR-1/1", "facts": json.dumps(FACTS)})
        connection.execute(text(USAGE), {"claim": "TR-1/2", "facts": "{}"})
        changes = [
            {"claim": f"TR-{number}", "facts": json.dumps({"n": number}) if number % 3 else None}
            for number in range(MANY)
        ]
        connection.execute(text(CHANGE), changes)
    yield engine
    engine.dispose()


def rows(engine: Engine, kind: Any, key: Any) -> list[Any]:
    with Session(engine) as session:
        return list(session.scalars(select(kind).order_by(key)))


def test_old_rows_say_what_they_said_and_what_is_searched_stands_beside(old: Engine) -> None:
    migrate(old)

    one, two = rows(old, RequestRow, RequestRow.number)
    assert (one.citation, one.found, one.container, one.source_sha256) == (
        CITATION, {"blob": BLOB, "bytes": 5}, "Journal of Tides", "3f" * 32,
    )  # fmt: skip
    assert (two.citation, two.found, two.container, two.source_sha256) == ({}, {}, "", None)
    [copy] = rows(old, DeliveryRow, DeliveryRow.number)
    assert (copy.stamp, copy.terms, copy.agreements) == ({"why": "x"}, {"renewals": 0}, [["a", 1]])
    assert [(row.facts, row.copies) for row in rows(old, UsageRow, UsageRow.claim)] == [(FACTS, 3), ({}, 1)]


def test_the_whole_journal_is_packed_and_facts_that_were_not_said_stay_so(old: Engine) -> None:
    migrate(old, "0019")

    with old.connect() as connection:
        kept = [facts and bytes(facts) for facts in connection.execute(text(JOURNAL)).scalars()]
    assert [facts and unpacked(facts) for facts in kept] == [{"n": n} if n % 3 else None for n in range(MANY)]
    assert {facts[:1] for facts in kept if facts} == {b"\x01"}


def test_what_is_written_afterwards_is_read_beside_old_rows(old: Engine) -> None:
    migrate(old)
    with old.execution_options(rushlight_write=True).begin() as connection:
        connection.execute(
            insert(UsageChangeRow).values(claim="new", status="filled", under=[], before=FACTS, at=_newest(old))
        )

    assert rows(old, UsageChangeRow, UsageChangeRow.id)[-1].before == FACTS


def _newest(engine: Engine) -> Any:
    return rows(engine, UsageChangeRow, UsageChangeRow.id)[-1].at
