"""The project's own worked cases, through the command that auditors use."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from admin.cli import rushlight
from tests.drm.policy.own_cases import CASES

AGREEMENTS = Path(__file__).with_name("own_agreements.toml")


def test_every_case_of_our_own_passes(tmp_path: Path) -> None:
    (tmp_path / "cases.json").write_text(json.dumps({"schema_version": 1, "cases": CASES}))

    result = CliRunner().invoke(
        rushlight, ["rights", "test", "--policies", str(AGREEMENTS), str(tmp_path / "cases.json")]
    )

    assert result.output == f"{len(CASES)} passed, 0 failed\n"
