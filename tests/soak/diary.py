"""What has been run of a soak, line by line, so that it can be stopped at any time and go on later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """How one part ended: ``closing`` are the figures that it told, ``at`` is when it ended in UTC."""

    part: str
    good: bool
    seconds: float
    at: str
    closing: str


class Diary:
    """The outcomes of one commit in a file. Of a part that ran twice the later one counts."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def outcomes(self) -> dict[str, Outcome]:
        """By part; a last line that was cut off is none."""
        return {outcome.part: outcome for outcome in self._lines()}

    def _lines(self) -> Iterator[Outcome]:
        if not self._path.exists():
            return
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                yield Outcome(**json.loads(line))
            except ValueError:
                continue

    def add(self, outcome: Outcome) -> None:
        """Write down how a part ended."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(outcome)) + "\n")


def table(commit: str, injected: Iterable[tuple[str, str]], outcomes: dict[str, Outcome]) -> str:
    """Markdown for docs/reliability.md: each part with what was injected and found."""
    rows = [f"Commit {commit}:", "", "| | injected | found | minutes | ended |", "|---|---|---|---|---|"]
    for name, what in injected:
        outcome = outcomes.get(name)
        if outcome is None:
            rows.append(f"| {name} | {what} | not run | | |")
        else:
            found = ("" if outcome.good else "**FAILED** ") + outcome.closing
            rows.append(f"| {name} | {what} | {found} | {outcome.seconds / 60:.1f} | {outcome.at} |")
    return "\n".join(rows)
