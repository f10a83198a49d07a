"""What every way of serving a copy promises about ranges, whatever stands between the file and the reader."""

from __future__ import annotations

import random

import pytest

from tests.serving.shop import TAIL, Shop

SINGLE = ["0-0", "0-", "100-199", "5000-", "-1", "-9999", "0-999999999"]
SEVERAL = ["0-9,500-599,-3", "7-7, 9-9", "0-4095,8192-12287", "50-59,0-9"]


def slice_of(data: bytes, part: str) -> bytes:
    first, _, last = part.partition("-")
    if not first:
        return data[-int(last) :]
    return data[int(first) : int(last) + 1 if last else None]


class DownloadContract:
    """Inherited by the test of each way, which gives a fixture ``shop`` of class scope."""

    def test_the_whole_copy_has_its_length_its_tag_and_headers_that_keep_it_private(self, shop: Shop) -> None:
        answer = shop.fetch()

        assert (answer.status, answer.body == shop.data) == (200, True)
        told = {name: answer.headers.get_all(name) for name in ("Content-Length", "Accept-Ranges", "Content-Type")}
        assert told == {
            "Content-Length": [str(len(shop.data))],
            "Accept-Ranges": ["bytes"],
            "Content-Type": ["application/pdf"],
        }
        assert answer.headers.get_all("ETag") == [f'"{shop.digest}"']
        assert answer.headers.get_all("Cache-Control") == ["private, no-store"]
        assert answer.headers.get_all("X-Content-Type-Options") == ["nosniff"]
        assert answer.headers.get_all("Content-Security-Policy") == ["default-src 'none'; sandbox"]
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        assert answer.headers["Last-Modified"] is None
        assert answer.headers["X-Accel-Redirect"] is None

    def test_every_answer_of_a_copy_has_the_same_headers_but_for_its_range(self, shop: Shop) -> None:
        def lasting(headers: object) -> list[tuple[str, str]]:
            own = {"Date", "Server", "Connection", "X-Request-Id", "Content-Length", "Content-Range", "Accept-Ranges"}
            return sorted((name, value) for name, value in headers.items() if name not in own)  # type: ignore[attr-defined]

        assert lasting(shop.fetch(Range="bytes=0-9").headers) == lasting(shop.fetch().headers)

    @pytest.mark.parametrize("part", SINGLE)
    def test_one_range_is_just_that(self, shop: Shop, part: str) -> None:
        for given in ({}, {"If-Range": f'"{shop.digest}"'}):
            answer = shop.fetch(given=given, Range=f"bytes={part}")

            wished = slice_of(shop.data, part)
            start = (
                shop.data.index(wished)
                if len(wished) > 1
                else int(part.split("-", maxsplit=1)[0] or len(shop.data) - 1)
            )
            assert (answer.status, answer.body == wished) == (206, True)
            assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(wished) - 1}/{len(shop.data)}"
            assert answer.headers["Content-Length"] == str(len(wished))

    def test_a_range_across_the_seam_of_master_and_tail_is_whole(self, shop: Shop) -> None:
        seam = len(shop.data) - TAIL

        for start, end in ((seam - 1, seam), (seam - 100_000, seam + 99), (seam, seam)):
            assert shop.fetch(Range=f"bytes={start}-{end}").body == shop.data[start : end + 1]

    @pytest.mark.parametrize("parts", SEVERAL)
    def test_several_ranges_come_in_one_answer_in_the_order_asked_for(self, shop: Shop, parts: str) -> None:
        answer = shop.fetch(Range=f"bytes={parts}")

        assert answer.status == 206
        assert answer.headers["Content-Length"] == str(len(answer.body))
        assert [body for _, body in answer.parts] == [slice_of(shop.data, part.strip()) for part in parts.split(",")]

    @pytest.mark.parametrize(
        "asked", ["bytes=0-9,5-20", "bytes=9-5", "bytes=", "bytes=a-b", "lines=1-2", "bytes=1-2-3"]
    )
    def test_ranges_that_overlap_or_mean_nothing_are_the_whole(self, shop: Shop, asked: str) -> None:
        answer = shop.fetch(Range=asked)

        assert (answer.status, answer.body == shop.data) == (200, True)

    @pytest.mark.parametrize("part", ["{size}-", "999999999-", "-0", "{size}-{size},999999999-"])
    def test_what_lies_past_the_end_is_refused_with_the_length(self, shop: Shop, part: str) -> None:
        answer = shop.fetch(Range="bytes=" + part.format(size=len(shop.data)))

        assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{len(shop.data)}")

    @pytest.mark.parametrize("known", ['"other"', 'W/"{tag}"', "Tue, 24 Nov 2026 09:00:00 GMT"])
    def test_a_range_of_another_copy_is_the_whole_of_this_one(self, shop: Shop, known: str) -> None:
        answer = shop.fetch(Range="bytes=0-9", If_Range=known.format(tag=shop.digest))

        assert (answer.status, answer.body == shop.data) == (200, True)

    @pytest.mark.parametrize("known", ['"{tag}"', '"other", "{tag}"', "*"])
    def test_a_copy_that_is_there_already_is_not_sent_again(self, shop: Shop, known: str) -> None:
        answer = shop.fetch(If_None_Match=known.format(tag=shop.digest))

        assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", f'"{shop.digest}"')

    def test_conditions_on_what_a_copy_does_not_have_change_nothing(self, shop: Shop) -> None:
        later = "Fri, 24 Nov 2056 09:00:00 GMT"
        conditions = ({"If-None-Match": '"other"'}, {"If-Modified-Since": later}, {"If-Match": f'"{shop.digest}"'})

        for given in conditions:
            answer = shop.fetch(given=given)
            assert (answer.status, answer.body == shop.data) == (200, True)

    def test_head_tells_all_and_sends_nothing(self, shop: Shop) -> None:
        for given in ({}, {"Range": "bytes=0-9"}):
            answer = shop.fetch("HEAD", given=given)

            assert (answer.status, answer.body) == (200, b"")
            assert (answer.headers["Content-Length"], answer.headers["ETag"]) == (
                str(len(shop.data)),
                f'"{shop.digest}"',
            )

    def test_a_download_that_breaks_off_half_way_is_taken_up_again(self, shop: Shop) -> None:
        first = shop.fetch(most=len(shop.data) // 2)

        rest = shop.fetch(Range=f"bytes={len(first.body)}-", If_Range=str(first.headers["ETag"]))

        assert rest.status == 206
        assert first.body + rest.body == shop.data

    def test_a_download_taken_up_a_dozen_times_has_the_bytes_of_one_that_was_not(self, shop: Shop) -> None:
        chance, got = random.Random(12), b""
        for stop in (*sorted(chance.sample(range(1, len(shop.data)), 12)), len(shop.data)):
            got += shop.fetch(most=stop - len(got), Range=f"bytes={len(got)}-", If_Range=f'"{shop.digest}"').body

        assert got == shop.data

    def test_one_connection_serves_answer_after_answer(self, shop: Shop) -> None:
        with shop.connection() as connection:
            for asked in ("bytes=0-99", "", "bytes=-5000", "bytes=0-9,20-29", "bytes=999999999-", "", "bytes=1-1"):
                connection.request("GET", shop.path, headers={"Range": asked} if asked else {})
                answer = connection.getresponse()
                body = answer.read()
                if answer.status == 200:
                    assert body == shop.data
                elif answer.status == 206 and "," not in asked:
                    assert body == slice_of(shop.data, asked.removeprefix("bytes="))

    def test_however_it_was_fetched_it_was_opened_once(self, shop: Shop) -> None:
        shop.fetch("HEAD")
        shop.fetch(Range="bytes=0-9")

        assert shop.opens() == 1
