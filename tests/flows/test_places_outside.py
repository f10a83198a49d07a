"""What places outside tell of a log that was set back or rewritten, and what is not taken for their word."""

from __future__ import annotations

import pytest

from delivery.services.witnessing import give_checkpoints, seen_outside
from tests.flows.test_log import events, sign
from tests.flows.witness_server import Told, answering, uses
from tests.world import World


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, "text/plain"),
        (400, "text/plain"),
        (403, "text/plain"),
        (404, "text/plain"),
        (409, "text/plain"),
        (429, "text/plain"),
        (502, "text/x.tlog.size"),
    ],
)
def test_a_witness_that_answers_with_an_error_has_said_nothing(world: World, status: int, kind: str) -> None:
    events(world, 5)
    sign(world)
    with answering(Told([(status, kind, b"5\n")])) as place:
        uses(world, place)
        _, troubles = seen_outside(world.ctx)
        given = give_checkpoints(world.ctx)

    assert set(troubles) == set(given) == {place.name}
