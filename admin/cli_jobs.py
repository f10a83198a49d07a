"""Commands about jobs that were set aside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from admin.settings import read_settings
from delivery.stores import LARGEST

if TYPE_CHECKING:
    from delivery.services.context import Context


@click.group()
def jobs() -> None:
    """Jobs that kept failing and wait for a person: see why, then retry or dismiss them."""


def _context() -> Context:
    from admin.wiring import build_services

    return build_services(read_settings()).ctx


@jobs.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a job, one a line.")
def jobs_list(as_json: bool) -> None:
    """List the jobs that were set aside, with the reason of each."""
    from delivery.services.quarantine import waiting_for_person

    for job in waiting_for_person(_context()):
        if as_json:
            told = {"id": job.id, "kind": job.kind, "key": job.key, "attempts": job.attempt, "reason": job.error}
            click.echo(json.dumps({**told, "set_aside_at": job.at.isoformat() if job.at else None}, ensure_ascii=False))
            continue
        since = f"{job.at:%Y-%m-%d %H:%M}" if job.at else "?"
        click.echo(f"{job.id:>8} {job.kind:8} {since} {job.attempt:>3} tries  {job.key}\n         {job.error}")


@jobs.command("retry")
@click.argument(
    "numbers", nargs=-1, required=True, type=click.IntRange(1, LARGEST), help="Numbers of jobs, as the list has them."
)
def jobs_retry(numbers: tuple[int, ...]) -> None:
    """Try jobs again, by their numbers. A request that went to the desk meanwhile looks at all its sources again.

    The workers' sweepers find them within seconds.
    """
    from delivery.services.quarantine import retry

    ctx = _context()
    for number in numbers:
        done = retry(ctx, number, "operator")
        click.echo(f"{number} {'looks at all sources again' if done.looks_again else 'is tried again'}")


@jobs.command("dismiss")
@click.argument(
    "numbers", nargs=-1, required=True, type=click.IntRange(1, LARGEST), help="Numbers of jobs, as the list has them."
)
def jobs_dismiss(numbers: tuple[int, ...]) -> None:
    """Give jobs up for good, by their numbers. What they were about stays as it is."""
    from delivery.services.quarantine import dismiss

    ctx = _context()
    for number in numbers:
        dismiss(ctx, number, "operator")
        click.echo(f"{number} is dismissed")
