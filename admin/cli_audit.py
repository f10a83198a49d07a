"""Commands about the audit log."""

from __future__ import annotations

import sys

import click

from admin.settings import read_settings


@click.group()
def audit() -> None:
    """The audit log."""


@audit.command("verify")
def audit_verify() -> None:
    """Check the whole log: exit 0 when it is whole, 1 when not, naming the first edited, missing, swapped or inserted event."""
    from admin.wiring import build_services, check_log

    services = build_services(read_settings())
    verdict = check_log(services.store, services.audit_log)
    if verdict.whole:
        click.echo(f"whole: {verdict.size} events")
        return
    where = f"event {verdict.first_bad}: " if verdict.first_bad is not None else ""
    click.echo(f"broken: {where}{verdict.problem}")
    sys.exit(1)
