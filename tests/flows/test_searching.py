"""Searching a long history on the pages: what was looked at is said, and one link goes on from there."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests.delivery.web_test_support import signed_in
from tests.long_history import bury
from tests.world import World

WORDS = "Old estuaries"
SAID = {
    "en": ("Searched back to", "Search further back", "that is all"),
    "zh": ("已往前搜索到", "继续往前搜索", "没有更多了"),
}
PAGES = {"librarian": "/queue?view=all&q=estuaries", "officer": "/rights/log?title=ESTUARIES"}


def client_of(world: World, who: str) -> FlaskClient:
    return signed_in(world.staff_app(), getattr(world, who))


def text_of(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.get_data(as_text=True)


def way(page: str, rel: str) -> str:
    """Where the link on a page that goes this way leads."""
    found = re.search(rf'rel="{rel}" href="(\?[^"]+)"', page)
    assert found is not None, page
    return found[1].replace("&amp;", "&")


@pytest.fixture
def buried(world: World) -> str:
    """A request that lies deeper than one leg of a search goes."""
    number = world.ask(title=WORDS, year="2020").number
    world.work()
    bury(world, number)
    return number


@pytest.mark.parametrize("language", SAID)
@pytest.mark.parametrize("who", PAGES)
def test_a_search_says_where_it_stopped_and_goes_on_from_there(
    world: World, buried: str, who: str, language: str
) -> None:
    client, path = client_of(world, who), PAGES[who].split("?", maxsplit=1)[0]
    stopped, further, all_of_it = SAID[language]
    first = text_of(client, f"{PAGES[who]}&lang={language}")
    second = text_of(client, path + way(first, "next"))
    again = text_of(client, path + way(second, "prev"))

    assert (stopped in first, further in first, buried in first) == (True, True, False)
    assert (buried in second, all_of_it in second, further in second) == (True, True, False)
    assert buried not in again


def test_a_search_that_reached_the_beginning_says_nothing(world: World) -> None:
    number = world.ask(title=WORDS, year="2020").number
    for who, address in PAGES.items():
        page = text_of(client_of(world, who), address)

        assert number in page
        assert not [words for words in SAID["en"] if words in page]


def test_a_full_page_of_hits_leads_to_the_older_ones_and_back(world: World, buried: str) -> None:
    client = client_of(world, "librarian")
    numbers = re.compile(r"/requests/(TR-[0-9]{8})\"")
    first = text_of(client, "/queue?view=all&q=sediment")
    second = text_of(client, "/queue" + way(first, "next"))
    again = text_of(client, "/queue" + way(second, "prev"))
    shown = [list(dict.fromkeys(numbers.findall(page))) for page in (first, second, again)]

    assert [len(found) for found in shown] == [50, 50, 50]
    assert not set(shown[0]) & set(shown[1])
    assert shown[2] == shown[0]
    assert "Searched" not in first


@pytest.mark.parametrize("place", ["x", "older.0.20260303T101112000013.TR-1%00", "older.9.20260303T101112000013.7"])
def test_a_place_that_was_never_given_is_refused_in_words(world: World, place: str) -> None:
    for who, address in PAGES.items():
        answer = client_of(world, who).get(f"{address}&from={place}")

        assert answer.status_code == 422
        assert "names no place in the list" in answer.get_data(as_text=True)


def test_another_librarys_request_is_neither_found_nor_counted_from_a_given_place(world: World, buried: str) -> None:
    address = f"{PAGES['librarian']}&from=older.0.20990101T000000000000.{buried}"
    page = text_of(client_of(world, "stranger"), address)

    assert buried not in page.replace(f"000.{buried}", "")
    assert "Search further" not in page


def test_the_export_of_a_search_holds_all_of_it(world: World, buried: str) -> None:
    rows = client_of(world, "officer").get("/rights/log.csv?title=estuaries").get_data(as_text=True)

    assert buried in rows
