"""Commands about agreements and decisions. With files they need no database, settings or network."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from drm.agreement_warnings import warnings
from drm.agreements import Agreement, AgreementError, load_file, split_file
from drm.cases import CaseFileError, explain_case, run_cases
from drm.obligations import known_codes, unknown_codes

UNREADABLE = 2


@click.group()
def rights() -> None:
    """Agreements and decisions."""


@rights.command("test")
@click.option("--policies", required=True, type=click.Path(path_type=Path), help="TOML file with the agreements.")
@click.argument("cases", type=click.Path(path_type=Path), help="JSON file with worked cases.")
def rights_test(policies: Path, cases: Path) -> None:
    """Run every case of a case file. One line for each that fails; exit 1 if any did."""
    try:
        failures, total = run_cases(load_file(policies), cases)
    except (AgreementError, CaseFileError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(UNREADABLE)
    for line in failures:
        click.echo(line)
    click.echo(f"{total - len(failures)} passed, {len(failures)} failed")
    if failures:
        sys.exit(1)


@rights.command("explain")
@click.option("--policies", type=click.Path(path_type=Path), help="TOML file with the agreements, for a worked case.")
@click.option(
    "--language",
    default="en",
    type=click.Choice(["en", "zh"]),
    show_default=True,
    help="Language of what is shown or sent.",
)
@click.argument("what", help="Request number, or with --policies a JSON file with worked cases.")
@click.argument("case_id", required=False, help="Id of one case in that file.")
def rights_explain(policies: Path | None, language: str, what: str, case_id: str | None) -> None:
    """Explain a decision: rules, used x of y, when it resets, what the reader can do.

    Either of a stored request, or of one case of a case file.
    """
    if policies is None:
        if case_id is not None:
            raise click.UsageError("a case needs --policies; a request number stands alone")
        from admin.cli_rights_past import explain_stored

        lines = explain_stored(what, language)
    else:
        if case_id is None:
            raise click.UsageError("name the case after its file")
        try:
            lines = explain_case(load_file(policies), Path(what), case_id, language)
        except (AgreementError, CaseFileError, OSError) as error:
            click.echo(str(error), err=True)
            sys.exit(UNREADABLE)
    for line in lines:
        click.echo(line)


@rights.command("check")
@click.argument("file", type=click.Path(path_type=Path), help="TOML file with agreements.")
def rights_check(file: Path) -> None:
    """Validate a file of agreements. Exit 2 when it cannot be read, 1 when an obligation has no text."""
    try:
        agreements = load_file(file)
    except (AgreementError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(UNREADABLE)
    bad = False
    for agreement in agreements:
        if agreement.verified is False:
            click.echo(
                f"warning: {agreement.id} v{agreement.version} is not verified: {agreement.check or 'compare it with its source'}"
            )
        for code in unknown_codes(agreement):
            bad = True
            click.echo(f"error: {_textless(file, agreement, code)}")
    for line in warnings(agreements):
        click.echo(f"warning: {line}")
    click.echo(f"{len(agreements)} agreements, {sum(len(agreement.rules) for agreement in agreements)} rules")
    if bad:
        sys.exit(1)


def _textless(file: Path, agreement: Agreement, code: str) -> str:
    key = next(key for key, codes in agreement.oblige.items() if code in codes)
    known = ", ".join(known_codes())
    return (
        f"{file}, agreement {agreement.id}, key oblige.{key}: no text for the obligation {code!r}; write one of {known}"
    )


def _day_after(day: datetime) -> datetime:
    """The end of a day; a usage error for the last one that there is."""
    try:
        return day.replace(tzinfo=UTC) + timedelta(days=1)
    except OverflowError:
        raise click.UsageError(f"--to: nothing comes after {day:%Y-%m-%d}") from None


@rights.command("simulate")
@click.option("--source", "sources", multiple=True, help="Id of a source for which the texts would hold.")
@click.option("--library", "libraries", multiple=True, help="Id of a library for which the texts would hold.")
@click.option("--policies", required=True, type=click.Path(path_type=Path), help="TOML file with the new texts.")
@click.option("--from", "since", required=True, type=click.DateTime(["%Y-%m-%d"]), help="First day, UTC.")
@click.option("--to", "until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Last day, UTC.")
def rights_simulate(
    policies: Path, since: datetime, until: datetime, sources: tuple[str, ...], libraries: tuple[str, ...]
) -> None:
    """Decide the stored requests of a period again under new texts: who would have been refused or freed. Changes nothing."""
    from admin.cli_rights_past import simulated

    try:
        agreements = load_file(policies)
    except (AgreementError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(UNREADABLE)
    end = _day_after(until)
    for line in simulated(agreements, since.replace(tzinfo=UTC), end, sources, libraries):
        click.echo(line)


@rights.command("import")
@click.option(
    "--officer", required=True, help="E-mail address of the rights officer in whose name the drafts are kept."
)
@click.argument("file", type=click.Path(path_type=Path), help="TOML file with agreements.")
def rights_import(officer: str, file: Path) -> None:
    """Keep every agreement of a file as a draft, which officers then propose and confirm. All of them, or none."""
    from admin.cli_rights_past import imported

    try:
        texts = split_file(file)
    except (AgreementError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(UNREADABLE)
    for line in imported(officer, texts):
        click.echo(line)


@rights.command("replay")
@click.argument("request", required=False, help="Request number; all requests where none is given.")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="First day, UTC.")
@click.option("--to", "until", type=click.DateTime(["%Y-%m-%d"]), help="Last day, UTC.")
def rights_replay(request: str | None, since: datetime | None, until: datetime | None) -> None:
    """Decide stored decisions again from their own records. One line for each that differs; exit 1 if any does."""
    from admin.cli_rights_past import replayed

    lines, total, partly = replayed(
        request or "",
        since.replace(tzinfo=UTC) if since else None,
        _day_after(until) if until else None,
    )
    for line in lines:
        click.echo(line)
    if partly:
        click.echo(f"{partly} with a reader forgotten: reader-scoped rules not recounted")
    click.echo(f"{total - len(lines)} the same, {len(lines)} differ")
    if lines:
        sys.exit(1)
