"""One title is counted as one, under whatever ISSN or name it is asked for; what names no title is never a title of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from admin.cli_titles import keep
from delivery.document_request import DocumentRequest
from delivery.services import replaying, titling
from delivery.services.requesting import Asked, submit
from fetchers.holdings import read_holdings
from fetchers.issn_lists import ListFailed, is_centre_table, rows_of
from tests.world import LIMITED, World

PRINT, ONLINE = "0378-5955", "1878-5891"
TWO = LIMITED.format(most=2, per="title", effect="deny").replace('per = ["title"]', 'per = ["entity", "title"]')
CENTRE = f"ISSN\tISSN-L\n{PRINT}\t{PRINT}\n{ONLINE}\t{PRINT}\n"
KBART = (
    f"publication_title\tprint_identifier\tonline_identifier\nHearing\t{PRINT}\t{ONLINE}\nA book\t978-3-16-148410-0\t\n"
)


@pytest.fixture
def limited(world: World) -> World:
    world.load(TWO)
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])
    return world


def ask(world: World, title: str, **fields: str) -> DocumentRequest:
    given = {"genre": "article", "title": title, "year": "2026", "volume": "1", "issue": "1", **fields}
    return submit(world.ctx, world.reader, Asked(given, deliberate=True)).request


def load(world: World, folder: Path, text: str) -> int:
    file = folder / "list.tsv"
    file.write_text(text, encoding="utf-8-sig")
    return keep(world.services, list(rows_of(file)), is_centre_table(file))


@pytest.mark.parametrize("text", [CENTRE, KBART])
def test_print_and_electronic_issn_count_together(limited: World, tmp_path: Path, text: str) -> None:
    load(limited, tmp_path, text)

    asked = [ask(limited, f"Article {place}", issn=issn) for place, issn in enumerate((PRINT, ONLINE, ONLINE))]

    assert [one.reason for one in asked] == ["OK", "OK", "ROLLING_QUOTA"]


def test_what_went_out_before_the_map_was_loaded_counts_too(limited: World, tmp_path: Path) -> None:
    before = [ask(limited, f"Article {place}", issn=issn) for place, issn in enumerate((PRINT, ONLINE))]

    assert load(limited, tmp_path, CENTRE) == 1
    assert load(limited, tmp_path, CENTRE) == 0

    assert ask(limited, "Article 3", issn=PRINT).reason == "ROLLING_QUOTA"
    found = [replaying.replay(limited.ctx, one.number) for one in before]
    assert [one.differs for one in found if one] == [(), ()]


def test_an_issue_is_one_issue_under_both_issns(world: World, tmp_path: Path) -> None:
    world.load(LIMITED.format(most=1, per="issue", effect="deny"))
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])
    ask(world, "Article 1", issn=ONLINE)
    load(world, tmp_path, CENTRE)

    assert ask(world, "Article 2", issn=PRINT).reason == "ROLLING_QUOTA"


def test_what_the_issn_centre_says_is_not_changed_by_a_list_of_holdings(world: World, tmp_path: Path) -> None:
    other = "2049-3630"
    load(world, tmp_path, CENTRE)
    load(world, tmp_path, f"print_identifier\tonline_identifier\n{other}\t{ONLINE}\n")

    with world.store.read() as work:
        assert set(titling.family_of(work, other)) == {"03785955", "18785891", "20493630"}
        assert set(titling.family_of(work, other).values()) == {"03785955"}


def test_holdings_that_name_both_issns_serve_and_teach_both(tmp_path: Path) -> None:
    file = tmp_path / "holdings.tsv"
    file.write_text(
        f"file\ttitle\tprint_identifier\tonline_identifier\tprice\tthemed\na.pdf\tOn wicks\t{PRINT}\t{ONLINE}\t24.50\tyes\n"
        f"b.pdf\tOn oil\tnone\t\t\t\n",
        encoding="utf-8",
    )

    held = read_holdings(file)

    [only] = held.items
    found = held.match(replace(only.citation, issn=ONLINE))
    assert found is only
    assert (only.held.issns, only.held.price, only.held.themed) == ((PRINT, ONLINE), "24.50", True)
    assert held.problems == ("row 3: print_identifier 'none' is no ISSN",)


def test_a_list_in_neither_form_is_refused_and_a_bad_row_named(tmp_path: Path) -> None:
    file = tmp_path / "list.tsv"
    file.write_text(f"ISSN\tISSN-L\n{PRINT}\t{PRINT}\n1234-5678\t{PRINT}\n", encoding="utf-8")
    assert [row.problem for row in rows_of(file)] == ["", "issn '1234-5678' is no ISSN"]

    file.write_text("title;issn\n", encoding="utf-8")
    with pytest.raises(ListFailed):
        is_centre_table(file)


def test_articles_of_a_journal_known_by_name_alone_are_one_title(limited: World) -> None:
    names = ("Hearing Research", "HEARING  RESEARCH", "Hearing research.")

    asked = [ask(limited, f"Article {place}", container=name) for place, name in enumerate(names)]

    assert [one.reason for one in asked] == ["OK", "OK", "ROLLING_QUOTA"]


def test_an_article_by_doi_alone_has_no_title_and_meets_no_other(limited: World) -> None:
    asked = limited.ask(doi="10.5555/nowhere.1")

    facts = asked.decision["facts"]
    assert "id" not in facts["work"]  # type: ignore[index]
    with limited.store.read() as work:
        record = work.ledger.record(asked.claim)
    assert record is not None
    assert record.keys["title"] is None


def test_a_doi_that_a_collection_knows_has_the_title_of_the_holding(limited: World) -> None:
    asked = limited.ask(doi="10.5555/lantern.2021.0001")

    with limited.store.read() as work:
        record = work.ledger.record(asked.claim)
    assert record is not None
    assert record.keys["title"]
