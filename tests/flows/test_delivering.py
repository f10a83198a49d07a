"""From a reader's request to a stamped copy behind a link."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from admin.keys import add_key, read_keys
from delivery.errors import Conflict, Invalid, NotFound
from delivery.lifecycle import State
from delivery.services import desk, downloading, expiring, linking, officers, requesting
from delivery.services.downloading import LinkState
from delivery.services.requesting import Asked
from drm.audit.chain import Head, LogRow, verify_chain
from tests.world import LIMITED, World


def test_a_held_article_is_supplied_with_the_readers_name_on_each_page(world: World) -> None:
    number = world.ask().number
    world.work()

    document = pypdfium2.PdfDocument(world.copy(number))
    delivery = world.get(number).delivery
    assert world.get(number).state is State.SUPPLIED
    assert len(document) == 9
    for page in document:
        text = page.get_textpage().get_text_bounded()
        assert delivery in text
        assert "Maeve Byrne" in text


def test_the_copy_opens_unasked_and_is_encrypted_p1(world: World) -> None:
    number = world.ask().number
    world.work()

    with pikepdf.open(io.BytesIO(world.copy(number))) as pdf:
        assert pdf.is_encrypted
        assert pdf.encryption.R == 6


def test_each_step_leaves_an_event_and_the_log_is_whole(world: World) -> None:
    number = world.ask().number
    world.work()

    kinds = world.kinds(number)
    assert [kind for kind in kinds if kind != "mail:sent"] == [
        "request:created",
        "request:decided",
        "request:looked",
        "request:found",
        "quota:settled",
        "copy:supplied",
    ]
    assert world.ctx.check_log().whole


def test_the_mail_has_the_link_and_never_the_document(world: World) -> None:
    number = world.ask().number
    world.work()

    (letter,) = world.post.letters
    assert world.ctx.link(world.get(number).delivery) in letter.text
    assert "pdf" not in letter.message_id


def test_what_was_typed_is_kept_beside_what_was_found_r4(world: World) -> None:
    number = world.ask(doi="https://doi.org/10.5555/LANTERN.2021.0001").number

    asked = world.get(number)
    assert asked.typed == {"doi": "https://doi.org/10.5555/LANTERN.2021.0001"}
    assert asked.citation.container == "Journal of Estuarine Hydrology"


def test_the_same_work_by_title_and_by_doi_is_recognised_r5(world: World) -> None:
    first = world.ask()

    again = requesting.submit(
        world.ctx,
        world.reader,
        Asked({"title": "Tidal asymmetry and sediment memory in a drowned river mouth!", "year": "2021"}),
    )

    assert again.repeats
    assert again.request.number == first.number
    assert world.ask(deliberate=True).number != first.number


def test_nothing_found_goes_to_the_desk_with_what_was_tried(world: World) -> None:
    number = world.ask(title="Nobody has this", year="2020").number
    world.work()

    assert world.get(number).state is State.AT_DESK
    assert [letter.to for letter in world.post.letters] == ["sinead@harbour.example.org"]


def test_a_librarian_fills_a_request_by_upload(world: World, collection: Path) -> None:
    number = world.ask(title="Nobody has this", year="2020").number
    world.work()
    with (collection / "lantern" / "lantern-02.pdf").open("rb") as file:
        desk.upload(world.ctx, world.librarian, number, file, "found.pdf", None)
    world.work()

    assert world.get(number).state is State.SUPPLIED


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"<html>sign in</html>", "login-page"), (b"hello", "not-a-pdf"), (b"%PDF-1.7\nnothing", "damaged")],
)
def test_a_bad_upload_says_why_and_leaves_the_request_as_it_was(world: World, data: bytes, code: str) -> None:
    number = world.ask(title="Nobody has this", year="2020").number
    world.work()

    with pytest.raises(Invalid) as refusal:
        desk.upload(world.ctx, world.librarian, number, io.BytesIO(data), "x.pdf", None)

    assert refusal.value.fields == {"file": code}
    assert world.get(number).state is State.AT_DESK


def test_a_librarian_of_another_library_finds_nothing(world: World) -> None:
    number = world.ask().number

    with pytest.raises(NotFound):
        desk.look(world.ctx, world.stranger, number)


def test_the_desk_sees_who_else_of_its_library_asked_for_a_work_however_many_of_others_did(world: World) -> None:
    first = world.ask().number
    for _ in range(11):
        world.clock.move(timedelta(seconds=1))
        world.ask(world.stranger)
    world.clock.move(timedelta(seconds=1))
    second = world.ask().number

    same = desk.look(world.ctx, world.librarian, second).same_work

    assert [(other.number, other.state) for other in same] == [(first, State.NEW)]


def test_a_used_up_limit_refuses_and_says_what_is_used(world: World) -> None:
    world.load(LIMITED.format(most=1, per="reader", effect="deny"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    world.ask()
    second = world.ask(doi="10.5555/lantern.2022.0002")

    assert second.state is State.REFUSED
    assert second.reason == "ROLLING_QUOTA"
    with world.store.read() as work:
        explanation = desk.explain_request(work, second, "en")
    assert explanation is not None
    assert explanation.rules[0].counts == {"used": 1, "this": 1, "limit": 1}
    assert "1 December 2026, 00:00, Dublin time" in explanation.rules[0].resets


def test_a_cancelled_request_gives_its_slot_back(world: World) -> None:
    world.load(LIMITED.format(most=1, per="reader", effect="deny"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    requesting.cancel(world.ctx, world.reader, world.ask().number)

    assert world.ask().state is State.NEW


def test_what_was_supplied_stays_counted_after_its_link_has_ended(world: World) -> None:
    world.load(LIMITED.format(most=1, per="reader", effect="deny"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    number = world.ask().number
    world.work()
    world.clock.now = world.clock.now.replace(day=1)
    world.clock.move(timedelta(days=29))

    assert world.get(number).state is State.SUPPLIED
    assert world.ask().state is State.REFUSED


def test_a_rule_that_wants_approval_waits_for_an_officer(world: World) -> None:
    world.load(LIMITED.format(most=0, per="reader", effect="needs_approval"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    number = world.ask().number
    world.work()
    assert [asked.number for asked in officers.awaiting(world.ctx, world.officer)] == [number]

    officers.approve(world.ctx, world.officer, number, "agreed")
    world.work()

    assert world.get(number).state is State.SUPPLIED


def test_an_officer_may_refuse_with_words(world: World) -> None:
    world.load(LIMITED.format(most=0, per="reader", effect="needs_approval"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    number = world.ask().number

    officers.refuse_held(world.ctx, world.officer, number, "not this year")

    assert world.get(number).state is State.REFUSED
    with world.store.read() as work:
        assert {entry.kind for entry in work.ledger.entries(f"{number}/1")} == {"reserve", "release"}


def test_without_an_agreement_nothing_is_supplied(world: World) -> None:
    world.bind("collection", [])
    world.bind("desk", [])

    asked = world.ask()

    assert (asked.state, asked.reason) == (State.REFUSED, "NO_AGREEMENT")


def test_a_replaced_copy_is_refunded_and_its_link_dies(world: World, collection: Path) -> None:
    number = world.ask().number
    world.work()
    link = world.ctx.links.sign(world.get(number).delivery)
    desk.replace_copy(world.ctx, world.librarian, number, "page 3 is missing")
    with (collection / "lantern" / "lantern-03.pdf").open("rb") as file:
        desk.upload(world.ctx, world.librarian, number, file, "better.pdf", None)
    world.work()

    assert downloading.look(world.ctx, link).state is LinkState.REPLACED
    assert world.get(number).state is State.SUPPLIED
    assert world.get(number).copy_no == 2


def test_a_link_counts_opens_only_by_post_l1_l5(world: World) -> None:
    number = world.ask().number
    world.work()
    token = world.ctx.links.sign(world.get(number).delivery)
    for _ in range(20):
        downloading.look(world.ctx, token)
        downloading.machine_hit(world.ctx, token)

    view = downloading.look(world.ctx, token)
    assert view.opens_left == 5
    assert view.delivery is not None
    assert view.delivery.machine_hits == 20


def test_the_same_page_pressed_twice_opens_one_window(world: World) -> None:
    number = world.ask().number
    world.work()
    token = world.ctx.links.sign(world.get(number).delivery)
    nonce = downloading.look(world.ctx, token).nonce

    first = downloading.open_window(world.ctx, token, nonce, None)
    second = downloading.open_window(world.ctx, token, nonce, None)

    assert first == second
    assert downloading.look(world.ctx, token).opens_left == 4


def test_the_sixth_open_is_refused(world: World) -> None:
    number = world.ask().number
    world.work()
    token = world.ctx.links.sign(world.get(number).delivery)
    nonce = downloading.look(world.ctx, token).nonce
    for _ in range(5):
        downloading.open_window(world.ctx, token, downloading.look(world.ctx, token).nonce, None)

    with pytest.raises(Conflict, match="link-used_up"):
        downloading.open_window(world.ctx, token, nonce, None)


def test_a_window_ends_after_two_hours_and_at_once_on_revocation(world: World) -> None:
    number = world.ask().number
    world.work()
    token = world.ctx.links.sign(world.get(number).delivery)
    opened = downloading.open_window(world.ctx, token, downloading.look(world.ctx, token).nonce, None)
    assert downloading.find_download(world.ctx, opened.secret, "192.0.2.1")[0] is not None

    linking.revoke(world.ctx, world.officer, world.get(number).delivery, "by the publisher's wish")
    assert downloading.find_download(world.ctx, opened.secret, "192.0.2.1")[0] is None

    other = world.ask(doi="10.5555/lantern.2022.0002").number
    world.work()
    token = world.ctx.links.sign(world.get(other).delivery)
    opened = downloading.open_window(world.ctx, token, downloading.look(world.ctx, token).nonce, None)
    world.clock.move(timedelta(hours=2))
    assert downloading.find_download(world.ctx, opened.secret, "192.0.2.1")[0] is None


def test_a_window_serves_three_networks_and_no_fourth(world: World) -> None:
    number = world.ask().number
    world.work()
    token = world.ctx.links.sign(world.get(number).delivery)
    secret = downloading.open_window(world.ctx, token, downloading.look(world.ctx, token).nonce, None).secret

    served = [
        downloading.find_download(world.ctx, secret, address)[0] is not None
        for address in ("198.51.100.1", "198.51.100.200", "203.0.113.5", "2001:db8::1", "192.0.2.77", "198.51.100.3")
    ]

    assert served == [True, True, True, True, False, True]


def test_a_new_key_makes_no_new_network_of_an_old_one(world: World) -> None:
    number, key_file = world.ask().number, world.services.settings.key_file
    world.work()
    token = world.ctx.links.sign(world.get(number).delivery)
    secret = downloading.open_window(world.ctx, token, downloading.look(world.ctx, token).nonce, None).secret
    served = []
    for address in ("198.51.100.1", "198.51.100.1", "198.51.100.1", "203.0.113.5", "2001:db8::1", "192.0.2.77"):
        served.append(downloading.find_download(world.ctx, secret, address)[0] is not None)
        add_key(key_file)
        world.ctx = replace(world.ctx, ring=read_keys(key_file).ring)

    assert served == [True, True, True, True, True, False]


def test_a_link_ends_after_thirty_days_and_its_file_goes(world: World) -> None:
    number = world.ask().number
    world.work()
    with world.store.read() as work:
        delivery = work.deliveries.get(world.get(number).delivery)
    world.clock.move(timedelta(days=30, seconds=-1))
    assert expiring.expire_links(world.ctx) == 0

    world.clock.move(timedelta(seconds=1))
    assert expiring.expire_links(world.ctx) == 1
    world.clock.move(timedelta(hours=3))
    assert expiring.remove_files(world.ctx) == 1

    assert world.get(number).state is State.EXPIRED
    with world.store.read() as work:
        assert work.deliveries.tail(delivery.number) == b""


def test_the_log_names_the_first_edited_missing_or_swapped_event(world: World) -> None:
    world.ask()
    world.work()
    key = world.services.audit_log.key
    with world.store.read() as work:
        rows = list(work.log.rows())
    head = Head(rows[-1].seq, rows[-1].chain)
    edited = LogRow(3, rows[2].leaf.replace(b"system", b"sneaky"), rows[2].chain)

    assert verify_chain(key, rows, head).whole
    assert verify_chain(key, [*rows[:2], edited, *rows[3:]], head).first_bad == 3
    assert verify_chain(key, [*rows[:2], *rows[3:]], head).first_bad == 3
    assert verify_chain(key, [*rows[:1], rows[2], rows[1], *rows[3:]], head).first_bad == 2
    assert verify_chain(key, rows[:-1], head).first_bad == len(rows)
