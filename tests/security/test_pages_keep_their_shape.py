"""A text is a text: whatever readers, librarians or sources wrote, a page has the elements and attributes that it has without it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from delivery.services import desk
from tests.access.town import STATES, Town, make_town
from tests.packed import taught
from tests.security.payloads import PAYLOADS

PLAIN = " ".join(["Tides"] * 100)
"""As long as what wants to be something else, so that forms find the same faults in it."""
CHUNK = 24
CHUNKS = [" ".join([*PAYLOADS[place : place + CHUNK], PLAIN[:300]]) for place in range(0, len(PAYLOADS), CHUNK)]
COLUMNS = [
    "requests.title",
    "requests.reason_text",
    "request_messages.text",
    "people.name",
    "libraries.name",
    "libraries.name_zh",
    "sources.title",
    "agreements.title",
    "agreements.note",
    "legal_holds.reason",
    "two_person_acts.reason",
    "deliveries.ended_reason",
    "second_factors.label",
    "request_tries.detail",
]
CITED = ("container", "authors", "chapter", "volume", "issue", "pages", "publisher", "edition")
PAGES = [
    ("reader", "reader", "/requests"),
    ("reader", "reader", "/requests/{supplied}"),
    ("reader", "reader", "/requests/{desk}"),
    ("reader", "reader", "/requests/{declaration}"),
    ("reader", "reader", "{link}"),
    ("reader", "reader", "/ask?title={text}&authors={text}&container={text}"),
    ("reader", "anonymous", "/"),
    ("staff", "librarian", "/requests/{supplied}"),
    ("staff", "librarian", "/requests/{desk}"),
    ("staff", "librarian", "/queue?view=all&q={text}"),
    ("staff", "librarian", "/queue?view=all"),
    ("staff", "librarian", "/alarms"),
    ("staff", "librarian", "/second-factor"),
    ("staff", "officer", "/requests/{signed}"),
    ("staff", "officer", "/rights/approvals"),
    ("staff", "officer", "/rights/retention"),
    ("staff", "officer", "/rights/agreements"),
    ("staff", "officer", "/rights/agreements/open/2"),
    ("staff", "officer", "/rights/agreements/open/2/simulation?since=2026-01-01&until=2026-12-31"),
    ("staff", "officer", "/rights/where"),
    ("staff", "officer", "/rights/log?title={text}&reader={text}"),
    ("staff", "officer", "/rights/log"),
    ("staff", "officer", "/rights/reports?kind=uses&since=2026-01-01&until=2026-12-31"),
    ("staff", "officer", "/rights/signers/{signed}"),
    ("staff", "officer", "/rights/readers/{key}"),
    ("staff", "operator", "/operator"),
]
FORMS = [
    ("reader", "reader", "/requests", ("doi", "title", "authors", "container", "purpose")),
    ("reader", "anonymous", "/register", ("name", "email", "library")),
    ("reader", "anonymous", "/sign-in", ("email", "next")),
    ("staff", "librarian", "/readers", ("name", "email", "card", "language")),
    ("staff", "officer", "/rights/agreements/new", ("text",)),
    ("staff", "officer", "/rights/holds", ("target", "reason", "since")),
]


class Shape(HTMLParser):
    """The elements of a page with the names of their attributes, and the addresses that they lead to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.addresses: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, tuple(sorted(name for name, _ in attrs))))
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action", "formaction"}]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, collection: Path) -> Iterator[Town]:
    made = Town(make_town(tmp_path_factory.mktemp("town") / "home", collection), collection)
    yield made
    made.world.close()


def write_everywhere(town: Town, text: str) -> None:
    """Put a text where anybody's words are kept: also past what forms permit."""
    engine = town.world.services.engine.execution_options(rushlight_write=True)
    inside = json.dumps(text, ensure_ascii=False)[1:-1]
    with engine.begin() as connection:
        taught(connection)
        for column in COLUMNS:
            table, _, name = column.partition(".")
            connection.exec_driver_sql(f"UPDATE {table} SET {name} = ?", (text,))
        for owner in town.owners.values():
            for state in STATES:
                old = f"{owner.word}work {state}"
                for name in ("citation", "typed", "decision", "found"):
                    connection.exec_driver_sql(
                        f"UPDATE requests SET {name} = replace(plain({name}), ?, ?)", (old, inside)
                    )
        for name in CITED:
            connection.exec_driver_sql(
                f"UPDATE requests SET citation = json_set(plain(citation), '$.{name}', ?)", (text,)
            )


def shapes(town: Town, text: str) -> dict[str, Shape]:
    """Every page, and every form that comes back, with a text in all its places."""
    owner = town.owners["reader"]
    values = {**owner.numbers, "link": owner.values["/d/<token>"], "key": owner.person.reader_key}
    write_everywhere(town, text)
    found = {}
    for app, who, path in PAGES:
        address, _, query = path.format_map({**values, "text": "{text}"}).partition("?")
        given = [
            (name, value.replace("{text}", text))
            for name, _, value in (one.partition("=") for one in query.split("&"))
            if name
        ]
        answer = town.client(app, who).get(address, query_string=given)
        assert answer.status_code == 200, (path, answer.status_code)
        found[path] = Shape(answer.get_data(as_text=True))
    for app, who, path, fields in FORMS:
        form = {**dict.fromkeys(fields, text), "csrf_token": town.doors[app, who].token}
        answer = town.client(app, who).post(path, data=form)
        assert answer.status_code in {403, 404, 422}, (path, answer.status_code)
        found[f"POST {path}"] = Shape(answer.get_data(as_text=True))
    assert "people" in town.changed()
    return found


@pytest.fixture(scope="module")
def plain(town: Town) -> dict[str, Shape]:
    return shapes(town, PLAIN)


def test_there_are_a_hundred_and_twenty_payloads() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 120
    assert sum(len(Shape(payload).elements) > 0 for payload in PAYLOADS) >= 80


@pytest.mark.parametrize("text", CHUNKS, ids=range(len(CHUNKS)))
def test_no_payload_adds_an_element_or_attribute_to_any_page(town: Town, plain: dict[str, Shape], text: str) -> None:
    for path, shape in shapes(town, text).items():
        assert shape.elements == plain[path].elements, path
        assert [
            one for one in shape.addresses if one.strip().lower().startswith(("javascript:", "data:", "vbscript:"))
        ] == []


def test_the_texts_do_stand_on_the_pages(town: Town) -> None:
    """Else their absence would prove nothing."""
    write_everywhere(town, "<b>Tides")
    missing = []
    for app, who, path in PAGES:
        if "{" in path and "{text}" not in path and "{key}" not in path and "{link}" not in path:
            page = town.client(app, who).get(path.format_map(town.owners["reader"].numbers)).get_data(as_text=True)
            missing += [path] if "&lt;b&gt;Tides" not in page else []
    town.changed()

    assert missing == []


def test_no_payload_adds_an_element_to_a_letter(town: Town) -> None:
    world = town.world
    shaped = {}
    for text in (PLAIN, *CHUNKS):
        number = world.ask(world.other, title="Nobody has this", year="2020").number
        world.work()
        engine = world.services.engine.execution_options(rushlight_write=True)
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE people SET name = ?", (text,))
            taught(connection).exec_driver_sql(
                "UPDATE requests SET title = ?, citation = json_set(plain(citation), '$.title', ?) WHERE number = ?",
                (text, text, number),
            )
        desk.leave_unfilled(world.ctx, world.librarian, number, text)
        world.work()
        shaped[text] = Shape(world.post.letters[-1].html).elements
        assert text.split()[0] in world.post.letters[-1].text
        town.changed()

    assert {tuple(elements) for elements in shaped.values()} == {tuple(shaped[PLAIN])}
