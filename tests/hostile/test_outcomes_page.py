"""The kept table of outcomes speaks of the files that the catalogue has, and of nothing wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.hostile.catalogue import HOSTILE, classes
from tests.hostile.drafts import DELIVERED, Hostile
from tests.hostile.judging import Outcome
from tools.outcomes import Done, Job, page, table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "pdf-outcomes.md"
ROW = re.compile(
    r"^\| (?P<kind>[^|]+) \| (?P<files>\d+) \| (?P<delivered>\d+) \| (?P<refused>[^|]+) \| (?P<wrong>\d+) \|$", re.M
)


def rows(title: str) -> dict[str, dict[str, str]]:
    text = PAGE.read_text(encoding="utf-8")
    part = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.S | re.M)
    assert part, "type: make outcomes"
    return {row["kind"]: row.groupdict() for row in ROW.finditer(part[1])}


@pytest.mark.parametrize(("title", "files"), [("Hostile files", HOSTILE)])
def test_the_kept_table_counts_the_files_of_the_catalogue(title: str, files: tuple[Hostile, ...]) -> None:
    kept = rows(title)

    assert {kind: int(row["files"]) for kind, row in kept.items() if kind != "**all**"} == {
        kind: len(some) for kind, some in classes(files).items()
    }
    assert int(kept["**all**"]["files"]) == len(files)
    assert [kind for kind, row in kept.items() if row["wrong"] != "0"] == []


@pytest.mark.parametrize("title", ["Hostile files"])
def test_each_file_was_given_to_both_engines(title: str) -> None:
    for row in rows(title).values():
        refused = sum(int(number) for number in re.findall(r" (\d+)", row["refused"]))
        assert int(row["delivered"]) + refused == 2 * int(row["files"])


def test_what_is_wrong_is_counted_and_other_parts_of_the_page_are_kept() -> None:
    good = Done(Job("hostile", 0, "tail"), Outcome("one", "kind", "tail", DELIVERED))
    bad = Done(Job("hostile", 0, "rewrite"), Outcome("one", "kind", "rewrite", "crashed", ("no",)))
    before = page("", ["poison"], [Done(Job("poison", 0, "tail"), Outcome("two", "other", "tail", "bomb"))])

    assert "| kind | 1 | 1 | crashed 1 | 1 |" in table([good, bad])
    after = page(before, ["hostile"], [good, bad])
    assert "| other | 1 | 0 | bomb 1 | 0 |" in after
    assert "| kind | 1 | 1 | crashed 1 | 1 |" in after
