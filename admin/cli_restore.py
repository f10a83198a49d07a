"""Commands for the day after: restore, reissue and accept-rollback."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from admin.settings import read_settings

LOST = {"file-missing", "file-damaged", "tail-missing", "tail-damaged", "master-missing"}
LOOKED_FOR = ("files", "tails", "copies")
"""Checks that find what is lost."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder of a backup.")
@click.option(
    "--secrets",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with the readers' secrets, the newest there is.",
)
@click.option(
    "--replace", is_flag=True, help="Put the backup in the place of a database that is there; that is kept aside."
)
def restore(folder: Path, secrets: Path | None, replace: bool) -> None:
    """Bring back what 'rushlight backup' kept. Stop the service first, and run 'rushlight fsck --deep' afterwards.

    Files of the store are added, never removed, and a newer head of the log stays: by it an older log is noticed.
    """
    from admin.restoring import restore as bring_back

    done = bring_back(read_settings(), folder, secrets, replace)
    click.echo(f"the database and {done.blobs} files are back")
    if done.head_kept:
        click.echo("the head of the log stays as it was: if the log is older now, fsck will say so")


@click.command()
@click.option("--deep", is_flag=True, help="Also read every stored file and tail, and make anew what was changed.")
@click.option("--withdraw", is_flag=True, help="Withdraw what cannot be made anew: give it back and tell its reader.")
def reissue(deep: bool, withdraw: bool) -> None:
    """Make live copies anew whose files, tails or prepared documents are lost or damaged, under the same links.

    What cannot be made anew is named with its reason, stays as it is, and the command ends with 1. See first that all stores are
    there; with --withdraw it is withdrawn then, except for what a store or the machine in trouble keeps from being made.
    """
    from admin.fsck.examining import examine, patience_of
    from admin.wiring import build_services
    from delivery.errors import DeliveryError
    from delivery.services.reissuing import give_up_master
    from delivery.services.reissuing import reissue as make_again
    from drm.pdf.values import PdfRefused

    services = build_services(read_settings())
    everything = list(examine(services, patience_of(services, timedelta(hours=24)), deep, outside=False))
    for one in everything:
        if one.code == "check-failed" and one.ids["check"].startswith(LOOKED_FOR):
            raise click.ClickException(f"What is lost cannot be looked for: {one.named}: {one.detail}")
    found = [one for one in everything if one.code in LOST]
    concerned: dict[str, str] = {}
    for one in found:
        numbers: tuple[str, ...] = tuple(one.ids[kind] for kind in ("delivery",) if kind in one.ids)
        if "master" in one.ids:
            with services.store.read() as work:
                numbers = work.deliveries.of_master(one.ids["master"])
            give_up_master(services.ctx, one.ids["master"], one.code)
        concerned |= dict.fromkeys(numbers, one.code)
    left = 0
    for number, code in concerned.items():
        try:
            state = make_again(services.ctx, number, code, withdraw)
        except (DeliveryError, PdfRefused) as problem:
            left += 1
            click.echo(f"{number} stays as it is: {problem}")
        else:
            click.echo(f"{number} {'is made anew' if state == 'live' else f'is {state}'}")
    click.echo(f"{len(concerned)} copies were concerned")
    if left:
        wait = "Run the command again when the trouble is over."
        advice = wait if withdraw else f"{wait} Or let it withdraw what stays lost, by --withdraw."
        raise click.ClickException(f"{left} of them could not be made anew. {advice}")


@click.command("accept-rollback")
def accept_rollback() -> None:
    """Let the audit log go on after an older database was restored. The head that knew more is kept aside, and the log tells of it.

    Tell the rights officers first which events are lost; witnesses of the log will notice in any case.
    """
    from admin.restoring import accept_rollback as accept
    from admin.wiring import build_services

    known, there = accept(build_services(read_settings()))
    click.echo(f"the head knew {known} events, the log has {there}: {known - there} are lost, and the log says so now")
