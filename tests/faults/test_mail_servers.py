"""A mail server that is down, puts off, refuses or breaks off when it has the letter: the copy stays, and one letter more at most goes."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from admin.mail import SmtpMailer
from delivery.lifecycle import State
from delivery.services.quarantine import waiting_for_person
from delivery.services.working import run_job, sweep
from tests.faults.counts import MAIL_SERVERS
from tests.faults.installation import violations
from tests.services.smtp import Mailbox, smtp_server
from tests.world import World

TROUBLES = ("451 greylisted, come again", "421 busy", "452 no room", "hang up", "hang up unread")


@dataclass
class Troubled(Mailbox):
    """Answers each letter with the next trouble, and takes it where none is left."""

    troubles: list[str] = field(default_factory=list)
    met: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Called by aiosmtpd for every message."""
        if not self.troubles:
            return await super().handle_DATA(server, session, envelope)
        trouble = self.troubles.pop(0)
        self.met += 1
        if trouble == "hang up":
            await super().handle_DATA(server, session, envelope)
        if trouble.startswith("hang up"):
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
            return "250 nobody hears this"
        return trouble


def run_for(world: World, hours: int) -> None:
    for _ in range(hours * 4):
        for job in sweep(world.ctx):
            run_job(world.ctx, job, lambda *_: None)
        world.clock.move(timedelta(minutes=15))


def posting(world: World, box: Mailbox) -> World:
    mailer = SmtpMailer(f"smtp://{box.host}:{box.port}", "Rushlight <delivery@rushlight.example>", world.clock)
    return replace(world, ctx=replace(world.ctx, mailer=mailer))


@pytest.mark.parametrize("turn", range(MAIL_SERVERS.now))
def test_letters_get_through_a_server_in_trouble_with_one_more_for_each_unknown_end_at_most(
    world: World, turn: int
) -> None:
    chance = random.Random(f"{datetime.now(UTC).toordinal()} {turn}")
    plan = [*chance.sample(TROUBLES[:3] + TROUBLES[4:], 3), "hang up"]
    unknown = plan.count("hang up")
    with smtp_server(Troubled) as box:
        assert isinstance(box, Troubled)
        box.troubles = list(plan)
        posted = posting(world, box)
        numbers = [posted.ask(doi=doi).number for doi in ("10.5555/lantern.2021.0001", "10.5555/lantern.2022.0002")]
        run_for(posted, 8)
        ids = Counter(str(letter.message["Message-ID"]) for letter in box.letters)

    assert box.met == len(plan)
    assert [posted.get(number).state for number in numbers] == [State.SUPPLIED] * 2
    assert set(ids) == {world.delivery(number).message_id for number in numbers}
    assert ids.total() <= len(numbers) + unknown
    assert violations(world) == []


def test_a_server_that_is_down_for_most_of_a_day_gets_each_letter_in_the_end(world: World) -> None:
    with smtp_server() as box:
        pass
    number = posting(world, box).ask().number
    run_for(posting(world, box), 17)
    assert world.get(number).state is State.SUPPLIED
    assert waiting_for_person(world.ctx) == ()

    with smtp_server() as back:
        run_for(posting(world, back), 2)

    assert [str(letter.message["Message-ID"]) for letter in back.letters] == [world.delivery(number).message_id]


def test_a_refused_recipient_leaves_the_copy_and_tells_a_person(world: World, smtp: Mailbox) -> None:
    smtp.reply = "550 no such mailbox"
    number = posting(world, smtp).ask().number
    run_for(posting(world, smtp), 1)

    (job,) = waiting_for_person(world.ctx)
    assert (job.kind, job.attempt) == ("mail", 1)
    assert world.get(number).state is State.SUPPLIED
    assert world.copy(number).startswith(b"%PDF")
    assert violations(world) == []
