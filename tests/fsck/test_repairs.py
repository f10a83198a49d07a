"""What is safe is put right and told in the log; nothing else is touched."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from admin.cli import rushlight
from admin.fsck.repairing import repair
from admin.fsck.telling import catalogue
from delivery.lifecycle import State
from delivery.services import expiring
from delivery.stores import LogFilter
from delivery.violations import Repair
from tests.fsck.planting import Used, age
from tests.fsck.test_rules import plant
from tests.services.s3 import S3Server
from tests.storage.test_blobs import bucket_of
from tests.world import make_world

ROWS = ["copy-not-announced", "lease-stale", "link-outlived", "file-outlived"]


def tidy(used: Used) -> None:
    """What the sweeper does in the hours after."""
    used.world.clock.move(timedelta(hours=3))
    expiring.remove_files(used.world.ctx)


def put_right(used: Used) -> list[bool]:
    return [repair(used.services, one, used.patience()) for one in used.found()]


def logged(used: Used) -> list[str]:
    with used.world.store.read() as work:
        return [entry.code for entry in work.log.find(LogFilter(kind="fsck:repaired")).entries]


@pytest.mark.parametrize("code", ROWS)
def test_a_row_is_put_right_once_and_the_log_tells(used: Used, code: str) -> None:
    plant(used, code)

    assert put_right(used) == [True]
    assert logged(used) == [code]
    used.world.work()
    tidy(used)
    assert used.found() == []


def test_a_lost_request_is_worked_on_again(used: Used) -> None:
    number = used.world.ask(used.world.other, doi="10.5555/lantern.2022.0002", title="again").number
    used.sql("DELETE FROM jobs WHERE state = 'queued'")
    assert used.codes() == {"request-lost"}

    assert put_right(used) == [True]

    used.world.work()
    assert used.world.get(number).state is State.SUPPLIED
    assert used.found() == []


def test_a_job_that_waits_is_rung_for(used: Used) -> None:
    plant(used, "job-waits")
    rung: list[int] = []
    used.world.store.ring = rung.append

    assert put_right(used) == [True]
    assert len(rung) == 1


def test_orphans_and_left_overs_are_removed(used: Used) -> None:
    orphan = used.blobs("copies")[0].with_name("nobody-s.pdf")
    left = used.services.settings.blob_folder / "work.tmp" / "put-0123"
    for path in (orphan, left):
        path.write_bytes(b"%PDF-1.7")
        age(path)
    kept = used.blobs("masters")

    assert put_right(used) == [True, True]
    assert used.found() == []
    assert used.blobs("masters") == kept


def test_an_orphan_that_found_an_owner_meanwhile_is_kept(used: Used) -> None:
    orphan = used.blobs("copies")[0].with_name("nobody-s.pdf")
    orphan.write_bytes(b"%PDF-1.7")
    age(orphan)
    found = used.found()
    used.sql("UPDATE deliveries SET blob = 'copies/nobody-s.pdf' WHERE request = :one", one=used.whole)

    assert [repair(used.services, one, used.patience()) for one in found] == [False]
    assert orphan.exists()


def test_what_a_person_must_judge_is_left_alone(used: Used) -> None:
    plant(used, "ledger-odd")
    plant(used, "opens-differ")
    before = {one.code for one in used.found()}

    assert not any(put_right(used))
    assert {one.code for one in used.found()} == before


def test_in_a_bucket_orphans_and_unfinished_uploads_are_found_and_removed(
    s3: S3Server, tmp_path: Path, collection: Path
) -> None:
    bucket = bucket_of(s3)
    world = make_world(
        tmp_path / "home", collection, blob_url=f"s3://{bucket.name}/{bucket.prefix}", s3_endpoint=bucket.endpoint,
        s3_access_key=bucket.access_key, s3_secret_key=bucket.secret_key,
    )  # fmt: skip
    world.clock.now = world.clock.now.replace(year=2030)
    used = Used(world, world.ask().number, "", "", "")
    world.work()
    (tmp_path / "orphan").write_bytes(b"%PDF-1.7")
    world.ctx.blobs.put("copies/nobody-s.pdf", tmp_path / "orphan")
    client = world.ctx.blobs._client  # type: ignore[attr-defined]  # an upload that nobody finishes has no other way in
    client.create_multipart_upload(Bucket=bucket.name, Key=f"{bucket.prefix}/sources/large.pdf")

    assert used.codes(deep=True) == {"file-orphan", "left-over"}
    assert put_right(used) == [True, True]
    assert used.found(deep=True) == []
    world.close()


def run(used: Used, *words: str) -> tuple[int, str]:
    tidy(used)
    settings = {"RUSHLIGHT_HOME": str(used.services.settings.home)}
    result = CliRunner().invoke(rushlight, ["fsck", *words], env=settings)
    return result.exit_code, result.output


def test_the_command_says_by_its_exit_code_whether_all_is_well(used: Used) -> None:
    plant(used, "opens-differ")

    code, said = run(used)

    assert code == 1
    assert f"opens-differ: delivery={used.delivery(used.opened)}: " in said
    assert catalogue()["opens-differ"]["cure"]["en"] in said


def test_the_command_speaks_json_and_counts_what_it_repaired(used: Used) -> None:
    plant(used, "copy-not-announced")

    assert run(used, "--json")[0] == 1
    code, said = run(used, "--json", "--repair")

    lines = [json.loads(line) for line in said.splitlines()]
    assert code == 0
    assert lines[0]["code"] == "copy-not-announced"
    assert lines[0]["ids"]["delivery"] == used.delivery(used.opened)
    assert lines[-1] == {"violations": 1, "notices": 0, "repaired": 1}


def test_several_left_overs_are_all_repaired_by_one_sweep(used: Used) -> None:
    left = [used.services.settings.blob_folder / "work.tmp" / f"put-{at}" for at in range(3)]
    for path in left:
        path.write_bytes(b"half")
        age(path)

    code, said = run(used, "--repair")

    assert code == 0
    assert said.endswith("3 violations, 0 notices, 3 repaired\n")
    assert not any(path.exists() for path in left)


def test_jobs_that_wait_for_a_person_are_told_and_break_nothing(used: Used) -> None:
    plant(used, "job-set-aside")

    code, said = run(used)

    assert code == 0
    assert "job-set-aside" in said


def test_every_code_that_is_told_has_words_and_every_repair_an_act() -> None:
    import re

    from admin.fsck.repairing import ACTS

    root = Path(__file__).parents[2]
    files = [*(root / "storage" / "checks").glob("*.py"), *(root / "admin" / "fsck").glob("*.py")]
    told = set()
    for path in files:
        source = path.read_text()
        told |= set(re.findall(r'Violation\(\s*"([a-z-]+)"', source)) | set(
            re.findall(r'code = "([a-z-]+)" if', source)
        )
    told |= {"counted-without-copy"}

    assert told == set(catalogue())
    assert set(ACTS) == set(Repair) - {Repair.NONE}
