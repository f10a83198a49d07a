"""Whatever stands in a damaged row or file, fsck tells all it finds and ends with 1."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from admin.cli import rushlight
from admin.fsck.guarding import guarded
from delivery.errors import Unavailable
from delivery.violations import Violation
from tests.fsck.planting import Used, age
from tests.fsck.test_repairs import run

DAMAGE = {
    "agreement": "UPDATE agreements SET text = 'garbage [[' WHERE id = 'limited'",
    "event": "UPDATE audit_events SET delivery = CAST(X'fffe' AS TEXT) WHERE kind = 'copy:supplied'",
    "blob": "UPDATE deliveries SET blob = '../../etc/x.pdf' WHERE blob != ''",
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_row_that_cannot_be_read_silences_no_other_rule(used: Used, what: str) -> None:
    used.unguard_log()
    used.sql("DELETE FROM tails")
    used.sql(DAMAGE[what])

    code, said = run(used, "--deep")

    assert code == 1
    assert "tail-missing" in said
    assert {"agreement": "check-failed", "event": "log-broken", "blob": "file-missing"}[what] in said


def test_a_folder_in_the_place_of_a_file_is_named(used: Used) -> None:
    file = used.blobs("copies")[0]
    file.unlink()
    file.mkdir()

    assert used.codes(deep=True) == {"file-missing", "file-unreadable"}


def test_a_file_whose_name_is_no_text_is_named_and_printed(used: Used) -> None:
    strange = used.blobs("copies")[0].with_name("x\n\udcff.pdf")
    strange.write_bytes(b"%PDF-1.7")
    age(strange)

    code, said = run(used, "--repair")
    again, lines = run(used, "--json")

    assert (code, again) == (1, 1)
    assert "file=copies/x\\n\\udcff.pdf" in said
    assert json.loads(lines.splitlines()[0])["ids"]["file"] == "copies/x\n\udcff.pdf"


def test_a_rule_that_stumbles_is_named_beside_what_it_found_before(used: Used) -> None:
    def stumbles() -> object:
        yield Violation("left-over", {})
        raise ValueError("no\nsense")

    found = list(guarded(used.services, {"check": "mine"}, stumbles))  # type: ignore[arg-type]  # a generator is one

    assert [one.code for one in found] == ["left-over", "check-failed"]
    assert found[1].detail == "ValueError: no sense"


def test_a_database_that_is_away_is_no_finding(used: Used) -> None:
    used.world.close()
    used.services.settings.home.joinpath("rushlight.db").unlink()
    used.services.settings.home.joinpath("rushlight.db").mkdir()

    done = CliRunner().invoke(rushlight, ["fsck"], env={"RUSHLIGHT_HOME": str(used.services.settings.home)})

    assert isinstance(done.exception, Unavailable)
    assert done.exception.code == "database-away"
