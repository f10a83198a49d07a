"""The migrations that make rows smaller: they say afterwards what they said before, and again on the way back, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from delivery.citation import Citation, fingerprints
from drm.audit.events import Event, leaf_bytes, leaf_hash
from storage.audit_log import AuditLog, SqlUsageLog
from storage.checks.files import expected_files
from storage.deliveries import SqlDeliveries
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.masters import SqlMasters
from storage.migrating import _config, migrate
from storage.models.packing import packed, unpacked
from storage.requests import SqlRequests
from tests.services.databases import BOTH
from tests.storage.test_packing_old_rows import LIBRARY

AT = "2026-01-01 00:00:00.000000"
ASKED: dict[str, Any] = {"request": {"pages": ["1-9"]}, "reader": {"id": "5f" * 16}}
FILLED: dict[str, Any] = {"request": {"pages": ["1-9"], "fill_at": "then"}, "reader": {"id": "5f" * 16}}
CITATION = Citation(title="潮汐 and a title", year="2021", doi="10.5555/x")
MANY, OF_ONE = 1_203, 13
"""More claims than the migration takes at once, each with three changes; so many are of one reader."""
REQUEST = (
    "INSERT INTO requests (number, library_id, reader_key, state, hold, typed, citation, title, purpose, language, via, reason, "
    "reason_text, source_id, repeat_of, copy_no, approved, delivery, found, decision, created_at, changed_at, version) VALUES "
    "(:number, 'l', '', 'supplied', '', :empty, :citation, '', '', 'en', 'form', '', '', '', '', 1, '', '', :empty, :empty, "
    f"'{AT}', '{AT}', 1)"
)
USAGE = (
    "INSERT INTO usage_records (claim, request, library_id, status, under, facts, copies, reader, requested_at, recorded_at) "
    f"VALUES (:claim, :request, 'l', 'filled', '[\"a\"]', :facts, 1, :reader, '{AT}', '{AT}')"
)
CHANGE = (
    f"INSERT INTO usage_journal (claim, status, under, facts, at) VALUES (:claim, :status, '[\"a\"]', :facts, '{AT}')"
)
NAME = "INSERT INTO request_fingerprints (request, fingerprint) VALUES (:request, :name)"
SOURCE = f"sources/7d/{'7d' * 32}.pdf"
DELIVERY = (
    "INSERT INTO deliveries (number, request, claim, library_id, reader_key, state, blob, sha256, bytes, pages, filename, issued_at, "
    "opens_used, machine_hits, same_reader_only, open_access, engine, source_id, source_sha256, agreements, stamp, terms, "
    "message_id, ended_reason, master, base_bytes) VALUES (:number, 'TR-0000', :number, 'l', '', 'live', :blob, "
    f"'{'5c' * 32}', 1, 1, '', '{AT}', 0, 0, :no, :no, 'tail', '', '{'7d' * 32}', '[[\"a\", 1]]', :empty, :empty, '', '', "
    ":master, 1)"
)
MASTER = (
    "INSERT INTO masters (id, source_sha256, encrypted, only_for, engine_version, key_version, blob, record, made_at, used_at, "
    f"retired_reason) VALUES (:id, '{'7d' * 32}', :no, '', 1, '', 'masters/3a/{'3a' * 32}.pdf', '{{}}', '{AT}', '{AT}', '')"
)
EVENT = (
    "INSERT INTO audit_events (seq, leaf, hash, chain, at, kind, actor, library_id, request, delivery, agreements) "
    f"VALUES (:seq, :leaf, :hash, :leaf, '{AT}', 'request:looked', 'system', '', '', '', '')"
)
LOOKED = Event("request:looked", datetime(2026, 1, 1, tzinfo=UTC), "system")
JOURNAL = "SELECT claim, status, facts FROM usage_journal ORDER BY id"


def bind(engine: Engine, wanted: str) -> None:
    """Go back to an older revision."""
    with engine.execution_options(rushlight_write=True).connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, wanted)
        connection.commit()


def old_rows(connection: Connection) -> None:
    """As the release before wrote them: all facts with a claim's first change, and again where they changed."""
    connection.execute(text(LIBRARY))
    numbers = [f"TR-{number:04d}" for number in range(MANY)]
    asked, filled, empty = packed(ASKED), packed(FILLED), packed({})
    citation = packed(CITATION.to_dict())
    connection.execute(text(REQUEST), [{"number": one, "citation": citation, "empty": empty} for one in numbers])
    connection.execute(
        text(USAGE), [{"claim": f"{one}/1", "request": one, "facts": filled, "reader": one[-2:]} for one in numbers]
    )
    for status, facts in (("reserved", asked), ("filled", filled), ("filled", None)):
        rows = [{"claim": f"{one}/1", "status": status, "facts": facts} for one in numbers]
        connection.execute(text(CHANGE), rows)
    names = [{"request": one, "name": name} for one in numbers for name in fingerprints(CITATION)]
    connection.execute(text(NAME), names)


@pytest.fixture(params=BOTH)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database of the schema before, with rows."""
    own = request.param == "postgresql"
    engine = open_engine(request.getfixturevalue("postgres_url") if own else f"sqlite:///{tmp_path / 'old.db'}")
    migrate(engine, "0020")
    with engine.execution_options(rushlight_write=True).begin() as connection:
        old_rows(connection)
    yield engine
    engine.dispose()


def read(engine: Engine, wanted: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(wanted))]


def test_the_journal_tells_each_moment_as_before(old: Engine) -> None:
    migrate(old)

    with Session(old) as session:
        ledger = SqlLedger(session)
        for head, status, facts in (
            (MANY, "reserved", ASKED),
            (2 * MANY, "filled", FILLED),
            (3 * MANY, "filled", FILLED),
        ):
            then = ledger.history_at([({"reader": "01"}, None)], head)
            assert len(then) == OF_ONE
            assert {one.status for one in then} == {status}
            assert all(one.facts == facts for one in then)


def test_the_journal_says_facts_again_on_the_way_back(old: Engine) -> None:
    before = [(claim, status, facts and unpacked(facts)) for claim, status, facts in read(old, JOURNAL)]
    migrate(old)

    bind(old, "0020")

    assert [(claim, status, facts and unpacked(facts)) for claim, status, facts in read(old, JOURNAL)] == before
    assert len(read(old, "SELECT 1 FROM usage_records WHERE recorded_at IS NOT NULL")) == MANY


def test_works_are_found_by_their_marks_and_named_again_on_the_way_back(old: Engine) -> None:
    migrate(old)
    with Session(old) as session:
        assert len(SqlRequests(session).same_work(fingerprints(CITATION), "l", 2 * MANY)) == MANY
        assert SqlRequests(session).same_work(("doi:10.5555/other",), "l") == ()

    bind(old, "0020")

    found = read(old, "SELECT request, fingerprint FROM request_fingerprints ORDER BY request, fingerprint")
    assert found[:2] == [("TR-0000", name) for name in sorted(fingerprints(CITATION))]
    assert len(found) == MANY * len(fingerprints(CITATION))


def test_digests_and_the_names_that_follow_from_them_come_back(old: Engine) -> None:
    with old.execution_options(rushlight_write=True).begin() as connection:
        connection.execute(text(f"UPDATE requests SET source_blob = '{SOURCE}' WHERE number = 'TR-0000'"))
        connection.execute(text(MASTER), {"id": "3a" * 32, "no": False})
        for place, (blob, master) in enumerate(((f"masters/3a/{'3a' * 32}.pdf", "3a" * 32), ("copies/whole.pdf", ""))):
            values = {"number": f"RL-{place}", "blob": blob, "master": master, "no": False, "empty": packed({})}
            connection.execute(text(DELIVERY), values)
    wanted = "SELECT number, blob, sha256, source_sha256, master FROM deliveries ORDER BY number"
    before = read(old, wanted)

    migrate(old)
    with Session(old) as session:
        shared, whole = (SqlDeliveries(session).get(number) for number in ("RL-0", "RL-1"))
        assert SqlMasters(session).unneeded(5) == ()
        files = {file.name for file in expected_files(session)}
    assert (shared.blob, shared.sha256, shared.master) == (f"masters/3a/{'3a' * 32}.pdf", "5c" * 32, "3a" * 32)
    assert (whole.blob, whole.source_sha256, whole.master) == ("copies/whole.pdf", "7d" * 32, "")
    assert files == {SOURCE, shared.blob}

    bind(old, "0022")

    assert read(old, wanted) == before
    assert read(old, "SELECT id, source_sha256 FROM masters") == [("3a" * 32, "7d" * 32)]
    assert read(old, "SELECT source_blob FROM requests ORDER BY number LIMIT 2") == [(SOURCE,), ("",)]


def test_the_hashes_of_events_follow_from_their_bytes_and_are_written_again_on_the_way_back(old: Engine) -> None:
    leaves = [leaf_bytes(seq, LOOKED) for seq in range(1, 2 * MANY)]
    with old.execution_options(rushlight_write=True).begin() as connection:
        rows = [{"seq": seq, "leaf": leaf, "hash": leaf_hash(leaf)} for seq, leaf in enumerate(leaves, 1)]
        connection.execute(text(EVENT), rows)
    wanted = "SELECT seq, leaf, hash FROM audit_events ORDER BY seq"
    before = read(old, wanted)

    migrate(old)
    with Session(old) as session:
        assert [row.leaf for row in SqlUsageLog(session).rows()] == leaves
    bind(old, "0023")

    assert read(old, wanted) == before
    with (
        old.execution_options(rushlight_write=True).begin() as connection,
        pytest.raises(DatabaseError, match="append"),
    ):
        connection.execute(text("UPDATE audit_events SET kind = 'x'"))


def test_events_of_which_columns_say_most_are_written_whole_again_on_the_way_back(old: Engine) -> None:
    migrate(old)
    digest = "7d" * 32
    events = [
        LOOKED,
        replace(
            LOOKED, library="l", request="TR-0001", delivery="RL-0001", agreements=(("a", 1), ("b", 12)), code="OK"
        ),
        replace(LOOKED, facts=digest, counts={"a.per_month": {"used": 1, "limit": 3}}),
        replace(LOOKED, digest=digest, code="潮汐"),
        replace(LOOKED, digest=digest, facts="5c" * 32, actor='who "is" not named'),
    ]
    leaves = [leaf_bytes(seq, event) for seq, event in enumerate(events, 1)]
    with Session(old.execution_options(rushlight_write=True)) as session:
        AuditLog(b"key", None).append(session, events)
        session.commit()
    kept = read(old, "SELECT leaf FROM audit_events ORDER BY seq")

    bind(old, "0024")

    assert [bytes(leaf) for (leaf,) in read(old, "SELECT leaf FROM audit_events ORDER BY seq")] == leaves
    assert sum(len(leaf) for (leaf,) in kept) < sum(map(len, leaves)) / 2
    migrate(old)
    with Session(old) as session:
        assert [row.leaf for row in SqlUsageLog(session).rows()] == leaves
