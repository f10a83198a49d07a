"""Promises about the file itself and about asking, each test named by its number in the list of complaints."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from delivery.errors import Invalid
from delivery.filenames import content_disposition
from delivery.services import desk
from tests.access.matrix import routes
from tests.behaviours.test_link_promises import address, press, supplied
from tests.delivery.web_test_support import signed_in
from tests.drm.pdf.bad_files import REFUSED, REPAIRABLE, locked
from tests.flows.test_pages import bearer
from tests.world import World


def at_desk(world: World) -> str:
    number = world.ask(title="Nobody has this one", year="2020").number
    world.work()
    return number


@pytest.mark.parametrize("shape", ["article", "scan", "turned"])
def test_p5_every_page_carries_the_stamp_and_keeps_size_and_words(
    world: World, collection: Path, shape: str, tmp_path: Path
) -> None:
    from admin.sample.works import WORKS

    work = next(work for work in WORKS if work.shape == shape and work.part == "lantern")
    delivery = supplied_work(world, work.doi)
    source = pypdfium2.PdfDocument(collection / "lantern" / f"lantern-{work.doi[-2:]}.pdf")
    (tmp_path / "copy.pdf").write_bytes(file_of(world, delivery))
    copy = pypdfium2.PdfDocument(tmp_path / "copy.pdf")

    assert len(copy) == len(source) + 1
    for number in range(len(source)):
        before, after = (one.get_textpage().get_text_bounded().split() for one in (source[number], copy[number + 1]))
        assert copy[number + 1].get_size() == source[number].get_size()
        assert delivery in "".join(after)
        rest = iter(after)
        assert all(word in rest for word in before), f"page {number + 1} lost words or their order"


def supplied_work(world: World, doi: str) -> str:
    number = world.ask(doi=doi).number
    world.work()
    return world.get(number).delivery


def file_of(world: World, delivery: str) -> bytes:
    with world.store.read() as work:
        return world.copy(work.deliveries.get(delivery).request)


@pytest.mark.parametrize("kind", ["opens with the empty password", "cut cross-reference"])
def test_p6_what_opens_or_can_be_repaired_is_taken_and_the_desk_is_told(world: World, kind: str) -> None:
    number = at_desk(world)

    desk.upload(world.ctx, world.librarian, number, io.BytesIO(REPAIRABLE[kind]()), "scan.pdf", None)
    world.work()

    page = signed_in(world.staff_app(), world.librarian).get(f"/requests/{number}").get_data(as_text=True)
    assert "Repaired" in page


@pytest.mark.parametrize("kind", ["password", "no pages", "only a head", "run length bomb"])
def test_p6_what_cannot_be_taken_is_refused_with_a_reason_and_never_delivered(world: World, kind: str) -> None:
    number = at_desk(world)
    maker, codes = REFUSED[kind]

    try:
        desk.upload(world.ctx, world.librarian, number, io.BytesIO(maker()), "scan.pdf", None)
        world.work()
        code = _last_failure(world, number)
    except Invalid as error:
        code = error.fields["file"]

    assert code in codes
    assert world.get(number).state == "at_desk"
    assert world.get(number).delivery == ""


def _last_failure(world: World, number: str) -> str:
    with world.store.read() as work:
        return work.requests.tries(number)[-1].code


def test_p7_every_address_that_sends_a_pdf_sends_the_stamped_copy(world: World) -> None:
    delivery = supplied(world)
    app, client = world.reader_app(), world.reader_app().test_client()
    sending = {
        rule
        for method, rule in routes(app) | routes(world.staff_app())
        if re.search(r"/w/|\.pdf|file|copy|download", rule)
    }
    by_api = client.post(f"/api/v1/requests/{delivery.request}/open", headers=bearer(world)).get_json()

    assert sending == {"/w/<secret>/<path:name>"}
    for window in (press(client, address(world, delivery)), re.sub(r"^https?://[^/]+", "", by_api["url"])):
        data = client.get(window).data
        with pikepdf.open(io.BytesIO(data)) as copy:
            assert delivery.number.encode() in copy.Root.Metadata.read_bytes()


@pytest.mark.parametrize(
    "title",
    ["潮汐不对称与河口泥沙", 'A "quoted" title; with/odd\\signs', "x" * 300, "Ünïcödé — dash", "\u202egnp.exe", ""],
)
def test_p9_a_file_name_arrives_whole_beside_an_ascii_one(title: str) -> None:
    header = content_disposition(f"{title} RL-1.pdf")

    assert header.isascii()
    assert header.startswith("attachment;")
    assert re.search(r'filename="[^"\\/]*"', header)
    assert "filename*=UTF-8''" in header
    assert not {"\r", "\n"} & set(header)


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html><title>Sign in - Publisher</title>", b"<html><head><title>Access through"]
)
def test_r3_the_title_of_a_login_page_is_never_taken_for_an_article(world: World, page: bytes) -> None:
    number = at_desk(world)

    with pytest.raises(Invalid) as refused:
        desk.upload(world.ctx, world.librarian, number, io.BytesIO(page * 50), "article.pdf", None)

    assert refused.value.fields == {"file": "login-page"}
    assert world.get(number).citation.title == "Nobody has this one"


def test_r4_a_request_typed_by_hand_without_any_number_is_taken_and_has_a_number_at_once(world: World) -> None:
    asked = world.ask(title="河口", authors="李济", container="水文学报", year="1987", volume="3")

    assert re.fullmatch(r"TR-[0-9A-Z]{4}-[0-9A-Z]{4}", asked.number)
    assert asked.typed["authors"] == "李济"


def test_r4_an_unknown_doi_is_accepted_as_typed(world: World) -> None:
    assert world.ask(doi="10.9999/nobody-knows/this").citation.doi == "10.9999/nobody-knows/this"


def test_r5_the_same_title_and_year_in_another_spelling_is_the_same_work(world: World) -> None:
    first = world.ask(title="Salt wedges — under calm skies", year="2021", deliberate=True)

    second = world.ask(title="SALT WEDGES under calm skies.", year="2021", deliberate=False)

    assert second.number == first.number


def test_a_locked_upload_says_what_to_do(world: World) -> None:
    number = at_desk(world)
    client = signed_in(world.staff_app(), world.librarian)
    page = client.get(f"/requests/{number}").get_data(as_text=True)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]

    answer = client.post(
        f"/requests/{number}/upload", data={"csrf_token": token, "file": (io.BytesIO(locked()), "scan.pdf")}
    )

    assert answer.status_code == 422
    assert "Remove the password first" in answer.get_data(as_text=True)
