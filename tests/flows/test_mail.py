"""Letters over a real SMTP conversation: both parts, the reader's language, and what happens when the server is in trouble."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from admin.mail import SmtpMailer
from delivery.lifecycle import State
from delivery.services.quarantine import waiting_for_person
from delivery.services.working import run_job, sweep
from tests.services.smtp import Mailbox
from tests.world import World


def posting(world: World, smtp: Mailbox) -> World:
    mailer = SmtpMailer(f"smtp://{smtp.host}:{smtp.port}", "Rushlight <delivery@rushlight.example>", world.clock)
    return replace(world, ctx=replace(world.ctx, mailer=mailer))


def run_due(world: World) -> None:
    for job in sweep(world.ctx):
        run_job(world.ctx, job, lambda *_: None)


def run_all(world: World) -> None:
    for _ in range(20):
        run_due(world)


def test_the_letter_has_text_and_html_with_the_same_link(world: World, smtp: Mailbox) -> None:
    posted = posting(world, smtp)
    number = posted.ask().number
    run_all(posted)

    [letter] = smtp.letters
    plain, html = (part.get_content() for part in letter.message.iter_parts())
    link = world.ctx.link(posted.get(number).delivery)
    assert letter.recipients == (world.reader.email,)
    assert link in plain
    assert link in html
    assert not list(letter.message.iter_attachments())


def test_a_chinese_reader_gets_a_chinese_letter(world: World, smtp: Mailbox) -> None:
    posted = posting(world, smtp)
    with world.store.write() as work:
        work.people.save(replace(world.reader, language="zh"))
    posted.ask()
    run_all(posted)

    [letter] = smtp.letters
    assert letter.message["Content-Language"] == "zh"
    assert any("\u4e00" <= character <= "\u9fff" for character in letter.message["Subject"])


def test_a_server_in_trouble_delays_the_letter_and_never_the_delivery(world: World, smtp: Mailbox) -> None:
    posted = posting(world, smtp)
    smtp.reply = "451 try again later"
    number = posted.ask().number
    run_all(posted)
    assert posted.get(number).state is State.SUPPLIED
    assert smtp.letters == []

    smtp.reply = "250 OK"
    world.clock.move(timedelta(hours=1))
    run_all(posted)

    assert len(smtp.letters) == 1


def test_a_letter_that_is_sent_twice_has_one_message_id(world: World, smtp: Mailbox) -> None:
    posted = posting(world, smtp)
    number = posted.ask().number
    run_all(posted)
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        connection.exec_driver_sql("UPDATE jobs SET state = 'queued' WHERE kind = 'mail'")
    run_all(posted)

    assert len(smtp.letters) == 2
    assert len({letter.message["Message-ID"] for letter in smtp.letters}) == 1
    assert posted.get(number).state is State.SUPPLIED


def test_a_server_that_is_away_for_a_day_gets_the_letter_when_it_is_back(world: World, smtp: Mailbox) -> None:
    posted = posting(world, smtp)
    smtp.reply = "451 try again later"
    posted.ask()
    began = world.clock()
    while world.clock() < began + timedelta(days=1):
        run_due(posted)
        world.clock.move(timedelta(minutes=5))
    assert waiting_for_person(posted.ctx) == ()

    smtp.reply = "250 OK"
    world.clock.move(timedelta(minutes=30))
    run_due(posted)

    assert len(smtp.letters) == 1
