"""The documentation says what the program does: generated pages are current, and no link leads nowhere."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

from tools import docs

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|(?:src|href)=\"([^\"]+)\"")
CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The fragments a page offers, made from its headings as code hosts make them."""
    headings = re.findall(r"^#+ +(.+?) *#*$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page: Path) -> list[str]:
    """Relative links of a page that name no file, or no heading of it."""
    found = LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))
    dead = []
    for target in (first or second for first, second in found):
        name, _, fragment = target.partition("#")
        aim = (page.parent / name).resolve() if name else page
        if re.match(r"[a-z]+:", target):
            continue
        if not aim.exists() or (fragment and aim.suffix == ".md" and fragment not in anchors(aim)):
            dead.append(target)
    return dead


@pytest.mark.parametrize("name", sorted(docs.PAGES))
def test_a_generated_page_is_current(name: str) -> None:
    assert read(f"docs/{name}") == docs.PAGES[name](), "type: make docs"


def test_every_setting_says_what_it_is_for() -> None:
    assert docs.undescribed_settings() == []


def test_every_command_and_option_says_what_it_is_for() -> None:
    silent = [" ".join(path) for path, command in docs.commands() if not (command.help or "").strip()]
    silent += [
        f"{' '.join(path)} {option.opts[-1]}"
        for path, command in docs.commands()
        for option in command.params
        if getattr(option, "help", "-") in (None, "")
    ]

    assert silent == []


@pytest.mark.parametrize("source", sorted(docs.CATALOGUES))
def test_every_reason_code_has_words_in_both_languages(source: str) -> None:
    entries = [entry for section in docs.sections(source).values() for entry in section.items()]
    languages = {code: {name.split()[-1] for name, text in texts.items() if text.strip()} for code, texts in entries}

    assert languages
    assert [code for code, words in languages.items() if not {"en", "zh"} <= words] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_link_leads_nowhere(page: Path) -> None:
    assert dead_links(page) == []


def test_a_dead_link_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# First steps: now\n", encoding="utf-8")
    page = tmp_path / "page.md"
    good = "[a](there.md) [b](there.md#first-steps-now) [c](https://example.org/x) `[x](nowhere.md)`"
    page.write_text(
        f"{good}\n[d](gone.md) ![e](gone.png) [f](there.md#last)\n```\n[g](code.md)\n```\n", encoding="utf-8"
    )

    assert dead_links(page) == ["gone.md", "gone.png", "there.md#last"]


def test_the_readme_shows_the_two_commands() -> None:
    assert {"make run", "make test"} <= set(re.findall(r"make (?:run|test)", read("README.md")))


def test_the_example_of_an_agreement_is_an_agreement() -> None:
    from drm.agreements import load_agreements
    from drm.obligations import unknown_codes

    [example] = re.findall(r"```toml\n(.*?)```", read("docs/agreements.md"), re.DOTALL)
    [agreement] = load_agreements(example, "docs/agreements.md")

    assert len(agreement.rules) == 4
    assert unknown_codes(agreement) == ()


def test_every_word_of_the_vocabulary_is_documented() -> None:
    from drm.agreement_rules import MEASURES
    from drm.facts.conditions import OPERATORS

    page = read("docs/agreements.md")

    assert [word for word in (*MEASURES, *OPERATORS) if f"{word}" not in page] == []


def test_every_fact_that_is_not_warned_of_is_documented() -> None:
    from drm.agreement_warnings import FACTS

    section = read("docs/agreements.md").partition("### Facts")[2].partition("###")[0]

    for group, names in FACTS.items():
        listed = section.partition(f"`{group}.` (")[2].partition(")")[0]
        assert [name for name in names.split() if f"`{name}`" not in listed] == [], group


def test_every_value_and_code_that_an_agreement_can_name_is_documented() -> None:
    from drm import obligations, statements
    from drm.fact_values import FLAGS, VALUES

    section = read("docs/agreements.md").partition("## Words and codes")[2].partition("\n## ")[0]
    words = [value for values in VALUES.values() for value in values]

    for word in (*words, *FLAGS, *statements.known_codes(), *obligations.known_codes()):
        assert f"`{word}`" in section, word


def test_every_fact_has_a_line_that_says_who_supplies_it() -> None:
    from drm.agreement_warnings import FACTS

    section = read("docs/agreements.md").partition("### Who supplies a fact")[2].partition("###")[0]
    first = "\n".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))

    for group, names in FACTS.items():
        lines = "\n".join(line for line in first.splitlines() if f"`{group}." in line)
        for name in names.split():
            assert f"`{group}.{name}`" in lines or f"`{name}`" in lines, f"{group}.{name}"


def test_every_file_and_test_that_is_said_to_prove_something_is_there() -> None:
    text = read("docs/pdf-proof.md")
    files = re.findall(r"`([\w/]+\.py)`", text)
    sources = "".join((ROOT / "tests" / name).read_text(encoding="utf-8") for name in set(files))

    assert len(files) > 20
    assert [name for name in re.findall(r"`(test_\w+)`", text) if f"def {name}(" not in sources] == []


SECTIONS_OF_ASVS = (
    "1.2.1 1.2.2 1.2.4 1.2.5 1.2.10 1.3.6 1.3.7 1.3.11 1.5.1 1.5.2 1.5.3 2.1.3 2.2.2 2.3.1 2.3.2 2.3.3 2.3.4 2.3.5 2.4.1 3.2.1 3.3.1 3.3.2 "
    "3.3.4 3.4.3 3.4.4 3.4.5 3.4.6 3.5.1 3.7.2 4.1.4 4.1.3 5.1.1 5.2.1 5.2.2 5.2.3 5.3.2 5.4.1 6.3.1 6.3.2 7.2.3 7.2.4 7.4.1 8.1.1 8.2.1 8.2.2 "
    "8.4.1 9.1.1 9.1.2 9.1.3 9.2.1 9.2.2 9.2.3 11.2.3 11.2.4 11.4.1 13.2.4 13.3.1 14.3.2 15.2.5 15.3.2 15.3.3 15.4.1 16.2.1 16.2.5 16.4.1 "
    "16.4.2 16.5.1 16.5.2"
)
"""The first number of each promise of this release, in the standard's sequence."""


@functools.cache
def named_in(name: str) -> frozenset[str]:
    """The tests of a file and the classes that have some, as they are written and not as they are collected."""
    tree = ast.parse((ROOT / "tests" / name).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef))


def rows_of(page: str) -> list[list[str]]:
    """The cells of all rows of a page's tables, without heads."""
    lines = [line.strip("| ").split(" | ") for line in read(page).splitlines() if line.startswith("| ")]
    return [cells for cells in lines if not cells[0].startswith(("id", "seed"))]


def test_each_promise_of_the_checklist_has_its_test_or_its_document() -> None:
    rows = rows_of("docs/security-checklist.md")
    named = [re.findall(r"`([\w/]+\.py)::(\w+)`", held) for _, _, held in rows]
    missing = [f"{file}::{test}" for row in named for file, test in row if test not in named_in(file)]

    assert [row[0].split(",")[0] for row in rows] == SECTIONS_OF_ASVS.split()
    assert len(rows) == 68
    assert missing == []
    assert [row[0] for row, tests in zip(rows, named, strict=True) if not tests and "](" not in row[2]] == []


def test_every_seed_is_a_bug_that_can_be_planted() -> None:
    from tests.mutations.catalogue import BUGS

    rows = rows_of("docs/seeded-bugs.md")
    known = {bug.name: bug for bug in BUGS}

    assert len(rows) == 38
    assert read("docs/seeded-bugs.md").count("\n## ") == 6
    assert [name for _, name in rows if name not in known] == []
    assert len(known) == len(BUGS)


def test_every_bug_names_a_place_that_is_there_once_and_tests_that_exist() -> None:
    from tests.mutations.catalogue import BUGS

    lost = [bug.name for bug in BUGS if read(bug.file).count(bug.old) != 1]
    gone = [test for bug in BUGS for test in bug.tests if not is_there(test)]

    assert lost == []
    assert gone == []


def is_there(test: str) -> bool:
    """Whether a file of tests, or one test of it, is there."""
    file, _, name = test.partition("::")
    return (ROOT / file).is_file() and (not name or name.partition("[")[0] in named_in(file.removeprefix("tests/")))
