"""The operator's commands: init, migrate, doctor, backup."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from admin.settings import read_settings


@click.command()
@click.option("--sample", is_flag=True, help="Also load the sample consortium.")
def init(sample: bool) -> None:
    """Make the home folder, random keys and the database. Safe to run again: nothing that exists is changed."""
    from admin.starting import make_ready

    settings = read_settings()
    made = make_ready(settings)
    click.echo(
        f"{settings.home} is ready" + (" with new keys; keep a copy of keys.json in a safe place" if made else "")
    )
    if sample:
        from admin.seeding import load_consortium
        from admin.wiring import build_services

        for sign_in in load_consortium(build_services(settings)):
            click.echo(f"{'+'.join(sign_in.roles):16} {sign_in.email:40} {sign_in.password}")


@click.command()
def migrate() -> None:
    """Bring the database to the schema of this version."""
    from storage.engine import open_engine
    from storage.migrating import migrate as bring_up

    revision = bring_up(open_engine(read_settings().database))
    click.echo(f"the database is at revision {revision}")


@click.command()
def doctor() -> None:
    """Examine keys, database, secrets, blob store, broker, fonts, mail, log and clock; say what to do about each fault. Exit 1 if any."""
    from admin.doctor import examine

    findings = examine(read_settings())
    for finding in findings:
        click.echo(f"{'ok  ' if finding.good else 'BAD '} {finding.part:10} {finding.text}")
        if not finding.good:
            click.echo(f"     to do: {finding.advice}")
    if not all(finding.good for finding in findings):
        sys.exit(1)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), help="New folder that takes the backup.")
@click.option(
    "--secrets",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that takes the readers' secrets, over the copy before.",
)
def backup(folder: Path, secrets: Path | None) -> None:
    """Copy database, keys, log head and blobs into FOLDER (made anew) while the service runs.

    The readers' secrets are no part of it: keep one newest copy of them elsewhere, so that who is forgotten stays so.
    SQLite and the local blob store only; for PostgreSQL and S3 use their own tools (docs/operator.md).
    """
    from admin.backing_up import back_up

    kept = back_up(read_settings(), folder, secrets)
    click.echo(f"{kept} files are kept in {folder}")
