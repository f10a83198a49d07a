"""The console command ``rushlight``. Commands are loaded when they are called, so that the light ones start quickly."""

from __future__ import annotations

import importlib
import secrets
import sys
from collections.abc import Sequence

import click

from admin.settings import SettingsError
from delivery.errors import DeliveryError, Invalid, NotFound
from delivery.plain_texts import is_text

USAGE, REFUSED, OUR_FAULT = 2, 3, 70

COMMANDS = {
    "accept-rollback": ("admin.cli_restore", "accept_rollback"),
    "audit": ("admin.cli_audit", "audit"),
    "backup": ("admin.cli_operator", "backup"),
    "demo": ("admin.cli_demo", "demo"),
    "doctor": ("admin.cli_operator", "doctor"),
    "export": ("admin.cli_move", "export_data"),
    "fsck": ("admin.cli_fsck", "fsck"),
    "import": ("admin.cli_move", "import_data"),
    "init": ("admin.cli_operator", "init"),
    "issnl": ("admin.cli_titles", "issnl"),
    "jobs": ("admin.cli_jobs", "jobs"),
    "keys": ("admin.cli_keys", "keys"),
    "library": ("admin.cli_people", "library"),
    "migrate": ("admin.cli_operator", "migrate"),
    "openurl": ("admin.cli_openurl", "openurl"),
    "pdf": ("admin.cli_pdf", "pdf"),
    "people": ("admin.cli_people", "people"),
    "reissue": ("admin.cli_restore", "reissue"),
    "restore": ("admin.cli_restore", "restore"),
    "rights": ("admin.cli_rights", "rights"),
    "serve": ("admin.cli_serve", "serve"),
    "source": ("admin.cli_sources", "source"),
    "token": ("admin.cli_people", "token"),
    "worker": ("admin.cli_serve", "worker"),
}


class LazyGroup(click.Group):
    """Finds commands by name and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rushlight")
def rushlight() -> None:
    """Document delivery and digital rights for library consortia.

    Begin with 'rushlight demo': it sets up a sample consortium, serves both apps and delivers one article.
    Settings are environment variables that begin with RUSHLIGHT_ (docs/settings.md).

    Exit codes: 0 good, 1 a check found something, 2 usage or unreadable input, 3 refused with a reason code,
    70 our own fault with an incident number.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit. People get one line, never a traceback."""
    written = sys.argv[1:] if arguments is None else arguments
    # Those about PDF files keep nothing: their paths may hold any bytes.
    if written[:1] != ["pdf"] and not all(is_text(word) for word in written):
        click.echo("an argument is not UTF-8, or holds a character that cannot be kept", err=True)
        sys.exit(USAGE)
    try:
        code = rushlight.main(args=list(arguments) if arguments is not None else None, standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SettingsError as error:
        click.echo(f"cannot start: {error}", err=True)
        sys.exit(USAGE)
    except (NotFound, Invalid) as error:
        click.echo(f"{error.code}: {_words(error)}", err=True)
        sys.exit(USAGE)
    except DeliveryError as error:
        click.echo(f"refused: {error.code}: {error.text}", err=True)
        sys.exit(REFUSED)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the last net: one line with a number instead of a traceback
        sys.exit(_our_fault(error))


def _our_fault(error: Exception) -> int:
    """Tell an incident by its number, in one line; where a process log was begun, details go there."""
    import structlog

    incident, kind = secrets.token_hex(4), type(error).__name__
    if structlog.is_configured():
        structlog.get_logger().error("command.failed", incident=incident, error=kind, detail=str(error)[:300])
    click.echo(f"incident {incident}: something went wrong that is our fault ({kind})", err=True)
    return OUR_FAULT


def _words(error: DeliveryError) -> str:
    if isinstance(error, Invalid):
        return ", ".join(f"{field}: {code}" for field, code in error.fields.items())
    return error.text


if __name__ == "__main__":
    main()
