"""Shows the rows as a table, on the terminal and in docs/performance.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from benchmarks.pdf_engine.rows import Row

COUNTED = Path(__file__).with_name("performance.md")
"""What stands in docs/performance.md above the figures."""

HEADS = ("id", "what", "ours", "peer or floor", "ratio", "bar", "outcome")


def failing(rows: Sequence[Row], smoke: bool) -> list[Row]:
    """The rows that end a run with 1."""
    return [row for row in rows if row.fails(smoke)]


def _cells(row: Row) -> tuple[str, ...]:
    return row.id, row.what, row.ours, row.other, row.ratio, row.bar, row.outcome


def table(rows: Sequence[Row]) -> str:
    """A table in Markdown that is read as easily on a terminal; below it the notes of what did not pass."""
    lines = [HEADS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    padded = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    notes = [f"{row.id} {row.what}: {row.note}" for row in rows if row.note and row.outcome == "FAIL"]
    return "\n".join([padded[0], rule, *padded[1:], *([""] if notes else []), *notes])


def page(rows: Sequence[Row], machine: Sequence[str], started: datetime, arguments: Sequence[str]) -> str:
    """docs/performance.md: what is counted, on which machine, and the table."""
    told = "\n".join(f"* {line}" for line in machine)
    command = f'make bench ARGS="{" ".join(arguments)}"'
    text = COUNTED.read_text(encoding="utf-8")
    head = f"{text}\n## The figures\n\n`{command}` on {started:%Y-%m-%d %H:%M} UTC:\n\n{told}\n\n"
    return head + table(rows) + "\n" + _notes(rows)


def _notes(rows: Sequence[Row]) -> str:
    notes = list(dict.fromkeys(f"* {row.id} {row.what}: {row.note}" for row in rows if row.note))
    return "\n## Notes to the rows\n\n" + "\n".join(notes) + "\n" if notes else ""
