"""Letters to several members of staff: each gets his own, once, whatever is wrong with the mailbox of another."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from delivery.jobs import MAIL, NewJob
from delivery.people import Role, Standing
from delivery.ports import Letter, MailFailed
from delivery.services.quarantine import retry, waiting_for_person
from delivery.services.working import run_job, sweep
from tests.world import LIMITED, World


class OneRefused:
    """Keeps letters to all but one mailbox."""

    def __init__(self, refused: str, permanent: bool) -> None:
        self.refused = refused
        self.permanent = permanent
        self.letters: list[Letter] = []

    def send(self, letter: Letter) -> None:
        """Fail or keep."""
        if letter.to.endswith(f"<{self.refused}>") or letter.to == self.refused:
            raise MailFailed("the mailbox is full", self.permanent)
        self.letters.append(letter)


def with_colleagues(world: World, role: Role, permanent: bool) -> tuple[World, OneRefused]:
    """A world in which two more have this office, one before and one behind her whose mailbox takes nothing."""
    world.add_person("Anna", role)
    world.add_person("Zoe", role)
    refused = world.librarian if role is Role.LIBRARIAN else world.officer
    mailer = OneRefused(refused.email, permanent)
    return replace(world, ctx=replace(world.ctx, mailer=mailer)), mailer


def run_for_hours(world: World, hours: int = 6) -> None:
    for _ in range(hours * 4):
        for job in sweep(world.ctx):
            run_job(world.ctx, job, lambda *_: None)
        world.clock.move(timedelta(minutes=15))


def names(letters: list[Letter]) -> Counter[str]:
    return Counter(letter.to.partition("@")[0].rpartition("<")[2] for letter in letters)


@pytest.mark.parametrize("permanent", [True, False])
@pytest.mark.parametrize("role", [Role.LIBRARIAN, Role.RIGHTS_OFFICER])
def test_a_mailbox_that_takes_nothing_is_no_matter_of_the_colleagues(world: World, role: Role, permanent: bool) -> None:
    world, mailer = with_colleagues(world, role, permanent)
    if role is Role.RIGHTS_OFFICER:
        world.load(LIMITED.format(most=0, per="reader", effect="needs_approval"))
        world.bind("collection", ["limited"])
        world.bind("desk", ["limited"])
        world.ask()
    else:
        world.ask(title="A thing nobody holds", year="2020")
    run_for_hours(world)

    assert names(mailer.letters) == {"anna": 1, "zoe": 1}


def test_whose_letter_was_set_aside_gets_it_alone_when_it_is_tried_again(world: World) -> None:
    world, mailer = with_colleagues(world, Role.LIBRARIAN, permanent=True)
    world.ask(title="A thing nobody holds", year="2020")
    run_for_hours(world)
    mailer.refused = ""
    [job] = waiting_for_person(world.ctx)
    retry(world.ctx, job.id, "operator")
    run_for_hours(world)

    assert names(mailer.letters) == {"anna": 1, "sinead": 1, "zoe": 1}
    assert len({letter.message_id for letter in mailer.letters}) == 3


def test_a_job_that_is_run_again_leaves_no_second_letter(world: World) -> None:
    world, mailer = with_colleagues(world, Role.LIBRARIAN, permanent=True)
    number = world.ask(title="A thing nobody holds", year="2020").number
    run_for_hours(world, 1)
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        connection.exec_driver_sql(f"UPDATE jobs SET state = 'queued' WHERE key LIKE 'mail:desk:{number}:_'")
    run_for_hours(world, 1)

    assert names(mailer.letters) == {"anna": 1, "zoe": 1}


def test_the_letter_of_an_earlier_release_keeps_its_message_id(world: World) -> None:
    number = world.ask(title="A thing nobody holds", year="2020").number
    with world.store.write() as work:
        work.jobs.add(NewJob(MAIL, f"mail:desk:{number}:9", {"letter": "desk", "request": number}), world.clock())
    world.work()

    wanted = f"<mail.desk.{number.lower()}.9-{world.librarian.id[:8]}@"
    assert [letter.message_id.startswith(wanted) for letter in world.post.letters].count(True) == 1


def test_who_has_left_meanwhile_gets_no_letter(world: World) -> None:
    world, mailer = with_colleagues(world, Role.LIBRARIAN, permanent=False)
    world.ask(title="A thing nobody holds", year="2020")
    run_for_hours(world, 1)
    with world.store.write() as work:
        work.people.save(replace(world.librarian, standing=Standing.DISABLED))
    mailer.refused = ""
    run_for_hours(world)

    assert names(mailer.letters) == {"anna": 1, "zoe": 1}
