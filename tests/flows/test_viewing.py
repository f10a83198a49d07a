"""Copies that may only be looked at, and copies that a password opens: what the agreement forbids cannot be had by any address."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pikepdf
import pytest
from flask.testing import FlaskClient

from delivery.copies import Delivery
from delivery.services import linking, previewing
from tests.behaviours.test_link_promises import address, now, press, supplied
from tests.delivery.web_test_support import signed_in
from tests.flows.test_pages import bearer
from tests.world import OPEN_AGREEMENT, World


def with_copy(world: World, table: str) -> Delivery:
    rule = "[[agreement.rule]]"
    text = OPEN_AGREEMENT.replace(rule, f"[agreement.copy]\n{table}\n{rule}", 1)
    world.load(text.replace("version = 1\n[", "version = 2\n["))
    return supplied(world)


def viewer(world: World, table: str = "view_only = true") -> tuple[FlaskClient, str, Delivery]:
    delivery = with_copy(world, table)
    client = world.reader_app().test_client()
    return client, press(client, address(world, delivery)), delivery


def test_a_copy_that_may_only_be_looked_at_opens_in_the_viewer_and_counts_once(world: World) -> None:
    client, window, delivery = viewer(world)
    assert window.startswith("/v/")

    for number in (1, 2, 9):
        page = client.get(f"{window}?page={number}").get_data(as_text=True)
        picture = re.findall(r'src="(/v/[^"]+[.]png)"', page)[0]
        answer = client.get(picture)
        assert (answer.mimetype, answer.data[:4]) == ("image/png", b"\x89PNG")
        assert f"Page {number} of {delivery.pages}" in page

    assert now(world, delivery).opens_used == 1


def test_no_address_gives_the_file_of_a_copy_that_may_only_be_looked_at(world: World) -> None:
    client, window, delivery = viewer(world)
    secret = window.rpartition("/")[2]
    by_api = client.post(f"/api/v1/requests/{delivery.request}/open", headers=bearer(world)).get_json()

    answers = [client.get(f"/w/{secret}/{name}") for name in ("copy.pdf", delivery.filename, "x")]

    assert {answer.headers["Location"] for answer in answers} == {window}
    assert "/v/" in by_api["url"]
    assert by_api["view_only"]
    assert client.get(f"/w/{secret}/copy.pdf", headers={"Range": "bytes=0-99"}).mimetype != "application/pdf"


def test_the_viewer_ends_with_the_window_and_at_once_when_the_copy_is_withdrawn(world: World) -> None:
    client, window, delivery = viewer(world)
    linking.revoke(world.ctx, world.librarian, delivery.number, "wrong article")
    assert client.get(window).headers["Location"].startswith("/d/")
    assert client.get(f"{window}/1-1000.png").headers["Location"].startswith("/d/")

    client, window, _ = viewer(world)
    world.clock.move(timedelta(hours=2))
    assert client.get(window).headers["Location"].startswith("/d/")


@pytest.mark.parametrize(("permitted", "shown"), [("true", True), ("false", False)])
def test_a_text_beside_the_picture_stands_only_where_copying_text_is_permitted(
    world: World, permitted: str, shown: bool
) -> None:
    client, window, _ = viewer(world, f"view_only = true\ncopy_text = {permitted}")

    page = client.get(f"{window}?page=2").get_data(as_text=True)

    assert ("Tidal asymmetry" in page.split("Text of this page")[-1] and "Text of this page" in page) == shown


@pytest.mark.parametrize("path", ["/0-1000.png", "/99-1000.png", "/1-5000.png", "/1-1.png"])
def test_a_page_or_width_that_does_not_exist_is_not_found(world: World, path: str) -> None:
    client, window, _ = viewer(world)

    assert client.get(window + path).status_code == 404
    assert client.get(f"{window}?page=-3&width=99999").status_code == 200


def test_the_viewer_of_a_copy_that_is_a_file_leads_to_the_file(world: World) -> None:
    delivery = supplied(world)
    client = world.reader_app().test_client()
    secret = press(client, address(world, delivery)).split("/")[2]

    assert client.get(f"/v/{secret}").headers["Location"].startswith("/w/")
    assert client.get(f"/v/{secret}/1-1000.png").headers["Location"].startswith("/d/")


def test_a_readers_password_stands_on_his_own_page_alone_and_opens_the_copy(world: World) -> None:
    delivery = with_copy(world, 'password = "reader"')
    client = world.reader_app().test_client()
    data = client.get(press(client, address(world, delivery))).data
    own = signed_in(world.reader_app(), world.reader).get(f"/requests/{delivery.request}").get_data(as_text=True)

    found = re.search(r"<strong class=\"code\">([a-z0-9-]{19})</strong>", own)
    assert found is not None
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(data))
    assert len(pikepdf.open(io.BytesIO(data), password=found[1]).pages) == delivery.pages
    assert found[1] not in client.get(address(world, delivery)).get_data(as_text=True)
    assert all(found[1] not in letter.text + letter.html for letter in world.post.letters)
    assert previewing.preview_page(world.ctx, world.librarian, delivery.request, 0)[:4] == b"\x89PNG"
