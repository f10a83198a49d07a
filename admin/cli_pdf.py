"""Commands about PDF files."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date
from functools import wraps
from pathlib import Path
from typing import NoReturn, ParamSpec

import click

from drm.pdf.inspecting import inspect
from drm.pdf.names import normalise_name
from drm.pdf.rewrite import make_copy
from drm.pdf.values import CopySpec, Limits, PdfRefused, Permissions
from drm.pdf.verifying import verify

USAGE, REFUSED = 2, 3
DELIVERY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
P = ParamSpec("P")


@click.group()
def pdf() -> None:
    """Inspect, stamp and verify PDF files."""


def _refuse(code: str, text: str) -> NoReturn:
    click.echo(f"refused: {code}: {text}", err=True)
    sys.exit(REFUSED)


def told(command: Callable[P, None]) -> Callable[P, None]:
    """Refusals as one line and exit 3; files that cannot be read as one line and exit 2."""

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except PdfRefused as refusal:
            _refuse(refusal.code, refusal.text)
        except OSError as error:
            click.echo(f"cannot read or write: {error.strerror}", err=True)
            sys.exit(USAGE)

    return guarded


def _password(given: str | None, file: str | None) -> str | None:
    if file is None:
        return given
    text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    return text.rstrip("\r\n")


def _today() -> date:
    from admin.wiring import real_clock

    return real_clock().astimezone(UTC).date()


@pdf.command("inspect")
@click.argument("file", type=click.Path(path_type=Path), help="PDF file.")
@click.option("--password", default=None, help="Opens a protected file.")
@click.option("--password-file", default=None, help="File with that password; - for standard input.")
@told
def pdf_inspect(file: Path, password: str | None, password_file: str | None) -> None:
    """Print a JSON report on a file. What would be refused has its code in 'verdict'."""
    click.echo(json.dumps(inspect(file, Limits(), _password(password, password_file)), ensure_ascii=False, indent=1))


@pdf.command("stamp")
@click.argument("file", type=click.Path(path_type=Path), help="PDF file.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Where the copy goes.")
@click.option("--reader", required=True, help="Name on the stamp.")
@click.option("--delivery", required=True, help="Delivery number: letters, digits, . _ -")
@click.option("--library", default="Rushlight", show_default=True, help="Library named on the stamp.")
@click.option("--agreement", default="", help="Agreement named on the cover.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "rewrite", "tail"]),
    default="auto",
    show_default=True,
    help="Way of making the copy.",
)
@click.option("--encrypt/--no-encrypt", default=True, show_default=True, help="AES-256, opening without a password.")
@click.option("--no-print", is_flag=True, help="Ask PDF readers not to print.")
@click.option("--password", default=None, help="Opens a protected source.")
@click.option("--password-file", default=None, help="File with that password; - for standard input.")
@click.option(
    "--reader-password-file",
    default=None,
    help="File with the password that shall open the copy; - for standard input.",
)
@click.option("--issued", default=None, help="Date on the copy as YYYY-MM-DD; today (UTC) if not given.")
@told
def pdf_stamp(
    file: Path,
    out: Path,
    reader: str,
    delivery: str,
    library: str,
    agreement: str,
    engine: str,
    encrypt: bool,
    no_print: bool,
    password: str | None,
    password_file: str | None,
    reader_password_file: str | None,
    issued: str | None,
) -> None:
    """Make one reader's copy of a PDF, verified before it appears. Prints a JSON summary."""
    if engine == "tail":
        _refuse("unsupported", "This version has the rewrite engine only.")
    if not normalise_name(reader):
        _refuse("bad-name", "Nothing is left of the name that could be shown.")
    if not DELIVERY.fullmatch(delivery):
        raise click.UsageError("--delivery takes up to 64 letters, digits, dots, hyphens and underscores")
    if out.exists() and file.exists() and out.samefile(file):
        raise click.UsageError("the copy cannot be written over its source; name another file with -o")
    try:
        day = date.fromisoformat(issued) if issued else _today()
    except ValueError:
        raise click.UsageError(f"--issued: {issued!r} is no date such as 2026-11-24") from None
    spec = CopySpec(
        delivery=delivery,
        library=library,
        issued_on=day,
        reader=reader,
        agreement=agreement,
        permissions=Permissions(encrypt=encrypt, print="none" if no_print else "full"),
    )
    report = make_copy(
        file, out, spec, Limits(), _password(password, password_file), _password(None, reader_password_file)
    )
    click.echo(json.dumps(asdict(report), ensure_ascii=False, indent=1))


@pdf.command("verify")
@click.argument("file", type=click.Path(path_type=Path), help="PDF file.")
@click.option("--password", default=None, help="Opens a protected copy.")
@click.option("--password-file", default=None, help="File with that password; - for standard input.")
@told
def pdf_verify(file: Path, password: str | None, password_file: str | None) -> None:
    """Check a copy as before publication and print a JSON verdict. Exit 0 good, 3 bad."""
    with file.open("rb"):
        pass
    verdict = verify(file, None, Limits(), _password(password, password_file))
    click.echo(json.dumps(asdict(verdict), ensure_ascii=False, indent=1))
    if not verdict.good:
        sys.exit(REFUSED)
