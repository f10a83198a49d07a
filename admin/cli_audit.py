"""Commands about the audit log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from admin.settings import read_settings

if TYPE_CHECKING:
    from admin.wiring import Services
    from delivery.services.log_checking import Known


@click.group()
def audit() -> None:
    """The audit log: check it, prove what stands in it, sign it, and give it out."""


def _services() -> Services:
    from admin.wiring import build_services

    return build_services(read_settings())


@audit.command("verify")
@click.option(
    "--from-checkpoint",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint that was kept elsewhere, which the log must continue. May be given again.",
)
@click.option("--offline", is_flag=True, help="Do not ask the places of RUSHLIGHT_LOG_PLACES what they have seen.")
@click.option(
    "--processes", type=click.IntRange(1, 64), help="How many processes check beside each other; all processors."
)
def audit_verify(files: tuple[Path, ...], offline: bool, processes: int | None) -> None:
    """Check the whole log: exit 0 when it is whole, 1 when not, naming the first event that was edited, is missing, swapped or inserted.

    Every row, the chain, the tree, the tiles, and every checkpoint with its signature; then what the places outside have seen.
    A place that cannot be asked is a finding too, unless --offline is given: it might know of more than there is. One that has
    contradicted the log is one in any case, until it has taken a checkpoint again.
    """
    from admin.log_wiring import check_log, processors

    services = _services()
    known, problems = _known(services, files, offline)
    log = services.ctx.log
    url, processes = services.settings.database, processes or processors()
    verdict = check_log(services.store, services.audit_log, log.keys, known, processes, url, log.witnesses)
    for problem in problems:
        click.echo(problem)
    if not verdict.whole:
        where = f"event {verdict.first_bad}: " if verdict.first_bad is not None else ""
        click.echo(f"broken: {where}{verdict.problem}")
    elif not problems:
        click.echo(f"whole: {verdict.size} events")
    if problems or not verdict.whole:
        sys.exit(1)


def _known(services: Services, files: tuple[Path, ...], offline: bool) -> tuple[list[Known], list[str]]:
    from delivery.services.asking_places import known_from
    from delivery.services.witnessing import seen_before, seen_outside
    from drm.audit.notes import BadNote

    known, problems = [], []
    for file in files:
        try:
            known.append(known_from(services.ctx.log.keys, file.read_bytes(), f"the checkpoint in {file.name}"))
        except BadNote as problem:
            problems.append(f"not proved: {file}: {problem}")
    outside, troubles = seen_before(services.ctx) if offline else seen_outside(services.ctx)
    known.extend(outside)
    problems.extend(f"{'broken' if why.differs else 'not proved'}: {name}: {why}" for name, why in troubles.items())
    return known, problems


@audit.command("checkpoint")
@click.option("--show", is_flag=True, help="Print the newest checkpoint as it is, without signing a new one.")
def audit_checkpoint(show: bool) -> None:
    """Sign the log as it is now and print the checkpoint, with what witnesses have signed under it so far."""
    from delivery.services.checkpointing import make_checkpoint
    from delivery.services.witnessing import newest_checkpoint

    services = _services()
    if not show:
        make_checkpoint(services.ctx, services.keys.audit, at_once=True)
    click.echo(newest_checkpoint(services.ctx).decode(), nl=False)


@audit.command("prove")
@click.argument("seq", type=click.IntRange(1), help="Number of the event, from 1.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for the event and its proof as files."
)
def audit_prove(seq: int, out: Path | None) -> None:
    """Print the proof that event SEQ stands in the log (C2SP tlog-proof), for deploy/verify_log.py or tools of other hands.

    Exit 2 where there is no such event or nothing was signed over it yet; run 'rushlight audit checkpoint' then.
    """
    from delivery.services.log_tiles import prove
    from drm.audit.proofs import write_proof

    with _services().store.read() as work:
        proof, entry = prove(work, seq)
    if out is None:
        click.echo(write_proof(proof).decode(), nl=False)
        return
    out.mkdir(parents=True, exist_ok=True)
    (out / f"event-{seq}.json").write_bytes(entry)
    (out / f"event-{seq}.tlog-proof").write_bytes(write_proof(proof))
    click.echo(f"event-{seq}.json and event-{seq}.tlog-proof are in {out}")


@audit.command("export")
@click.argument("folder", type=click.Path(path_type=Path), help="New folder that takes the log.")
@click.option("--withhold-entries", is_flag=True, help="Leave the entries out: the tiles prove inclusion without them.")
def audit_export(folder: Path, withhold_entries: bool) -> None:
    """Write the log as static files into FOLDER (made anew): checkpoint, keys, tiles and entries (C2SP tlog-tiles).

    deploy/verify_log.py checks it with no other part of Rushlight; any web server can give it out.
    """
    from delivery.services.log_exporting import export_log

    last = export_log(_services().ctx, folder, not withhold_entries)
    click.echo(f"{last.size} events are in {folder}")


@audit.command("keys")
def audit_keys() -> None:
    """Print the log's public keys with their dates, and the key with which this service witnesses other logs."""
    click.echo(_services().ctx.log.keys.published(), nl=False)
