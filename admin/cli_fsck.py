"""The command that checks everything the service promises."""

from __future__ import annotations

import json
import sys
from datetime import timedelta

import click

from admin.settings import read_settings


@click.command()
@click.option("--repair", is_flag=True, help="Put right what is safe to put right; each repair is an event of the log.")
@click.option("--deep", is_flag=True, help="Also read every stored file and tail and compare its SHA-256.")
@click.option(
    "--json", "for_programs", is_flag=True, help="One JSON object a violation, one a line, and a last one of totals."
)
@click.option(
    "--grace",
    type=click.IntRange(0, 24 * 365),
    default=24,
    show_default=True,
    help="Hours for which a file may be there without an owner.",
)
def fsck(repair: bool, deep: bool, for_programs: bool, grace: int) -> None:
    """Check that nothing is lost, delivered twice, counted wrongly, missing or left over. Exit 0 when all is well, else 1.

    Each violation is named by its code (docs/reason-codes.md) and its ids, with the cure. Jobs that wait for a person, and places
    outside that do not say within a minute what they know of the log, are told and are no violation. The service may run meanwhile.
    With --repair the exit code is 0 when everything could be repaired.
    """
    from admin.bell import CeleryBell
    from admin.celery_app import make_celery
    from admin.fsck.examining import examine, is_notice, patience_of
    from admin.fsck.repairing import repair as put_right
    from admin.fsck.telling import as_json, as_line
    from admin.wiring import build_services

    settings = read_settings()
    bell = CeleryBell(make_celery(settings.broker_url)) if settings.broker_url else None
    services = build_services(settings, bell.ring) if bell else build_services(settings)
    patience = patience_of(services, timedelta(hours=grace))
    # All of it is found before anything is repaired: a repair must not change what later rules see.
    counts = {"violations": 0, "notices": 0, "repaired": 0}
    for found in list(examine(services, patience, deep)):
        done = repair and put_right(services, found, patience)
        counts["notices" if is_notice(found) else "violations"] += 1
        counts["repaired"] += done
        click.echo(as_json(found, done) if for_programs else as_line(found, done))
    if bell is not None:
        bell.flush(10)
    if for_programs:
        click.echo(json.dumps(counts))
    else:
        click.echo(", ".join(f"{count} {name}" for name, count in counts.items()))
    if counts["violations"] > counts["repaired"]:
        sys.exit(1)
