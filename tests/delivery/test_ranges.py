"""Byte ranges: what is asked for is what comes, and lengths are right before anything is sent."""

from __future__ import annotations

import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.outgoing import flat
from delivery.web.shell.ranges import Multipart, Slice, Unsatisfiable, wanted
from tests.behaviours.test_link_promises import address, press, supplied
from tests.world import World

ETAG = '"abc"'


def asked(header: str, size: int = 100, if_range: str | None = None) -> list[tuple[int, int]]:
    return [(part.start, part.length) for part in wanted(header, if_range, ETAG, size)]


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=10-", [(10, 90)]),
        ("bytes=-7", [(93, 7)]),
        ("bytes=-700", [(0, 100)]),
        ("bytes=90-900", [(90, 10)]),
        ("Bytes=0-1, 5-6 ,-2", [(0, 2), (5, 2), (98, 2)]),
        ("bytes=50-59,0-9", [(50, 10), (0, 10)]),
        ("bytes=0-9,500-", [(0, 10)]),
        ("bytes=90-" + "9" * 40, [(90, 10)]),
        ("bytes=-" + "9" * 40, [(0, 100)]),
        ("bytes=" + "0" * 30 + "7-" + "0" * 30 + "8", [(7, 2)]),
        ("bytes=0-9,5-20", []),
        ("bytes=9-5", []),
        ("bytes=", []),
        ("bytes=a-b", []),
        ("bytes=1-2-3", []),
        ("bytes=\u0661-", []),
        ("bytes=" + "9" * 40 + "-", []),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 90, 2)), []),
        ("lines=1-2", []),
    ],
)
def test_each_form_is_read_as_it_is_meant(header: str, parts: list[tuple[int, int]]) -> None:
    assert asked(header) == parts


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=-0", "bytes=200-300,400-"])
def test_what_lies_past_the_end_cannot_be_sent(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        asked(header)


def test_a_range_of_another_copy_means_the_whole_file() -> None:
    assert asked("bytes=0-9", if_range='"other"') == []
    assert asked("bytes=0-9", if_range=ETAG) == [(0, 10)]


@given(st.binary(min_size=50, max_size=400), st.data())
def test_a_multipart_answer_has_the_length_it_says_and_the_parts_asked_for(data: bytes, draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.sets(st.integers(0, len(data)), min_size=4, max_size=8)))
    parts = tuple(Slice(one, two - one) for one, two in zip(cuts[::2], cuts[1::2], strict=False))
    whole = Multipart(parts, len(data), "rushlight-0123", "application/pdf")

    body = b"".join(flat(whole.body(lambda start, length: iter([data[start : start + length]]))))

    assert len(body) == whole.length
    for part in parts:
        head = f"Content-Range: {part.content_range(len(data))}\r\n\r\n".encode()
        at = body.index(head) + len(head)
        assert body[at : at + part.length] == data[part.start : part.start + part.length]


def test_several_ranges_of_a_copy_come_as_one_multipart_answer_and_count_nothing(world: World) -> None:
    delivery = supplied(world)
    client = world.reader_app().test_client()
    window = press(client, address(world, delivery))
    whole = client.get(window).data

    answer = client.get(window, headers={"Range": "bytes=0-9,500-599,-3"})

    message = email.message_from_bytes(
        f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode() + answer.data, policy=email.policy.HTTP
    )
    got = [part.get_payload(decode=True) for part in message.iter_parts()]
    assert (answer.status_code, answer.headers["Content-Length"]) == (206, str(len(answer.data)))
    assert next(part["Content-Range"] for part in message.iter_parts()) == f"bytes 0-9/{len(whole)}"
    assert got == [whole[:10], whole[500:600], whole[-3:]]


def test_head_tells_of_the_whole_whatever_range_it_names(world: World) -> None:
    delivery = supplied(world)
    client = world.reader_app().test_client()
    window = press(client, address(world, delivery))

    answer = client.head(window, headers={"Range": "bytes=0-9"})

    assert (answer.status_code, answer.headers["Content-Length"], answer.data) == (200, str(delivery.bytes), b"")


def test_a_copy_that_is_there_already_is_not_sent_again(world: World) -> None:
    delivery = supplied(world)
    client = world.reader_app().test_client()
    window = press(client, address(world, delivery))
    etag = client.get(window).headers["ETag"]

    for known, status in ((etag, 304), (f'"other", {etag}', 304), ("*", 304), ('"other"', 200)):
        assert client.get(window, headers={"If-None-Match": known}).status_code == status


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_wanted_only_of_another_copy_is_not_sent(world: World, method: str) -> None:
    client = world.reader_app().test_client()
    window = press(client, address(world, supplied(world)))
    tag = client.get(window).headers["ETag"]

    def status(**headers: str) -> int:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.open(window, method=method, headers=told).status_code

    assert [status(If_Match=given) for given in ('"other"', f"W/{tag}", '"a", "b"')] == [412] * 3
    assert [status(If_Match=given) for given in (tag, "*", f'"a", {tag}')] == [200] * 3
    assert status(If_Match='"other"', If_None_Match=tag) == 412
    assert status(If_Unmodified_Since="Thu, 01 Jan 1970 00:00:00 GMT") == 200  # a copy has no date to compare
