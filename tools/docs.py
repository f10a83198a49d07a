"""Writes the lists in ``docs/`` that come from the sources: settings, commands, reason codes.

python -m tools.docs            write what has changed
python -m tools.docs --check    write nothing; exit code 1 when something would change
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
WRITTEN = "<!-- Written by `make docs` from the sources: change those, not this page. -->"
WIDTH = 100

# Tables of a catalogue that hold something else than codes of their own.
SECTIONS = {"way": "What the reader can do"}

# Each catalogue of reason codes: where it is, and when a person meets its codes.
CATALOGUES = {
    "drm/reasons.toml": ("Decisions", "Why a request is refused or waits, under the agreements of the library."),
    "drm/pdf/refusals.toml": ("Files", "Why a file cannot be prepared or verified."),
    "drm/pdf/notes.toml": ("Notes on copies", "What was done to a file, and which engine made its copy and why."),
    "fetchers/codes.toml": ("Sources", "Why a source did not give the full text; the desk sees them as tried sources."),
    "admin/fsck/codes.toml": ("Checks", "What `rushlight fsck` finds, and the cure."),
    "delivery/field_errors.toml": (
        "Fields",
        "What is wrong with a field of a form or of the JSON interface (status 422; 400 with the code `unreadable-input` where a "
        "text holds NUL or half of a surrogate pair).",
    ),
}


def settings_page() -> str:
    """Every environment variable with its default and meaning."""
    from admin.settings import Settings

    prefix = str(Settings.model_config.get("env_prefix", ""))
    rows = [
        f"| `{_variable(prefix, name, field)}` | {_default(field)} | {_one_line(field.description or '')} |"
        for name, field in Settings.model_fields.items()
    ]
    return _page(
        "Settings",
        "The service reads these variables once at its start. A value that cannot be used is reported by the name of "
        "its variable, and nothing starts.",
        ["| variable | default | meaning |", "|---|---|---|", *rows],
    )


def undescribed_settings() -> list[str]:
    """Settings whose meaning nobody has written down."""
    from admin.settings import Settings

    return [name for name, field in Settings.model_fields.items() if not field.description]


def _variable(prefix: str, name: str, field: FieldInfo) -> str:
    return field.validation_alias if isinstance(field.validation_alias, str) else f"{prefix}{name}".upper()


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "made from others" if field.default_factory else "none: must be given"
    if field.default is None or field.default in ("", ()):
        return "not set"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def commands_page() -> str:
    """The help text of every command, as the terminal shows it."""
    lines = []
    for path, command in commands():
        name = " ".join(path)
        context = click.Context(
            command, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH, help_option_names=["-h", "--help"]
        )
        lines += [f"## {name}", "", "```text", *command.get_help(context).splitlines(), "```", ""]
    return _page("Commands", "What `rushlight COMMAND --help` says, for every command.", lines)


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that is not hidden, with the words that reach it, groups before their members."""
    from admin.cli import rushlight

    yield from _below(("rushlight",), rushlight)


def _below(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1], help_option_names=["-h", "--help"])
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from _below((*path, name), child)


def reason_codes_page() -> str:
    """Every code of every catalogue with its words in both languages."""
    lines = []
    for source, (title, meeting) in CATALOGUES.items():
        lines += [f"## {title}", "", f"{meeting} From `{source}`.", ""]
        for section, entries in sections(source).items():
            lines += [*([f"### {SECTIONS[section]}", ""] if section in SECTIONS else []), *_table(entries), ""]
    return _page("Reason codes", "Codes are stable: programs may rely on them, while the words may be improved.", lines)


def sections(source: str) -> dict[str, dict[str, dict[str, str]]]:
    """One catalogue: section, then code, then its texts by name; a catalogue without sections has one without a name.

    Sections that SECTIONS does not know (``[reason.CODE]``) come first.
    """
    found = tomllib.loads((ROOT / source).read_text(encoding="utf-8"))
    entries = {key: value for key, value in found.items() if isinstance(value, dict)}
    flat = {code: dict(_texts(entry)) for code, entry in entries.items() if _is_entry(entry)}
    nested = {
        name: {code: dict(_texts(entry)) for code, entry in section.items()}
        for name, section in sorted(entries.items(), key=lambda each: each[0] in SECTIONS)
        if not _is_entry(section)
    }
    return {"": flat, **nested} if flat else nested


def _is_entry(table: Mapping[str, Any]) -> bool:
    return bool({"en", "zh"} & table.keys()) or any(isinstance(each, str) for each in table.values())


def _texts(entry: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in entry.items():
        name = f"{above} {key}".strip().replace("_", " ")
        if isinstance(value, dict):
            yield from _texts(value, name)
        else:
            yield name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _table(entries: Mapping[str, Mapping[str, str]]) -> list[str]:
    columns = list(dict.fromkeys(name for texts in entries.values() for name in texts))
    rows = [
        f"| `{code}` | " + " | ".join(_one_line(texts.get(column, "")) for column in columns) + " |"
        for code, texts in sorted(entries.items())
    ]
    return ["| code | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|", *rows]


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _page(title: str, opening: str, lines: list[str]) -> str:
    return "\n".join([f"# {title}", "", WRITTEN, "", opening, "", *lines]).rstrip() + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "reason-codes.md": reason_codes_page,
}


def stale() -> dict[str, str]:
    """The pages whose file differs from what the sources say, with the text that they should have."""
    texts = {name: page() for name, page in PAGES.items()}
    return {name: text for name, text in texts.items() if not _holds(DOCS / name, text)}


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def main(arguments: list[str]) -> int:
    """Writes or checks the pages."""
    wrong = stale()
    if "--check" in arguments:
        print("\n".join(f"docs/{name} is out of date: make docs" for name in wrong) or "docs/ is current.")
        return 1 if wrong else 0
    for name, text in wrong.items():
        (DOCS / name).write_text(text, encoding="utf-8")
        print(f"docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
