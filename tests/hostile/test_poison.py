"""Files made to take time and memory end within their limits with a reason, and other jobs go on beside them."""

from __future__ import annotations

import threading

import pytest

from drm.pdf.values import Limits
from tests.hostile.catalogue import POISON
from tests.hostile.drafts import Hostile, paper
from tests.hostile.judging import ENGINES, judged
from tests.hostile.watching import Watch

pytestmark = pytest.mark.filterwarnings("ignore")
NORMAL = Hostile("normal", "normal", paper, frozenset({"delivered"}))
QUICK_NAMES = {
    "forty filters",
    "RunLength in flate",
    "/Size of two thousand million",
    "/Index of two thousand million",
    "/W of a thousand million",
    "table of a hundred million",
    "arrays 100000 deep",
    "dictionaries 100000 deep",
    "a million pages by doubling",
    "6000 pages",
    "a million q",
    "a pattern of itself",
}
QUICK = [one for one in POISON if one.name in QUICK_NAMES]
MOST_SECONDS, MOST_MIB = Limits().cpu_seconds, Limits().memory_bytes / 2**20


def ends_well(one: Hostile, engine: str) -> None:
    with Watch() as watch:
        outcome = judged(one, engine)

    assert not outcome.wrong, str(outcome)
    assert watch.peak_mib <= MOST_MIB, one.name
    assert watch.cpu <= MOST_SECONDS + 2, one.name


@pytest.mark.parametrize("one", QUICK, ids=lambda one: one.name)
def test_poison_ends_with_a_reason(one: Hostile) -> None:
    ends_well(one, "tail")


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("one", POISON, ids=lambda one: one.name)
def test_poison_ends_with_a_reason_in_either_engine(one: Hostile, engine: str) -> None:
    ends_well(one, engine)


@pytest.mark.timeout(300)
def test_a_normal_job_succeeds_beside_every_kind_of_poison() -> None:
    one_of_each = {one.kind: one for one in QUICK}
    jobs = [threading.Thread(target=judged, args=(one, "rewrite")) for one in one_of_each.values()]
    for job in jobs:
        job.start()

    outcomes = [judged(NORMAL, engine) for engine in ENGINES for _ in range(3)]

    for job in jobs:
        job.join()
    assert [outcome for outcome in outcomes if outcome.wrong] == []
