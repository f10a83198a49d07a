"""Commands about titles that have several ISSNs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import click

from admin.settings import read_settings
from admin.wiring import Services, build_services
from delivery.services.titling import ISSNL, join, link
from drm.audit.events import Event
from drm.facts.reading import normal_issn
from fetchers.issn_lists import ListFailed, Row, is_centre_table, rows_of

OPERATOR = "operator"
BATCH = 10_000
MOST_PROBLEMS = 20


@click.group()
def issnl() -> None:
    """Which ISSNs are one title, so that print and electronic editions are counted together."""


@issnl.command("load")
@click.argument(
    "file",
    type=click.Path(path_type=Path),
    help="Tab-separated: ISSN and ISSN-L, or print_identifier and online_identifier.",
)
def issnl_load(file: Path) -> None:
    """Load the ISSN centre's table of ISSN and ISSN-L, or a title list after KBART. What was counted under another ISSN is re-keyed.

    Loading again changes only what differs. Rows that cannot be read are named and left out.
    """
    services = build_services(read_settings())
    try:
        centre = is_centre_table(file)
        titles = records = problems = 0
        unread = rows_of(file)
        while rows := list(islice(unread, BATCH)):
            for row in rows:
                if row.problem:
                    problems += 1
                    if problems <= MOST_PROBLEMS:
                        click.echo(f"warning: line {row.number}: {row.problem}", err=True)
            good = [row for row in rows if not row.problem]
            titles += len(good)
            records += keep(services, good, centre)
    except ListFailed as error:
        raise click.UsageError(str(error)) from None
    click.echo(
        f"{titles} rows are kept, {problems} are left out; {records} usage records are counted under another title now"
    )


def keep(services: Services, rows: Iterable[Row], centre: bool) -> int:
    """Keep rows in one transaction with the records that they move. Returns how many records moved."""
    now = services.ctx.clock()
    with services.store.write() as work:
        if centre:
            links = {normal_issn(row.issns[0]): normal_issn(row.issns[1]) for row in rows}
            moved = link(work, links, ISSNL, now)
        else:
            moved = sum(join(work, row.issns, now) for row in rows)
        if moved:
            work.record(Event("title:linked", now, OPERATOR, counts={"records": moved}))
    return moved
