"""Promises about links, each test named by its number in the list of complaints that other systems drew."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from delivery.copies import Delivery
from delivery.services import downloading, expiring, linking
from drm.agreements import AgreementError, load_agreements
from tests.delivery.web_test_support import signed_in
from tests.faults.test_races import at_once
from tests.world import OPEN_AGREEMENT, World


def supplied(world: World) -> Delivery:
    number = world.ask().number
    world.work()
    return delivery_of(world, number)


def delivery_of(world: World, number: str) -> Delivery:
    with world.store.read() as work:
        return work.deliveries.get(work.requests.get(number).delivery)


def now(world: World, delivery: Delivery) -> Delivery:
    with world.store.read() as work:
        return work.deliveries.get(delivery.number)


def address(world: World, delivery: Delivery) -> str:
    return f"/d/{world.ctx.links.sign(delivery.number)}"


def press(client: FlaskClient, link: str) -> str:
    nonce = re.search(r'name="nonce" value="([^"]+)"', client.get(link).get_data(as_text=True))
    assert nonce is not None
    return str(client.post(link, data={"nonce": nonce[1]}).headers["Location"])


def test_l1_a_scanner_that_gets_the_link_uses_up_nothing(world: World) -> None:
    delivery = supplied(world)
    client = world.reader_app().test_client()

    answers = [client.get(address(world, delivery), headers={"User-Agent": "SafeLinks"}) for _ in range(20)]

    assert {answer.status_code for answer in answers} == {200}
    assert now(world, delivery).opens_used == 0


def test_l1_a_post_without_the_pages_own_nonce_opens_nothing(world: World) -> None:
    delivery = supplied(world)
    client = world.reader_app().test_client()

    answer = client.post(address(world, delivery), data={"nonce": "guessed"})

    assert answer.status_code == 200
    assert now(world, delivery).opens_used == 0


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}, {"X-Purpose": "preview"}],
)
def test_l2_prefetching_is_a_machine_hit_that_the_librarian_sees(world: World, headers: dict[str, str]) -> None:
    delivery = supplied(world)

    world.reader_app().test_client().get(address(world, delivery), headers=headers)

    assert (now(world, delivery).machine_hits, now(world, delivery).opens_used) == (1, 0)
    page = signed_in(world.staff_app(), world.librarian).get(f"/requests/{delivery.request}").get_data(as_text=True)
    assert "machine hits 1" in page


def test_l3_viewing_and_then_saving_is_one_open(world: World) -> None:
    delivery = supplied(world)
    client = world.reader_app().test_client()
    window = press(client, address(world, delivery))

    client.get(window, headers={"Range": "bytes=0-1023"})
    client.get(window)
    client.get(window)

    assert now(world, delivery).opens_used == 1


def test_l4_parallel_segments_of_one_window_count_once_and_give_the_file(world: World) -> None:
    delivery = supplied(world)
    app = world.reader_app()
    window = press(app.test_client(), address(world, delivery))
    size = delivery.bytes
    edges = [size * part // 8 for part in range(9)]

    parts = at_once(
        8,
        lambda part: (
            app.test_client().get(window, headers={"Range": f"bytes={edges[part]}-{edges[part + 1] - 1}"}).data
        ),
    )

    assert b"".join(part for part in parts if isinstance(part, bytes)) == app.test_client().get(window).data
    assert now(world, delivery).opens_used == 1


def test_l4_a_range_on_the_link_itself_gets_the_landing_page(world: World) -> None:
    delivery = supplied(world)

    answer = world.reader_app().test_client().get(address(world, delivery), headers={"Range": "bytes=0-"})

    assert answer.mimetype == "text/html"
    assert now(world, delivery).opens_used == 0


def test_l5_sixty_four_posts_on_three_opens_open_three_windows(world: World) -> None:
    delivery = supplied(world)
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET opens_limit = 3")
    app, link = world.reader_app(), address(world, delivery)
    nonces = [downloading.look(world.ctx, link.removeprefix("/d/")).nonce for _ in range(64)]

    answers = at_once(64, lambda place: app.test_client().post(link, data={"nonce": nonces[place]}).status_code)

    assert answers.count(303) == 3
    assert now(world, delivery).opens_used == 3


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_l5_twelve_thousand_eight_hundred_gets_open_nothing(world: World) -> None:
    delivery = supplied(world)
    client, link = world.reader_app().test_client(), address(world, delivery)

    assert {client.get(link).status_code for _ in range(12_800)} == {200}
    assert now(world, delivery).opens_used == 0


def test_l8_the_windows_address_stands_in_no_mail_and_lives_two_hours_at_most(world: World) -> None:
    delivery = supplied(world)
    client = world.reader_app().test_client()
    window = press(client, address(world, delivery))

    assert all("/w/" not in letter.text + letter.html for letter in world.post.letters)
    assert client.get(window).headers["Referrer-Policy"] == "no-referrer"
    world.clock.move(timedelta(hours=2))
    assert client.get(window).headers["Location"].startswith("/d/")


def test_l9_sending_again_starts_a_fresh_period_of_the_same_length(world: World) -> None:
    delivery = supplied(world)
    world.clock.move(timedelta(days=20))

    linking.resend(world.ctx, world.librarian, delivery.number)

    assert delivery.expires_at is not None
    assert now(world, delivery).expires_at == delivery.expires_at + timedelta(days=20)


def test_l9_a_reader_who_has_the_link_mailed_again_gains_no_time(world: World) -> None:
    delivery = supplied(world)
    world.clock.move(timedelta(days=20))

    linking.resend(world.ctx, world.reader, delivery.number)

    assert now(world, delivery).expires_at == delivery.expires_at


def test_l9_an_ended_link_says_what_it_was_when_it_ended_and_asks_again_in_one_press(world: World) -> None:
    delivery = supplied(world)
    world.clock.move(timedelta(days=31))
    expiring.expire_links(world.ctx)
    client = signed_in(world.reader_app(), world.reader)

    page = client.get(address(world, delivery))
    text = page.get_data(as_text=True)

    assert page.status_code == 410
    assert "Tidal asymmetry" in text
    assert delivery.number in text
    assert re.search(r'href="(/ask\?[^"]*repeat=yes[^"]*)"[^>]*>Ask again', text)


def test_l10_the_mail_has_no_attachment_of_the_document(world: World) -> None:
    supplied(world)

    assert all("%PDF" not in letter.text + letter.html for letter in world.post.letters)


@pytest.mark.parametrize("period", ["+1WEEK", "30", "P", "P1Y6M", "-P3D", "P0D", "forever", "1 month"])
def test_l10_a_period_that_cannot_be_read_is_refused_when_the_agreement_is_loaded(period: str) -> None:
    text = OPEN_AGREEMENT.replace("[[agreement.rule]]", f'[agreement.link]\nttl = "{period}"\n[[agreement.rule]]', 1)

    with pytest.raises(AgreementError, match="ttl"):
        load_agreements(text)


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ["Dublin time (UTC+0)", "30 days left"]), ("zh", ["2026年", "（UTC+0）", "还剩30天"])],
)
def test_l11_the_end_is_shown_with_date_time_zone_and_days_left(world: World, language: str, words: list[str]) -> None:
    delivery = supplied(world)

    page = world.reader_app().test_client().get(f"{address(world, delivery)}?lang={language}").get_data(as_text=True)

    assert all(word in page for word in words)


def test_l12_by_default_a_link_lives_thirty_days_and_opens_five_times(world: World) -> None:
    delivery = supplied(world)

    assert delivery.expires_at == delivery.issued_at + timedelta(days=30)
    assert delivery.opens_limit == 5


def test_l13_staff_extend_and_withdraw_and_the_next_request_knows(world: World) -> None:
    delivery = supplied(world)
    client = world.reader_app().test_client()
    window = press(client, address(world, delivery))
    world.clock.move(timedelta(days=10))

    extended = linking.extend(world.ctx, world.librarian, delivery.number, 7, 2)
    linking.revoke(world.ctx, world.librarian, delivery.number, "wrong article")

    assert delivery.expires_at is not None
    assert extended.expires_at == delivery.expires_at + timedelta(days=7)
    assert client.get(window).status_code == 303
    assert "wrong article" in client.get(address(world, delivery)).get_data(as_text=True)


@pytest.mark.parametrize(
    ("issued", "ends"),
    [
        (
            datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
            datetime(2026, 3, 31, 11, 0, tzinfo=UTC),
        ),  # summer time begins between
        (datetime(2026, 10, 10, 11, 0, tzinfo=UTC), datetime(2026, 11, 9, 12, 0, tzinfo=UTC)),  # and ends between
    ],
)
def test_i4_a_links_end_keeps_the_librarys_wall_clock_across_both_clock_changes(
    world: World, issued: datetime, ends: datetime
) -> None:
    world.clock.now = issued

    assert supplied(world).expires_at == ends


def test_i4_a_library_in_shanghai_sees_its_own_time_and_the_store_keeps_utc(world: World) -> None:
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        connection.exec_driver_sql("UPDATE libraries SET tz = 'Asia/Shanghai'")
    world.clock.now = datetime(2026, 11, 24, 17, 30, tzinfo=UTC)
    delivery = supplied(world)

    page = world.reader_app().test_client().get(f"{address(world, delivery)}?lang=zh").get_data(as_text=True)

    assert delivery.expires_at == datetime(2026, 12, 24, 17, 30, tzinfo=UTC)
    assert "2026年12月25日（星期五）01:30，北京时间（UTC+8）" in page
