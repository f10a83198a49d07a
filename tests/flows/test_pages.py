"""The apps as browsers and programs use them."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest

from delivery.lifecycle import State
from delivery.services import linking
from delivery.stores import ApiTokenRecord
from tests.delivery.web_test_support import signed_in, token_of
from tests.world import World


def open_link(world: World, number: str) -> tuple[str, str]:
    client = world.reader_app().test_client()
    address = f"/d/{world.ctx.links.sign(world.get(number).delivery)}"
    nonce = re.search(r'name="nonce" value="([^"]+)"', client.get(address).get_data(as_text=True))
    assert nonce is not None
    answer = client.post(address, data={"nonce": nonce[1]})
    assert answer.status_code == 303
    return address, answer.headers["Location"]


def test_an_openurl_survives_signing_in_and_fills_the_form(world: World) -> None:
    client = world.reader_app().test_client()

    first = client.get("/openurl?genre=article&rft.atitle=River%20beds&rft.date=2019")
    second = client.get(first.headers["Location"])
    page = client.get(second.headers["Location"]).get_data(as_text=True)
    answer = client.post(
        "/sign-in",
        data={
            "csrf_token": token_of(page),
            "email": world.reader.email,
            "password": "correct-horse-battery",
            "next": re.findall(r'name="next" value="([^"]+)"', page)[0].replace("&amp;", "&"),
        },
        follow_redirects=True,
    )

    assert 'value="River beds"' in answer.get_data(as_text=True)


def test_a_reader_asks_follows_and_downloads(world: World) -> None:
    client = signed_in(world.reader_app(), world.reader)
    form = client.get("/ask").get_data(as_text=True)
    sent = client.post("/requests", data={"csrf_token": token_of(form), "doi": "10.5555/lantern.2021.0001"})
    number = sent.headers["Location"].rsplit("/", 1)[1]
    world.work()

    assert "Go to the document" in client.get(f"/requests/{number}").get_data(as_text=True)
    _, window = open_link(world, number)
    file = world.reader_app().test_client().get(window)
    assert file.status_code == 200
    assert file.data.startswith(b"%PDF-")
    assert int(file.headers["Content-Length"]) == len(file.data)


def test_wrong_fields_come_back_with_what_was_typed(world: World) -> None:
    client = signed_in(world.reader_app(), world.reader)
    form = client.get("/ask").get_data(as_text=True)

    answer = client.post("/requests", data={"csrf_token": token_of(form), "doi": "nonsense", "title": "Kept words"})

    assert answer.status_code == 422
    assert "Kept words" in answer.get_data(as_text=True)
    assert "This is no DOI" in answer.get_data(as_text=True)


def test_head_prefetch_and_ranges_on_the_link_count_nothing_l2_l4(world: World) -> None:
    number = world.ask().number
    world.work()
    client = world.reader_app().test_client()
    address = f"/d/{world.ctx.links.sign(world.get(number).delivery)}"
    client.head(address)
    client.get(address, headers={"Sec-Purpose": "prefetch"})
    page = client.get(address, headers={"Range": "bytes=0-"})

    assert (page.status_code, page.mimetype) == (200, "text/html")
    with world.store.read() as work:
        delivery = work.deliveries.get(world.get(number).delivery)
    assert (delivery.opens_used, delivery.machine_hits) == (0, 2)


@pytest.mark.parametrize(
    ("header", "status", "first", "length"),
    [
        ("bytes=0-99", 206, 0, 100),
        ("bytes=100-", 206, 100, None),
        ("bytes=-50", 206, -50, 50),
        ("bytes=0-5,3-6", 200, 0, None),
        ("bytes=99999999-", 416, 0, 0),
        ("lines=1-2", 200, 0, None),
    ],
)
def test_ranges_inside_a_window_are_free_and_exact(
    world: World, header: str, status: int, first: int, length: int | None
) -> None:
    number = world.ask().number
    world.work()
    _, window = open_link(world, number)
    client = world.reader_app().test_client()
    whole = client.get(window).data

    part = client.get(window, headers={"Range": header})

    assert part.status_code == status
    if status != 416:
        assert part.data == (whole[first:] if length is None or first < 0 else whole[first : first + length])
    with world.store.read() as work:
        assert work.deliveries.get(world.get(number).delivery).opens_used == 1


def test_each_end_of_a_link_has_its_own_page(world: World) -> None:
    client = world.reader_app().test_client()
    number = world.ask().number
    world.work()
    address = f"/d/{world.ctx.links.sign(world.get(number).delivery)}"
    assert "This link is not known here" in client.get("/d/forged").get_data(as_text=True)

    linking.revoke(world.ctx, world.officer, world.get(number).delivery, "taken back by the publisher")
    page = client.get(address)
    assert page.status_code == 410
    assert "taken back by the publisher" in page.get_data(as_text=True)

    other = world.ask(doi="10.5555/lantern.2022.0002").number
    world.work()
    world.clock.move(timedelta(days=31))
    assert "This link has ended" in client.get(f"/d/{world.ctx.links.sign(world.get(other).delivery)}").get_data(
        as_text=True
    )


def test_the_landing_page_never_names_the_reader(world: World) -> None:
    number = world.ask().number
    world.work()

    page = (
        world.reader_app()
        .test_client()
        .get(f"/d/{world.ctx.links.sign(world.get(number).delivery)}")
        .get_data(as_text=True)
    )

    assert "Maeve" not in page
    assert "Valid until" in page


def test_pages_speak_chinese_when_asked(world: World) -> None:
    client = signed_in(world.reader_app(), world.reader)

    assert "申请文章或图书的部分内容" in client.get("/ask?lang=zh").get_data(as_text=True)
    assert "我的申请" in client.get("/requests").get_data(as_text=True)


@pytest.mark.parametrize("path", ["/", "/sign-in", "/d/x", "/check/x", "/nowhere"])
def test_every_answer_has_the_strict_headers(world: World, path: str) -> None:
    headers = world.reader_app().test_client().get(path).headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_a_form_without_its_token_is_refused(world: World) -> None:
    client = signed_in(world.reader_app(), world.reader)

    assert client.post("/requests", data={"doi": "10.5555/lantern.2021.0001"}).status_code == 400


def test_a_foreign_host_is_refused(world: World) -> None:
    assert world.reader_app().test_client().get("/", headers={"Host": "evil.example"}).status_code == 400


def test_another_readers_request_looks_as_if_it_did_not_exist(world: World) -> None:
    number = world.ask(world.other).number

    assert signed_in(world.reader_app(), world.reader).get(f"/requests/{number}").status_code == 404


@pytest.mark.parametrize("path", ["/queue", "/rights/log", "/rights/agreements", "/rights/approvals", "/requests/TR-X"])
def test_the_staff_app_is_closed_to_strangers_and_readers(world: World, path: str) -> None:
    client = world.staff_app().test_client()
    page = client.get("/sign-in").get_data(as_text=True)
    refused = client.post(
        "/sign-in",
        data={"csrf_token": token_of(page), "email": world.reader.email, "password": "correct-horse-battery"},
    )

    assert refused.status_code == 403
    assert client.get(path).status_code == 303


def test_a_librarian_uploads_through_the_page(world: World, collection: Path) -> None:
    number = world.ask(title="Nobody has this", year="2020").number
    world.work()
    client = signed_in(world.staff_app(), world.librarian)
    page = client.get(f"/requests/{number}").get_data(as_text=True)

    bad = client.post(
        f"/requests/{number}/upload", data={"csrf_token": token_of(page), "file": (io.BytesIO(b"no"), "a.pdf")}
    )
    good = client.post(
        f"/requests/{number}/upload",
        data={"csrf_token": token_of(page), "file": ((collection / "lantern" / "lantern-02.pdf").open("rb"), "b.pdf")},
    )
    world.work()

    assert (bad.status_code, good.status_code) == (422, 303)
    assert world.get(number).state is State.SUPPLIED
    assert client.get(f"/requests/{number}/preview/1.png").data.startswith(b"\x89PNG")


def test_an_officer_finds_exports_and_revokes_a_delivery(world: World) -> None:
    number = world.ask(title="=cmd()|'x'!A1", doi="10.5555/lantern.2021.0001").number
    world.work()
    client = signed_in(world.staff_app(), world.officer)
    log = client.get(f"/rights/log?request={number}&agreement=open@1").get_data(as_text=True)
    rows = list(
        csv.reader(io.StringIO(client.get(f"/rights/log.csv?request={number}").get_data(as_text=True).lstrip("\ufeff")))
    )
    page = client.get(f"/requests/{number}").get_data(as_text=True)
    client.post(f"/requests/{number}/revoke", data={"csrf_token": token_of(page), "reason": "wrong article"})
    checked = client.post("/rights/log/verify", data={"csrf_token": token_of(page)}).get_data(as_text=True)

    assert "copy:supplied" in log
    assert all(not cell.startswith("=") for row in rows for cell in row)
    assert any(cell.startswith("'=cmd") for row in rows for cell in row)
    assert "The log is whole" in checked
    with world.store.read() as work:
        assert work.deliveries.get(world.get(number).delivery).state == "revoked"


def test_every_staff_page_opens(world: World) -> None:
    number = world.ask().number
    world.work()
    desk, office = signed_in(world.staff_app(), world.librarian), signed_in(world.staff_app(), world.officer)

    for client, paths in (
        (desk, ["/queue?view=supplied", f"/requests/{number}", "/readers"]),
        (office, ["/rights/approvals", "/rights/agreements", "/rights/agreements/open/1", "/rights/log"]),
    ):
        for path in paths:
            assert client.get(path).status_code == 200, path


def bearer(world: World) -> dict[str, str]:
    token, claims = world.ctx.api_tokens.issue(world.reader.id, world.clock(), timedelta(days=1))
    with world.store.write() as work:
        work.tokens.add_api_token(
            ApiTokenRecord(claims.token_id, world.reader.id, "", world.clock(), claims.expires_at)
        )
    return {"Authorization": f"Bearer {token}"}


def test_the_api_takes_a_request_once_for_each_idempotency_key(world: World) -> None:
    client, headers = world.reader_app().test_client(), {**bearer(world), "Idempotency-Key": "k1"}
    body = {"citation": {"doi": "10.5555/lantern.2021.0001"}}

    first, second = (client.post("/api/v1/requests", json=body, headers=headers) for _ in range(2))
    other = client.post("/api/v1/requests", json={"citation": {"title": "Other"}}, headers=headers)

    assert (first.status_code, second.status_code, other.status_code) == (202, 202, 409)
    assert first.json == second.json


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"citation": {"title": 3}}', b'{"citation": {"doi": "x"}}'])
def test_a_malformed_body_is_told_field_by_field(world: World, body: bytes) -> None:
    answer = world.reader_app().test_client().post("/api/v1/requests", data=body, headers=bearer(world))

    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert answer.json["errors"]


def test_tokens_that_are_forged_revoked_or_over_are_refused(world: World) -> None:
    client, headers = world.reader_app().test_client(), bearer(world)
    assert client.get("/api/v1/requests", headers=headers).status_code == 200
    token = headers["Authorization"]

    assert client.get("/api/v1/requests", headers={"Authorization": token[:-2] + "xx"}).status_code == 401
    assert client.get("/api/v1/requests").status_code == 401
    world.clock.move(timedelta(days=2))
    assert client.get("/api/v1/requests", headers=headers).status_code == 401


@pytest.mark.parametrize(("role", "status"), [("librarian", 422), ("officer", 413)])
def test_only_a_librarian_may_send_more_than_a_form(world: World, role: str, status: int) -> None:
    number = world.ask(title="Nobody has this", year="2020").number
    world.work()
    client = signed_in(world.staff_app(), getattr(world, role))
    token = token_of(client.get("/second-factor").get_data(as_text=True))
    head = 'Content-Disposition: form-data; name="{0}"{1}\r\n\r\n'
    file = head.format("file", '; filename="a.pdf"') + "no PDF" * 500_000
    body = f"--x\r\n{head.format('csrf_token', '')}{token}\r\n--x\r\n{file}\r\n--x--\r\n".encode()

    answer = client.post(f"/requests/{number}/upload", data=body, content_type="multipart/form-data; boundary=x")

    assert answer.status_code == status
