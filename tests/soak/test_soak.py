"""The soak can be stopped at any time: what has passed at a commit is not run again, what failed is."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.soak.__main__ import figures, soak
from tests.soak.diary import Diary, table
from tests.soak.parts import PARTS, ROOT, Part


def part(name: str, code: str) -> Part:
    return Part(name, "a thing", (sys.executable, "-c", code), 1)


def test_it_goes_on_where_it_was_stopped_and_tries_again_what_failed(tmp_path: Path) -> None:
    ran, diary = tmp_path / "ran", Diary(tmp_path / "diary.jsonl")
    note = f"open({str(ran)!r}, 'a').write('{{}} '); print('3 rounds of it'); "
    parts = [part("one", note.format("one")), part("two", note.format("two") + "1/0")]

    first = soak(parts, diary, tmp_path)
    mended = [parts[0], part("two", note.format("mended"))]
    second = soak(mended, diary, tmp_path)

    assert (first, second) == (False, True)
    assert ran.read_text().split() == ["one", "two", "mended"]
    assert [outcome.closing for outcome in diary.outcomes().values()] == ["3 rounds of it"] * 2


def test_a_line_of_the_diary_that_was_cut_off_is_a_part_that_was_not_run(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "diary.jsonl")
    soak([part("one", "pass"), part("two", "pass")], diary, tmp_path)
    kept = (tmp_path / "diary.jsonl").read_bytes()
    (tmp_path / "diary.jsonl").write_bytes(kept[:-20])

    assert list(diary.outcomes()) == ["one"]
    assert "| two | a thing | not run |" in table("abc", [("one", "a thing"), ("two", "a thing")], diary.outcomes())


def test_what_the_tests_told_is_found_in_their_output(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("....\n165 kills, next point after 2.5 s, p95 4.1 s\nnoise\n===== 2 passed in 9.30s =====\n")

    assert figures(log) == "165 kills, next point after 2.5 s, p95 4.1 s; 2 passed in 9.30s"


def test_every_file_that_the_soak_names_is_there_and_every_fault_has_a_part() -> None:
    paths = {word for one in PARTS for word in one.command if word.startswith("tests/")}
    own = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests" / "faults").glob("test_*.py")}

    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
    assert own - paths == {"tests/faults/test_changed_meanwhile.py", "tests/faults/test_order.py"}
    assert {f"F{number}" for number in range(1, 17)} <= {one.name for one in PARTS}
