"""Commands that move an installation: export and import."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from admin.settings import read_settings


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path), help="New folder that takes everything.")
def export_data(folder: Path) -> None:
    """Write all data of this installation into FOLDER (made anew): databases, secrets, keys, log head and files.

    Stop all web and worker processes first. FOLDER opens everything: keep it private, and remove it after the import.
    """
    from admin.moving.exporting import export
    from admin.wiring import build_services

    done = export(build_services(read_settings()), folder)
    rows = sum(part.rows for part in done.tables.values())
    click.echo(f"{rows} rows of {len(done.tables)} tables, {done.events} events and {done.files} files are in {folder}")


@click.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder of an export.")
def import_data(folder: Path) -> None:
    """Bring an export into the installation that the settings name, which must be empty, and prove that all of it came over.

    Set RUSHLIGHT_DATABASE_URL, RUSHLIGHT_SECRETS_URL and RUSHLIGHT_BLOB_URL as the new installation will have them. Broken off it
    leaves no rows and may be run again. Exit 1 when anything differs afterwards.
    """
    from admin.moving.importing import bring_in, differences, note, prepare_keys
    from admin.starting import make_ready
    from admin.wiring import build_services

    settings = read_settings()
    manifest = prepare_keys(settings, folder)
    make_ready(settings)
    services = build_services(settings)
    bring_in(services, folder, manifest, click.echo)
    wrong = list(differences(services, folder, manifest))
    for line in wrong:
        click.echo(f"differs: {line}")
    if wrong:
        sys.exit(1)
    note(services, manifest)
    click.echo("everything came over: tables, files, secrets and the log are what was exported")
