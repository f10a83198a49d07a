"""Each rule of fsck sees the very violation that is planted in a used installation, and nothing where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from delivery.services import governing
from tests.fsck.planting import Used, age, make_used


@pytest.fixture
def on_postgresql(postgres_url: str, tmp_path: Path, collection: Path) -> Iterator[Used]:
    made = make_used(tmp_path / "home", collection, postgres_url)
    yield made
    made.world.close()


SQL = {
    "request-lost": "UPDATE requests SET state = 'preparing' WHERE number = :at_desk",
    "request-overdue": "UPDATE requests SET state = 'fetching', changed_at = '2020-01-01' WHERE number = :at_desk",
    "supplied-without-copy": "UPDATE requests SET delivery = 'D-NOWHERE' WHERE number = :opened",
    "copy-of-another": "UPDATE deliveries SET claim = 'R-OTHER/1' WHERE number = :copy",
    "reader-mixed-up": "UPDATE reader_links SET reader_key = 'somebody-else' WHERE request = :opened",
    "message-id-shared": "UPDATE deliveries SET message_id = '<same@x>'",
    "copy-not-announced": "DELETE FROM jobs WHERE key = 'mail:delivered:' || :copy",
    "tail-missing": "DELETE FROM tails WHERE delivery = :copy",
    "master-missing": "UPDATE deliveries SET master = 'nothing' WHERE number = :copy",
    "ledger-odd": "DELETE FROM ledger WHERE claim = :opened || '/1' AND kind = 'reserve'",
    "ledger-record-differs": "DELETE FROM ledger WHERE claim = :opened || '/1' AND kind = 'settle'",
    "copy-not-counted": "UPDATE usage_records SET status = 'cancelled' WHERE claim = :opened || '/1'",
    "counted-without-copy": "UPDATE deliveries SET state = 'replaced' WHERE number = :copy",
    "slot-leaked": "UPDATE usage_records SET status = 'reserved' WHERE claim = :revoked || '/1'",
    "opens-differ": "UPDATE deliveries SET opens_used = 0 WHERE number = :copy",
    "log-head-differs": "UPDATE audit_head SET size = size + 1",
    "link-outlived": "UPDATE deliveries SET expires_at = '2020-01-01' WHERE number = :copy",
    "ended-at-no-time": "UPDATE deliveries SET ended_at = NULL WHERE request = :revoked",
    "live-but-removed": "UPDATE deliveries SET blob_removed_at = '2020-01-01' WHERE number = :copy",
    "file-outlived": "UPDATE deliveries SET ended_at = '2020-01-01' WHERE request = :revoked",
    "lease-stale": "UPDATE jobs SET state = 'running', lease_until = '2020-01-01' WHERE key = 'mail:delivered:' || :copy",
    "job-waits": "UPDATE jobs SET state = 'queued', run_after = '2020-01-01' WHERE key = 'mail:delivered:' || :copy",
    "job-set-aside": "UPDATE jobs SET state = 'quarantined' WHERE key = 'mail:delivered:' || :copy",
    "file-damaged": "UPDATE deliveries SET bytes = bytes + 1 WHERE request = :whole",
}


def plant(used: Used, code: str) -> None:
    names = {"opened": used.opened, "whole": used.whole, "at_desk": used.at_desk, "revoked": used.revoked}
    names["copy"] = used.delivery(used.opened)
    needed = {name: value for name, value in names.items() if f":{name}" in SQL[code]}
    assert used.sql(SQL[code], **needed) > 0


def test_a_used_installation_breaks_no_rule(used: Used) -> None:
    assert used.found(deep=True) == []


def test_a_used_installation_on_postgresql_breaks_no_rule(on_postgresql: Used) -> None:
    assert on_postgresql.found(deep=True) == []


@pytest.mark.parametrize("code", sorted(SQL))
def test_what_is_changed_in_a_row_is_named(used: Used, code: str) -> None:
    plant(used, code)

    assert code in used.codes()


def test_every_such_change_is_named_on_postgresql_too(on_postgresql: Used) -> None:
    for code in (
        "message-id-shared",
        "opens-differ",
        "ended-at-no-time",
        "lease-stale",
        "ledger-odd",
        "slot-leaked",
        "live-but-removed",
    ):
        plant(on_postgresql, code)
    on_postgresql.sql("DELETE FROM tails")
    on_postgresql.sql("UPDATE requests SET state = 'preparing' WHERE number = :one", one=on_postgresql.at_desk)
    on_postgresql.blobs("masters")[0].unlink()

    assert on_postgresql.codes(deep=True) >= {
        "message-id-shared", "opens-differ", "ended-at-no-time", "lease-stale", "ledger-odd", "slot-leaked",
        "tail-missing", "request-lost", "file-missing", "live-but-removed",
    }  # fmt: skip


def test_two_copies_of_one_request_are_named(used: Used) -> None:
    columns = (
        "library_id, reader_key, state, blob, sha256, bytes, pages, filename, issued_at, opens_used, machine_hits, same_reader_only,"
        " open_access, engine, source_id, source_sha256, agreements, stamp, terms, ended_reason, master, base_bytes"
    )
    used.sql(
        f"INSERT INTO deliveries (number, request, claim, message_id, {columns})"
        f" SELECT 'D-TWICE', request, request || '/2', '<twice@x>', {columns} FROM deliveries WHERE number = :copy",
        copy=used.delivery(used.opened),
    )

    assert used.codes() >= {"delivered-twice", "copy-without-event", "settle-without-event", "copy-not-announced"}


def test_a_request_that_is_settled_twice_is_named(used: Used) -> None:
    used.sql("UPDATE usage_records SET request = :one WHERE request = :other", one=used.opened, other=used.whole)

    assert "settled-twice" in used.codes()


def test_a_copy_beyond_a_limit_is_named_with_its_claim(used: Used) -> None:
    mine = used.sql(
        "UPDATE usage_records SET reader = 'same', copies = 4, facts = json_set(plain(facts), '$.request.copies', 4)"
    )
    used.sql("UPDATE usage_records SET filled_at = '2026-11-24 10:00:00.000000' WHERE request = :one", one=used.whole)

    found = [one for one in used.found() if one.code == "limit-exceeded"]

    assert mine > 1
    assert {one.ids["rule"] for one in found} == {"limited.per_month"}
    assert [one.ids["request"] for one in found] == [used.whole]


def test_what_the_log_lacks_or_tells_too_much_is_named(used: Used) -> None:
    used.unguard_log()
    used.sql("DELETE FROM audit_events WHERE kind = 'copy:supplied' AND request = :one", one=used.opened)
    used.sql("DELETE FROM audit_events WHERE kind = 'quota:refunded'")
    used.sql(
        "UPDATE audit_events SET request = 'R-NONE' WHERE kind = 'quota:reserved' AND request = :one", one=used.whole
    )
    used.sql(
        "UPDATE audit_events SET delivery = 'D-NONE' WHERE kind = 'copy:supplied' AND request = :one", one=used.whole
    )
    used.sql(
        "UPDATE audit_events SET request = 'R-NONE' WHERE kind = 'quota:settled' AND request = :one", one=used.whole
    )

    assert used.codes() >= {
        "log-broken", "copy-without-event", "event-without-copy", "settle-without-event", "event-without-entry",
        "refund-without-event",
    }  # fmt: skip


def test_an_agreement_whose_text_is_changed_or_gone_is_named(used: Used) -> None:
    with used.world.store.read() as work:
        [confirmed, *_] = work.agreements.versions("open")
    governing.save_draft(used.world.ctx, used.world.officer, confirmed.text.replace("version = 1\n[", "version = 7\n["))
    assert used.found() == []

    assert used.sql("UPDATE agreements SET text = replace(text, 'le = 1', 'le = 9') WHERE version = 7") == 1
    assert used.codes() == {"agreement-differs"}
    assert used.sql("DELETE FROM agreements WHERE version = 7") == 1
    assert used.codes() == {"agreement-differs"}


def test_an_event_whose_text_is_no_utf_8_is_named(used: Used) -> None:
    used.unguard_log()
    for kind in ("copy:supplied", "quota:reserved"):
        used.sql(
            "UPDATE audit_events SET request = CAST(x'fffe' AS TEXT), delivery = CAST(x'fffe' AS TEXT)"
            " WHERE kind = :kind AND request = :one",
            kind=kind,
            one=used.opened,
        )

    assert used.codes() >= {"log-broken", "event-without-copy", "event-without-entry", "copy-without-event"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM audit_head", "no head row"),
        ("UPDATE audit_head SET chain = zeroblob(32)", "another chain value"),
        ("INSERT INTO audit_head SELECT 2, size, chain, frontier, hashed FROM audit_head", "a head row 2"),
    ],
)
def test_a_head_row_that_is_gone_or_was_changed_is_named(used: Used, change: str, told: str) -> None:
    used.sql(change)

    found = {one.code: one.detail for one in used.found()}

    assert found.keys() == {"log-broken", "log-head-differs"}
    assert told in found["log-head-differs"]


def test_a_log_that_was_rolled_back_is_named(used: Used) -> None:
    used.unguard_log()
    last = used.sql("DELETE FROM audit_events WHERE seq > 5")
    used.sql("UPDATE audit_head SET size = 5")

    assert last > 0
    assert "log-broken" in used.codes()


def test_a_file_that_is_gone_is_named_with_its_owner(used: Used) -> None:
    used.blobs("masters")[0].unlink()
    used.blobs("copies")[0].unlink()

    found = [one for one in used.found() if one.code == "file-missing"]

    assert {kind for one in found for kind in one.ids} == {"master", "delivery", "file"}


@pytest.mark.parametrize("kind", ["sources", "masters", "copies"])
def test_a_byte_that_is_changed_is_seen_when_all_is_read(used: Used, kind: str) -> None:
    file = used.blobs(kind)[0]
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(data)

    assert "file-damaged" not in used.codes()
    assert "file-damaged" in used.codes(deep=True)


def test_a_tail_that_is_changed_is_seen_when_all_is_read(used: Used) -> None:
    used.sql("UPDATE tails SET data = zeroblob(length(data)) WHERE delivery = :one", one=used.delivery(used.opened))

    assert used.codes(deep=True) == {"tail-damaged"}


def test_an_orphan_is_named_once_it_is_older_than_the_grace_time(used: Used) -> None:
    orphan = used.blobs("copies")[0].with_name("nobody-s.pdf")
    orphan.write_bytes(b"%PDF-1.7")
    assert used.codes() == set()
    age(orphan)

    assert [one.ids["file"] for one in used.found()] == ["copies/nobody-s.pdf"]


def test_what_a_killed_process_left_is_named(used: Used) -> None:
    left = used.services.settings.blob_folder / "work.tmp" / "put-0123"
    left.write_bytes(b"half")
    age(left)

    assert [(one.code, one.ids["file"]) for one in used.found()] == [("left-over", "work.tmp/put-0123")]
