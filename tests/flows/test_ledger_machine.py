"""Any sequence of asking, supplying, cancelling, giving back, and of limits and days that change: the ledger equals a model on paper."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from delivery.lifecycle import OPEN, State
from delivery.services import desk, linking, requesting
from delivery.services.replaying import replay
from tests.services.postgres import fresh_database
from tests.world import LIMITED, World, make_world

DUBLIN = ZoneInfo("Europe/Dublin")
TEXT = LIMITED.format(most="{most}", per="entity", effect="deny").replace(
    'unit = "month"', 'unit = "month", anchor = "filled_at"'
)
SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"


@dataclass
class Paper:
    """What the model knows of one request: set aside, supplied in a month, or neither."""

    standing: str
    month: tuple[int, int] = (0, 0)


class LedgerMachine(RuleBasedStateMachine):
    """One library, one monthly limit by fill, and everything that can happen to its requests."""

    asked = Bundle("asked")
    collection: Path
    server = ""  # of PostgreSQL, where each round gets a database of its own; else SQLite

    @initialize(most=st.integers(0, 3))
    def start(self, most: int) -> None:
        self.made = contextlib.ExitStack()
        folder = Path(self.made.enter_context(tempfile.TemporaryDirectory()))
        database = self.made.enter_context(fresh_database(self.server)) if self.server else ""
        self.world: World = make_world(folder / "home", self.collection, database)
        self.made.callback(self.world.services.engine.dispose)
        self.paper: dict[str, Paper] = {}
        self.version = 0
        self.limit(most)
        for source in ("collection", "desk"):
            self.world.bind(source, ["limited"])

    def teardown(self) -> None:
        if hasattr(self, "made"):
            self.made.close()

    def month(self) -> tuple[int, int]:
        local = self.world.clock().astimezone(DUBLIN)
        return local.year, local.month

    def counted(self) -> int:
        """On paper: what is set aside now, and what was supplied this month."""
        return sum(
            one.standing == "reserved" or (one.standing == "filled" and one.month == self.month())
            for one in self.paper.values()
        )

    @rule(most=st.integers(0, 3))
    def limit(self, most: int) -> None:
        """The consortium agrees on another limit, in the middle of a month or not."""
        self.version += 1
        self.most = most
        text = TEXT.replace("{most}", str(most)).replace("version = 1\n", f"version = {self.version}\n")
        self.world.load(text.replace("{{", "{").replace("}}", "}"))

    @rule(target=asked, held=st.booleans())
    def ask(self, held: bool) -> str:
        """Somebody asks: accepted exactly when the paper says that there is room."""
        room = self.counted() < self.most
        title = "" if held else "Nobody has this"

        request = self.world.ask(
            doi="10.5555/lantern.2021.0001" if held else "", title=title, year="" if held else "2020"
        )

        assert (request.state is State.NEW) == room
        self.paper[request.number] = Paper("reserved" if room else "none")
        return request.number

    @rule()
    def work(self) -> None:
        """The machines do what they can; a limit lowered meanwhile turns a copy down at the fill."""
        self.world.work()
        for number, one in self.paper.items():
            state = self.world.get(number).state
            if one.standing == "reserved" and state is State.SUPPLIED:
                one.standing, one.month = "filled", self.month()
            elif one.standing == "reserved" and state is State.REFUSED:
                one.standing = "none"

    @rule(number=asked)
    def cancel(self, number: str) -> None:
        """The reader takes an open request back."""
        if self.world.get(number).state in OPEN:
            requesting.cancel(self.world.ctx, self.world.reader, number)
            self.paper[number].standing = "none"

    @rule(number=asked)
    def not_found(self, number: str) -> None:
        """The desk gives a request up."""
        if self.world.get(number).state is State.AT_DESK:
            desk.leave_unfilled(self.world.ctx, self.world.librarian, number, "it is nowhere")
            self.paper[number].standing = "none"

    @rule(number=asked, again=st.booleans())
    def give_back(self, number: str, again: bool) -> None:
        """A bad copy is withdrawn and its use given back."""
        request = self.world.get(number)
        if request.state is State.SUPPLIED and self.paper[number].standing == "filled":
            linking.revoke(self.world.ctx, self.world.librarian, request.delivery, "unreadable", give_back=True)
            self.paper[number].standing = "none"

    @rule(days=st.sampled_from([0, 1, 6, 7, 30]))
    def wait(self, days: int) -> None:
        """Time passes, now and then into another month."""
        self.world.clock.move(timedelta(days=days, hours=1))

    @invariant()
    def the_ledger_is_what_the_paper_says(self) -> None:
        if not hasattr(self, "paper"):
            return
        with self.world.store.read() as work:
            for number, one in self.paper.items():
                record = work.ledger.record(f"{number}/1")
                standing = record.status if record else "none"
                assert (standing if standing in {"reserved", "filled"} else "none") == one.standing
            entries = [entry for number in self.paper for entry in work.ledger.entries(f"{number}/1")]
        held = sum({"reserve": 1, "release": -1, "refund": -1}.get(entry.kind, 0) for entry in entries)
        assert held == sum(one.standing != "none" for one in self.paper.values())

    @invariant()
    def the_past_is_decided_again_as_it_was(self) -> None:
        for number in list(getattr(self, "paper", {}))[-2:]:
            again = replay(self.world.ctx, number)
            assert again is not None
            assert again.differs == ()


class PostgresMachine(LedgerMachine):
    """The same on PostgreSQL."""


def run(machine: type[LedgerMachine], rounds: int) -> None:
    """Play this many rounds of fourteen steps; a difference from the paper is raised with the steps that led to it."""
    run_state_machine_as_test(
        machine, settings=settings(max_examples=400 if SOAK else rounds, stateful_step_count=14, deadline=None)
    )


@pytest.mark.slow
@pytest.mark.timeout(3_600 if SOAK else 300)
def test_the_ledger_equals_a_model_on_paper_whatever_happens(collection: Path) -> None:
    LedgerMachine.collection = collection
    run(LedgerMachine, 12)


@pytest.mark.slow
@pytest.mark.timeout(3_600 if SOAK else 300)
def test_on_postgresql_the_ledger_equals_the_model_too(postgres_server: str, collection: Path) -> None:
    PostgresMachine.collection, PostgresMachine.server = collection, postgres_server
    run(PostgresMachine, 8)
