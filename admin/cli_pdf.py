"""Commands about PDF files."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, date
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, get_args, get_type_hints

import click

from drm.pdf.inspecting import inspect
from drm.pdf.names import normalise_name
from drm.pdf.notes import note_sentences, notes_of
from drm.pdf.policy import Policy, policy_from, policy_to
from drm.pdf.reader_password import reader_secret
from drm.pdf.tail.copying import copy_by_choice, copy_of_master, read_record, record_path, write_record
from drm.pdf.tail.keys import MasterKeys
from drm.pdf.tail.prepare import Wish, prepare
from drm.pdf.tail.typical import typical_copy
from drm.pdf.values import CopyReport, CopySpec, Limits, PdfRefused, Permissions
from drm.pdf.verifying import verify

USAGE, REFUSED = 2, 3
SPECIAL = {
    "signed": "Signed files: keep the looks of the signature, or refuse. No stamped copy can keep a signature valid.",
    "pdfa": "PDF/A: drop the claim, or keep it in copies that are not encrypted.",
    "damaged": "Files that open after a repair only.",
    "protected": "Files that their publisher encrypted.",
}
DELIVERY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
P = ParamSpec("P")


@click.group()
def pdf() -> None:
    """Inspect, prepare, stamp and verify PDF files."""


def _refuse(code: str, text: str) -> NoReturn:
    click.echo(f"refused: {code}: {' '.join(text.split())}", err=True)
    sys.exit(REFUSED)


def _tell(content: Mapping[str, object]) -> None:
    """JSON on standard output, as UTF-8 whatever the terminal's language."""
    # What is half a character (in a file's name or title) is escaped, as JSON does.
    click.echo(json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace"))


def _notes(codes: Iterable[str]) -> list[dict[str, str]]:
    """Notes with their sentences in every language."""
    return [{"code": code, **note_sentences()[code]} for code in codes]


def told(command: Callable[P, None]) -> Callable[P, None]:
    """Refusals as one line and exit 3; files that cannot be read as one line and exit 2."""

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except PdfRefused as refusal:
            _refuse(refusal.code, refusal.text)
        except BrokenPipeError:  # nobody reads on, which is nobody's fault
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except OSError as error:
            click.echo(f"cannot read or write: {error.strerror or error}", err=True)
            sys.exit(USAGE)

    return guarded


def special_files(command: Callable[..., None]) -> Callable[..., None]:
    """Options for what is done with special files; the command gets them as ``policy``."""
    names = ("signed", "pdfa", "damaged", "protected")

    @wraps(command)
    def with_policy(**options: Any) -> None:
        chosen = {name: options.pop(name) for name in names}
        command(policy=policy_from(chosen), **options)

    wrapped: Callable[..., None] = with_policy
    for name in reversed(names):
        values = get_args(get_type_hints(Policy)[name])
        default = getattr(Policy(), name)
        option = click.option(
            f"--{name}", type=click.Choice(values), default=default, show_default=True, help=SPECIAL[name]
        )
        wrapped = option(wrapped)
    return wrapped


def _password(given: str | None, file: str | None) -> str | None:
    """The password that was given, or the one line of the file: without its end, and without the mark that some editors begin
    files with."""
    if file is None:
        return given
    data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    try:
        text = data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.UsageError("a password file must be UTF-8") from None
    if not text:
        raise click.UsageError("a password file holds no password")
    if len(text.splitlines()) > 1:
        raise click.UsageError("a password file has more than one line")
    return text


def _reader_password(file: str | None) -> str | None:
    """The password that shall open the copy."""
    text = _password(None, file)
    try:
        if text is not None:
            reader_secret(text)
    except PdfRefused as refusal:
        raise click.UsageError(f"--reader-password-file: {refusal.text}") from None
    return text


def _readable(file: Path) -> None:
    """Only files are read: a pipe would keep us waiting, and a document is read more than once."""
    if file.exists() and not file.is_file():
        raise OSError(errno.EINVAL, "The path names no file")


def _writable(file: Path, out: Path, *beside: Path) -> None:
    """Nothing is written over the source, nor over what is no file, such as a folder or a device."""
    for path in (out, *beside):
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "The path to write names something that is no file")
        if path.exists() and file.exists() and path.samefile(file):
            raise click.UsageError("the result cannot be written over its source; name another file with -o")


def _named(library: str) -> None:
    """A library's name is on every page, so something of it must be seen."""
    if not normalise_name(library):
        _refuse("bad-name", "Nothing is left of the library's name that could be shown.")


def site_keys() -> MasterKeys:
    """The site's keys, made on first use. SettingsError where they are there but cannot be used."""
    from admin.keys import make_keys, read_keys
    from admin.settings import read_settings

    settings = read_settings()
    make_keys(settings.key_file)
    return MasterKeys(read_keys(settings.key_file).ring)


def _today() -> date:
    from admin.wiring import real_clock

    return real_clock().astimezone(UTC).date()


@pdf.command("inspect")
@click.argument("file", type=click.Path(path_type=Path), help="PDF file.")
@click.option("--password", default=None, help="Opens a protected file.")
@click.option("--password-file", default=None, help="File with that password; - for standard input.")
@special_files
@told
def pdf_inspect(file: Path, password: str | None, password_file: str | None, policy: Policy) -> None:
    """Print a JSON report on a file. What would be refused has its code in 'verdict'."""
    _readable(file)
    report = inspect(file, Limits(), _password(password, password_file), policy)
    codes = report["notes"]
    _tell({**report, "notes": _notes(map(str, codes)) if isinstance(codes, list) else []})


@pdf.command("prepare")
@click.argument("file", type=click.Path(path_type=Path), help="PDF file.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Where the master goes.")
@click.option("--library", default=None, help="Library that most copies will name.")
@click.option("--plain", is_flag=True, help="For copies that are not encrypted, of open-access texts.")
@click.option("--password", default=None, help="Opens a protected source.")
@click.option("--password-file", default=None, help="File with that password; - for standard input.")
@special_files
@told
def pdf_prepare(
    file: Path,
    out: Path,
    library: str | None,
    plain: bool,
    password: str | None,
    password_file: str | None,
    policy: Policy,
) -> None:
    """Prepare a PDF once, so that each copy of it takes a small tail only. Writes the master and its record OUT.json."""
    _readable(file)
    _writable(file, out, record_path(out))
    if library:
        _named(library)
    typical = replace(typical_copy(), library=library) if library else None
    given = _password(password, password_file)
    master = prepare(file, out, site_keys(), Wish(typical, encrypted=not plain, policy=policy), Limits(), given)
    write_record(master, out)
    summary = {
        "engine": "tail",
        "master_id": master.id,
        "record": os.fsencode(record_path(out)).decode("utf-8", "replace"),
        "bytes": master.base_len,
        "pages": master.pages,
        "layout": master.layout,
        "encrypted": master.encrypted,
        "key_version": master.key_version,
        "engine_version": master.engine_version,
        "wm_version": master.wm_version,
        "source_sha256": master.source_sha256,
        "removed": master.removed,
        "repaired": master.repaired,
        "overlap": master.overlap,
        "notes": _notes(notes_of(master.removed, master.repaired, overlap=bool(master.overlap))),
    }
    _tell(summary)


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
@special_files
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
    policy: Policy,
) -> None:
    """Make one reader's copy of a PDF, verified before it appears. Prints a JSON summary."""
    if not normalise_name(reader):
        _refuse("bad-name", "Nothing is left of the name that could be shown.")
    _named(library)
    if not DELIVERY.fullmatch(delivery):
        raise click.UsageError("--delivery takes up to 64 letters, digits, dots, hyphens and underscores")
    _readable(file)
    _writable(file, out)
    if record_path(file).exists():
        _writable(record_path(file), out)
    if [password_file, reader_password_file].count("-") > 1:
        raise click.UsageError("standard input can hold one of the two passwords only")
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
    policy = policy_from({**policy_to(policy), "engine": engine})
    opening, reading = _password(password, password_file), _reader_password(reader_password_file)
    report = _copied(file, out, spec, policy, opening, reading)
    _tell({**asdict(report), "notes": _notes(report.notes)})


def _copied(
    file: Path, out: Path, spec: CopySpec, policy: Policy, password: str | None, reader_password: str | None
) -> CopyReport:
    """One copy by the engine that the policy chooses. A master knows one engine only."""
    master = read_record(file)
    if master is None:
        return copy_by_choice(file, out, spec, Limits(), password, reader_password, policy)
    if policy.engine == "rewrite":
        _refuse("unsupported", "A master is no document that could be rewritten.")
    return copy_of_master(file, master, out, spec, site_keys(), Limits(), reader_password)


@pdf.command("verify")
@click.argument("file", type=click.Path(path_type=Path), help="PDF file.")
@click.option("--password", default=None, help="Opens a protected copy.")
@click.option("--password-file", default=None, help="File with that password; - for standard input.")
@told
def pdf_verify(file: Path, password: str | None, password_file: str | None) -> None:
    """Check a copy as before publication and print a JSON verdict. Exit 0 good, 3 bad."""
    _readable(file)
    with file.open("rb"):
        pass
    verdict = verify(file, None, Limits(), _password(password, password_file))
    _tell(asdict(verdict))
    if not verdict.good:
        sys.exit(REFUSED)
