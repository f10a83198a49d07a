"""fsck asks the places outside what they know of the log."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from admin.fsck.examining import is_notice
from delivery.log_places import Place
from delivery.services.checkpointing import make_checkpoint
from delivery.services.witnessing import give_checkpoints
from drm.audit.checkpoints import Checkpoint
from drm.audit.tree import EMPTY
from fetchers.log_witness import WitnessPlace
from storage.log_folder import NAME, FolderPlace
from tests.flows.witness_server import AGENT, STRANGER
from tests.fsck.planting import Used


def watched(used: Used, place: Place) -> Used:
    """The same installation with a place outside."""
    ctx = replace(used.services.ctx, log=replace(used.services.ctx.log, places=(place,)))
    return replace(used, world=replace(used.world, services=replace(used.services, ctx=ctx), ctx=ctx))


@pytest.fixture
def given(used: Used, tmp_path: Path) -> Used:
    """An installation whose log was signed and brought to a folder."""
    made = watched(used, FolderPlace(tmp_path / "outside"))
    make_checkpoint(made.world.ctx, made.services.keys.audit, at_once=True)
    assert give_checkpoints(made.world.ctx) == {}
    assert made.found() == []
    return made


def test_a_log_that_does_not_continue_what_a_place_keeps_is_named(given: Used, tmp_path: Path) -> None:
    signer = given.world.ctx.log.keys.signer(given.world.clock())
    (tmp_path / "outside" / NAME.format(3)).write_bytes(Checkpoint(signer.name, 3, EMPTY).signed(signer))

    assert given.codes() == {"log-broken", "log-place-differs"}


def test_a_place_that_shows_less_than_it_was_given_is_named(given: Used, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "outside")

    [found] = given.found()
    assert (found.code, found.ids) == ("log-place-differs", {"place": f"folder:{tmp_path / 'outside'}"})


def test_a_place_that_cannot_be_reached_is_told_and_is_no_violation(used: Used) -> None:
    nobody = watched(used, WitnessPlace("http://127.0.0.1:9/log", STRANGER.verifier, AGENT))
    make_checkpoint(nobody.world.ctx, nobody.services.keys.audit, at_once=True)

    [found] = nobody.found()
    assert (found.code, found.ids) == ("log-place-unasked", {"place": STRANGER.name})
    assert is_notice(found)
