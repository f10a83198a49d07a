"""The keys of the service: adding a new one, and bringing what is wrapped under it."""

from __future__ import annotations

import sys

import click

from admin.settings import read_settings


@click.group()
def keys() -> None:
    """Rotate the keys that sign links and checkpoints and wrap the file keys of prepared documents."""


@keys.command()
def announce() -> None:
    """Add a new key that is known from the next start of the service on, and signs nothing before 'rushlight keys rotate'.

    Bring keys.json to every machine and restart each process: none meets a link then that it cannot read.
    """
    from admin.keys import announce_key

    name = announce_key(read_settings().key_file)
    click.echo(f"key {name} is announced; restart the service everywhere, then run: rushlight keys rotate")


@keys.command()
def rotate() -> None:
    """Let the announced key, or a new one, sign and wrap from the next start of the service on. Older ones stay and still verify.

    Restart the service on every machine with the new keys.json, then run 'rushlight keys rewrap'. Where several processes
    are restarted one after the other, announce the key first: those that do not know it yet turn its links away.
    """
    from admin.keys import add_key

    name = add_key(read_settings().key_file)
    click.echo(f"key {name} is added; restart the service, then run: rushlight keys rewrap")


@keys.command("rotate-log")
def rotate_log() -> None:
    """Add a new key that signs checkpoints of the audit log from now on; the one before holds a day longer and stays listed.

    Bring log-keys.json to every machine and restart the service. Tell those who verify the log, and its witnesses, the new key.
    """
    from admin.log_keys import rotate_log_key
    from admin.wiring import real_clock

    click.echo(str(rotate_log_key(read_settings(), real_clock())))


@keys.command()
def rewrap() -> None:
    """Wrap the file keys of all prepared documents with the newest key. Exit 1 where one's own key is not here."""
    from admin.wiring import build_services
    from delivery.services.rekeying import rewrap_masters

    services = build_services(read_settings())
    done, lost = rewrap_masters(services.ctx)
    click.echo(f"{done} prepared documents are under key {services.keys.ring.current} now")
    for master in lost:
        click.echo(f"BAD  {master}: its key is not in keys.json; restore that from your backup")
    if lost:
        sys.exit(1)
