"""Commands about the sources of full texts."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import click

from admin.settings import read_settings
from admin.wiring import Services, build_services
from delivery.errors import NotFound
from delivery.services.deciding import DESK
from delivery.services.titling import join
from delivery.sources import FetchFailed
from delivery.stores import Source
from drm.audit.events import Event
from drm.fact_values import DELIVERIES, ORIGINALS, VIAS
from fetchers.holdings import Holdings
from fetchers.local_collection import LocalCollection

OPERATOR = "operator"
KINDS = ("local_collection", "unpaywall", DESK)
RANKS = {"unpaywall": 10, "local_collection": 50, DESK: 90}


@click.group()
def source() -> None:
    """Where full texts come from.

    A source supplies nothing until a rights officer has said in the rights office which agreements hold for it.
    """


@source.command("add")
@click.argument("source_id", help="Id of the new source: small letters, digits and hyphens.")
@click.option("--kind", required=True, type=click.Choice(KINDS), help="What kind of source it is.")
@click.option("--title", required=True, help="Name that people are shown.")
@click.option("--library", "library_id", default="", help="Id of the library that owns it; a desk needs one.")
@click.option("--folder", type=click.Path(path_type=Path), help="Folder of a local_collection, with its holdings.tsv.")
@click.option("--country", default="", help="Country of the supplier, two letters; agreements may ask for it.")
@click.option("--flag", "flags", multiple=True, help="A flag that agreements may ask for, such as licensed_for_remote.")
@click.option(
    "--via",
    type=click.Choice(VIAS),
    help="How its copies reach a reader; left out: own_reader for the readers of its library, ill for all others.",
)
@click.option("--delivery", type=click.Choice(DELIVERIES), help="How copies are delivered; left out: electronic.")
@click.option("--original", type=click.Choice(ORIGINALS), help="What it copies from; left out: electronic.")
@click.option("--states", multiple=True, help="A statement that the library makes for each copy, such as ccg.")
@click.option("--rank", type=click.IntRange(0, 1000), help="Low ranks are tried first.")
def source_add(
    source_id: str,
    kind: str,
    title: str,
    library_id: str,
    folder: Path | None,
    country: str,
    flags: tuple[str, ...],
    via: str | None,
    delivery: str | None,
    original: str | None,
    states: tuple[str, ...],
    rank: int | None,
) -> None:
    """Add a source, or change one; the agreements that hold for it stay as they are."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", source_id):
        raise click.UsageError("SOURCE_ID takes lower-case letters, digits and hyphens")
    if kind == DESK and not library_id:
        raise click.UsageError("--library is needed: a desk belongs to a library")
    if (kind == "local_collection") != (folder is not None):
        raise click.UsageError("--folder is for a local_collection, and needed there")
    settings: dict[str, object] = {"country": country.upper()} if country else {}
    settings |= {name: said for name, said in (("via", via), ("delivery", delivery), ("original", original)) if said}
    if states:
        settings["states"] = list(states)
    if flags:
        settings["flags"] = dict.fromkeys(flags, True)
    held: Holdings | None = None
    if folder is not None:
        settings["folder"] = str(folder.absolute())
        held = _held(folder)
    services = build_services(read_settings())
    kept = Source(source_id, kind, title, library_id or None, (), settings, RANKS[kind] if rank is None else rank)
    keep(services, kept)
    if held is not None:
        keep_titles(services, held)
    click.echo(f"source {source_id} is kept; which agreements hold for it is said in the rights office")


def keep_titles(services: Services, held: Holdings) -> None:
    """Learn from holdings which ISSNs are one title."""
    now = services.ctx.clock()
    with services.store.write() as work:
        for issns in sorted({item.held.issns for item in held.items if len(item.held.issns) > 1}):
            join(work, issns, now)


def _held(folder: Path) -> Holdings:
    """A collection's holdings, their number told; a usage error when they cannot be read."""

    try:
        holdings = LocalCollection("new", folder).holdings()
    except FetchFailed as failure:
        raise click.UsageError(f"--folder: {failure.text} It must hold a file holdings.tsv.") from None
    for problem in holdings.problems[:20]:
        click.echo(f"warning: {problem}", err=True)
    if not holdings.items:
        raise click.UsageError("--folder: holdings.tsv names no work; its header row needs a column 'file'")
    click.echo(f"{len(holdings.items)} works are held, {len(holdings.problems)} rows are left out")
    return holdings


def keep(services: Services, fresh: Source) -> None:
    """Add a source, or change all of it but its agreements. NotFound for an unknown library."""
    with services.store.write() as work:
        if fresh.library_id:
            work.libraries.get(fresh.library_id)
        known = next((one for one in work.sources.all() if one.id == fresh.id), None)
        work.sources.save(fresh if known is None else replace(fresh, agreements=known.agreements))
        work.record(Event("source:kept", services.ctx.clock(), OPERATOR, fresh.library_id or "", code=fresh.id))


@source.command("list")
def source_list() -> None:
    """List the sources in the order in which they are tried, with their agreements."""
    services = build_services(read_settings())
    with services.store.read() as work:
        for one in work.sources.all():
            bound = ", ".join(one.agreements) or ("needs none" if one.kind == "unpaywall" else "no agreement")
            state = "" if one.active else "  (out of use)"
            click.echo(f"{one.rank:4}  {one.id:24} {one.kind:16} {one.library_id or '-':16} {bound}{state}")


@source.command("disable")
@click.argument("source_id", help="Id of the source.")
def source_disable(source_id: str) -> None:
    """Take a source out of use; `source add` with the same id brings it back."""
    services = build_services(read_settings())
    with services.store.write() as work:
        found = work.sources.get(source_id)
        if not found.active:
            raise NotFound("unknown-source", f"The source {source_id} is out of use already.")
        work.sources.save(replace(found, active=False))
        work.record(Event("source:disabled", services.ctx.clock(), OPERATOR, found.library_id or "", code=source_id))
    click.echo(f"source {source_id} is out of use")
