"""Our log under the eyes of others: Go's packages sumdb/note and sumdb/tlog read its checkpoints, tiles and proofs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from delivery.services.log_exporting import export_log
from delivery.services.log_tiles import prove
from delivery.services.witnessing import newest_checkpoint
from drm.audit.proofs import write_proof
from tests.flows.test_log import events, sign
from tests.world import World


@pytest.mark.timeout(400)
def test_go_verifies_checkpoint_tiles_entries_proofs_and_consistency(
    world: World, log_checker: Path, tmp_path: Path
) -> None:
    events(world, 300)
    sign(world)
    (tmp_path / "older").write_bytes(newest_checkpoint(world.ctx))
    events(world, 400)
    sign(world)
    export_log(world.ctx, tmp_path / "log", entries=True)
    files = []
    with world.store.read() as work:
        for seq in (1, 256, 257, 512, 700):
            proof, entry = prove(work, seq)
            files += [tmp_path / f"{seq}.tlog-proof", tmp_path / f"{seq}.json"]
            files[-2].write_bytes(write_proof(proof))
            files[-1].write_bytes(entry)

    def said() -> str:
        key = str(world.ctx.log.keys.verifiers[0])
        command = [str(part) for part in (log_checker, tmp_path / "log", key, tmp_path / "older", *files)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    assert said() == "good: 700\n"
    files[-1].write_bytes(files[-1].read_bytes().replace(b"harbour", b"harbeur"))
    assert said().startswith("BAD:")
