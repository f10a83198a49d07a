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
from tests.delivery.web_test_support import signed_in
from tests.flows.test_consents import FEE, asking
from tests.world import OPEN_AGREEMENT, World

YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
ADDRESS = "/rights/reports/report.{ending}?kind=uses&since=2026-01-01&until=2026-12-31"


def supplied(world: World, doi: str = "10.5555/lantern.2021.0001") -> str:
    number = world.ask(doi=doi).number
    world.work()
    return number


def made(world: World, kind: str) -> Report:
    return report(world.ctx, world.officer, kind, "", *YEAR)


def test_copies_are_counted_by_title_and_civil_year_of_the_library(world: World) -> None:
    supplied(world)
    supplied(world)
    world.clock.now = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    supplied(world)
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        connection.exec_driver_sql("UPDATE libraries SET tz = 'Asia/Shanghai'")

    rows = made(world, "titles").rows

    assert [row[3:] for row in rows] == [(2026, 2), (2027, 1)]


def test_a_refunded_copy_is_in_no_report(world: World) -> None:
    number = supplied(world)
    linking.revoke(world.ctx, world.librarian, world.get(number).delivery, "wrong article", give_back=True)

    assert made(world, "titles").rows == ()
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
        connection.exec_driver_sql(
            """UPDATE requests SET citation = json_set(citation, '$.title', '=HYPERLINK("http://evil","x")')"""
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
