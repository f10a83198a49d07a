"""What may be the only file of somebody's copy is never removed, whatever became of the rows that named it."""

from __future__ import annotations

import pytest

from admin.fsck.repairing import repair
from tests.fsck.planting import Used, age

LOST_SIGHT = {
    "live-but-removed": "UPDATE deliveries SET blob_removed_at = '2026-11-24 09:00:00.000000' WHERE state = 'live'",
    "master-missing": "UPDATE masters SET removed_at = '2026-11-24 09:00:00.000000'",
    "file-missing": "UPDATE deliveries SET blob = 'copies/other.pdf' WHERE blob != ''",
    "event-without-copy": "DELETE FROM deliveries WHERE state = 'live' AND opens_used = 0",
}


def everything(used: Used) -> list[str]:
    return [path.name for kind in ("copies", "masters", "sources") for path in used.blobs(kind)]


def old(used: Used) -> None:
    for kind in ("copies", "masters", "sources"):
        for path in used.blobs(kind):
            age(path)


@pytest.mark.parametrize("code", LOST_SIGHT)
def test_a_file_that_a_changed_row_no_longer_names_is_kept_and_the_change_is_named(used: Used, code: str) -> None:
    old(used)
    before = everything(used)
    used.sql(LOST_SIGHT[code])

    found = used.found()
    done = [repair(used.services, one, used.patience()) for one in found]

    assert code in {one.code for one in found}
    assert not any(done)
    assert everything(used) == before


def test_the_master_of_a_live_copy_is_expected_though_its_own_row_is_gone(used: Used) -> None:
    old(used)
    used.sql("DELETE FROM masters")
    assert "file-missing" not in used.codes()
    for path in used.blobs("masters"):
        path.unlink()

    lacking = [one.ids for one in used.found() if one.code == "file-missing"]

    assert [one["delivery"] for one in lacking] == [used.delivery(used.opened)]


def test_what_stays_for_now_says_why_and_is_removed_when_nothing_is_missing(used: Used) -> None:
    orphan = used.blobs("copies")[0].with_name("nobody-s.pdf")
    orphan.write_bytes(b"%PDF-1.7")
    age(orphan)
    copy = used.delivery(used.opened)
    with used.world.store.read() as work:
        tail = work.deliveries.tail(copy)
    used.sql("DELETE FROM tails WHERE delivery = :copy", copy=copy)
    (kept,) = [one for one in used.found() if one.code == "file-orphan"]
    assert "tail-missing" in kept.detail
    assert not repair(used.services, kept, used.patience())

    used.sql("INSERT INTO tails (delivery, data) VALUES (:one, :tail)", one=copy, tail=tail)
    (gone,) = used.found()

    assert repair(used.services, gone, used.patience())
    assert not orphan.exists()
