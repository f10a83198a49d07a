"""Reports hold what rights holders are owed, no reader, and nothing that a spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from delivery.errors import Invalid, NotAllowed
from delivery.services import consenting, linking
from delivery.services.reporting import KINDS, Report, report
from delivery.services.use_counts import COLUMNS
from tests.delivery.web_test_support import signed_in
from tests.flows.test_consents import FEE, asking
from tests.packed import taught
from tests.world import OPEN_AGREEMENT, World

YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
ADDRESS = "/rights/reports/report.{ending}?kind=uses&since=2026-01-01&until=2026-12-31"


def supplied(world: World, doi: str = "10.5555/lantern.2021.0001") -> str:
    number = world.ask(doi=doi).number
    world.work()
    return number


def made(world: World, kind: str) -> Report:
    return report(world.ctx, world.officer, kind, "", *YEAR)


CONTU = """
vocabulary = 1
[[agreement]]
id = "guideline"
title = "A guideline on copies of periodicals"
jurisdiction = "US"
kind = "guideline"
version = 1
[[agreement.rule]]
id = "guideline.five"
type = "limit"
when = { "request.item" = "article", "issue.date" = { age_le = "P5Y", at = "request.at" } }
unless = [{ "flags.fee_paid" = true }, { "work.rights" = "open_access" }]
measure = "copies"
max = 5
per = ["entity", "title"]
window = { type = "calendar", unit = "year", tz = "entity", anchor = "filled_at" }
count = ["filled"]
hold = ["reserved"]
effect = "needs_fee"
reason = "CONTU_RULE_OF_FIVE"
"""


def contu(world: World) -> None:
    world.load(CONTU)
    for source in ("collection", "desk"):
        world.bind(source, ["guideline"])


def change(world: World, statement: str, *values: str) -> None:
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        taught(connection).exec_driver_sql(statement, values)


def line(row: tuple[object, ...]) -> dict[str, object]:
    return dict(zip(COLUMNS, row, strict=True))


def test_a_limits_count_is_the_rules_own_with_what_it_left_out_and_why(world: World) -> None:
    contu(world)
    old, paid, free, fine, undone = (supplied(world) for _ in range(5))
    facts = "UPDATE usage_records SET facts = json_set(plain(facts), ?, ?) WHERE request = ?"
    change(world, facts, "$.issue.date", "2019-05-01", old)
    change(world, facts.replace("?, ?", "?, json(?)"), "$.flags.fee_paid", "true", paid)
    change(world, "UPDATE usage_records SET under = '[]' WHERE request = ?", free)
    linking.revoke(world.ctx, world.librarian, world.get(undone).delivery, "wrong article", give_back=True)

    (row,) = made(world, "titles").rows

    told = line(row)
    assert (told["counted"], told["limit"], told["requests_counted"], told["not_counted"]) == (1, 5, fine, 4)
    assert told["why_not"] == (f"cancelled: {undone}; older than P5Y: {old}; open access: {free}; royalty paid: {paid}")
    asked = world.ask()
    assert asked.decision["decision"]["counts"]["guideline.five"]["used"] == told["counted"]  # type: ignore[index]


def test_branches_that_count_as_one_library_are_one_line(world: World) -> None:
    contu(world)
    change(world, "UPDATE libraries SET group_id = 'branches'")
    supplied(world)

    assert line(made(world, "titles").rows[0])["library_or_group"] == "branches"


def test_a_copy_falls_into_the_civil_year_of_its_library(world: World) -> None:
    change(world, "UPDATE libraries SET tz = 'Asia/Shanghai'")
    contu(world)
    supplied(world, "10.5555/lantern.2022.0002")
    world.clock.now = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    supplied(world, "10.5555/lantern.2022.0002")

    rows = [line(row) for row in made(world, "titles").rows]

    assert [(row["from"], row["counted"]) for row in rows] == [
        ("2026-01-01T00:00:00+08:00", 1),
        ("2027-01-01T00:00:00+08:00", 1),
    ]


def test_a_window_is_counted_whole_when_the_period_is_a_part_of_it(world: World) -> None:
    contu(world)
    supplied(world)
    world.clock.now = datetime(2026, 12, 20, 9, 0, tzinfo=UTC)
    supplied(world)

    part = report(world.ctx, world.officer, "titles", "guideline", datetime(2026, 12, 1, tzinfo=UTC), YEAR[1])

    assert [line(row)["counted"] for row in part.rows] == [2]


def test_what_waits_counts_in_the_present_year_alone(world: World) -> None:
    contu(world)
    supplied(world)
    world.ask(doi="10.5555/lantern.2022.0002")
    world.clock.now = datetime(2027, 1, 20, 9, 0, tzinfo=UTC)

    both = report(world.ctx, world.officer, "titles", "", YEAR[0], datetime(2028, 1, 1, tzinfo=UTC)).rows

    assert [(str(line(row)["from"])[:4], line(row)["counted"]) for row in both] == [("2026", 1), ("2027", 1)]


def test_a_rolling_limit_is_told_where_it_was_used_most(world: World) -> None:
    rolling = CONTU.replace('type = "calendar", unit = "year"', 'type = "rolling", duration = "P7D"')
    world.load(rolling)
    world.bind("collection", ["guideline"])
    for days in (0, 3, 30):
        world.clock.move(timedelta(days=days))
        supplied(world)

    (row,) = made(world, "titles").rows[:1]

    assert (line(row)["counted"], str(line(row)["until"])[:10]) == (2, "2026-11-27")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_taken_for_a_formula(world: World, start: str) -> None:
    contu(world)
    change(world, "UPDATE libraries SET group_id = ?", f"{start}1+1")
    supplied(world)
    client = signed_in(world.staff_app(), world.officer)
    address = ADDRESS.replace("kind=uses", "kind=titles")

    text = client.get(address.format(ending="csv")).get_data(as_text=True).lstrip("\ufeff")
    book = zipfile.ZipFile(io.BytesIO(client.get(address.format(ending="xlsx")).data))

    cells = list(csv.reader(io.StringIO(text, newline="")))[1]
    assert f"'{start}1+1" in cells
    assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


def test_the_page_links_each_request_that_was_counted(world: World) -> None:
    contu(world)
    number = supplied(world)
    client = signed_in(world.staff_app(), world.officer)

    page = client.get("/rights/reports?kind=titles&since=2026-01-01&until=2026-12-31").get_data(as_text=True)

    assert f'<a href="/requests/{number}">' in page


def test_a_refunded_copy_is_no_use(world: World) -> None:
    number = supplied(world)
    linking.revoke(world.ctx, world.librarian, world.get(number).delivery, "wrong article", give_back=True)

    assert made(world, "uses").rows == ()


def test_fees_are_summed_by_agreement_library_and_currency_once_supplied(world: World) -> None:
    request = asking(world, FEE)
    consenting.accept_fee(world.ctx, world.reader, request.number, "2.20 EUR")
    assert made(world, "fees").rows == ()
    world.work()

    assert made(world, "fees").rows == (
        ("Agreement that asks", "asks", "harbour", "library-invoice", "EUR", 1, "2.20"),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_no_report_names_a_reader(world: World, kind: str) -> None:
    supplied(world)

    text = repr(made(world, kind))

    assert world.reader.name not in text
    assert world.reader.email not in text
    assert world.reader.reader_key not in text


def test_csv_and_workbook_disarm_formulas(world: World) -> None:
    supplied(world)
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        taught(connection).exec_driver_sql(
            """UPDATE requests SET citation = json_set(plain(citation), '$.title', '=HYPERLINK("http://evil","x")')"""
        )
    client = signed_in(world.staff_app(), world.officer)

    rows = list(
        csv.reader(io.StringIO(client.get(ADDRESS.format(ending="csv")).get_data(as_text=True).lstrip("\ufeff")))
    )
    book = zipfile.ZipFile(io.BytesIO(client.get(ADDRESS.format(ending="xlsx")).data))

    assert '\'=HYPERLINK("http://evil","x")' in rows[1]
    assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
    assert b"HYPERLINK" in book.read("xl/sharedStrings.xml")


def test_the_page_shows_the_report_and_a_wrong_period_is_told(world: World) -> None:
    number = supplied(world)
    client = signed_in(world.staff_app(), world.officer)

    good = client.get("/rights/reports?kind=uses&since=2026-01-01&until=2026-12-31")
    bad = client.get("/rights/reports?kind=uses&since=2026-12-31&until=2026-01-01")

    assert number in good.get_data(as_text=True)
    assert bad.status_code == 422


def test_reports_are_the_officers_and_each_is_logged(world: World) -> None:
    with pytest.raises(NotAllowed):
        report(world.ctx, world.librarian, "uses", "", *YEAR)
    with pytest.raises(Invalid):
        report(world.ctx, world.officer, "gossip", "", *YEAR)
    made(world, "uses")

    from delivery.stores import LogFilter

    with world.store.read() as work:
        assert work.log.find(LogFilter(kind="report:made")).total == 1
    assert YEAR[1] - YEAR[0] == timedelta(days=365)


def test_requests_are_listed_with_their_end_and_the_day_their_record_is_kept_until(world: World) -> None:
    rule = "[[agreement.rule]]"
    keep = 'retain = { record = "request_and_fulfilment", until = "end_of_year+3", from = "requested_at" }'
    text = OPEN_AGREEMENT.replace(rule, f"[agreement.oblige]\n{keep}\n{rule}", 1)
    world.load(text.replace("version = 1\n[", "version = 2\n["))
    filled, waiting = supplied(world), world.ask(title="Nobody has this", year="2020").number

    rows = {row[2]: row for row in made(world, "requests").rows}

    assert (rows[filled][0], rows[filled][4], rows[filled][-1]) == ("open@2", "supplied", "2029-12-31")
    assert (rows[waiting][4], rows[waiting][6]) == ("new", "")
