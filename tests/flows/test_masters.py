"""Copies made of prepared documents: what is kept, what is shared, what ends, and what happens when one is faulty."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from admin.keys import add_key, read_keys
from delivery.copies import CopyState, Delivery
from delivery.copy_terms import copy_spec
from delivery.errors import NotFound, Unavailable
from delivery.jobs import CHECK, NewJob
from delivery.services import checking, copy_making, copy_reading, desk, downloading, expiring, linking
from delivery.services.preparing import read_ready
from delivery.services.reissuing import give_up_master, reissue
from delivery.services.rekeying import rewrap_masters
from delivery.services.viewing import leaf
from drm.pdf.policy import Policy, policy_from
from drm.pdf.values import CopySpec, PdfRefused
from tests.delivery.web_test_support import signed_in
from tests.flows.test_obligations import obliged
from tests.world import OPEN_AGREEMENT, World

YEAR = timedelta(days=365)


def supplied(world: World, reader: str = "reader") -> Delivery:
    number = world.ask(getattr(world, reader)).number
    world.work()
    return world.delivery(number)


def words(copy: bytes) -> str:
    return "".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(copy))


def stored(world: World) -> list[Path]:
    return sorted((world.services.settings.blob_folder / "masters").rglob("*.pdf"))


def test_the_second_reader_gets_the_same_master_with_another_tail(world: World) -> None:
    first, second = supplied(world), supplied(world, "other")

    one, two = world.copy(first.request), world.copy(second.request)
    assert first.master == second.master
    assert len(stored(world)) == 1
    assert one[: first.base_bytes] == two[: second.base_bytes] == stored(world)[0].read_bytes()
    assert (first.stamp["why"], second.stamp["why"]) == ("engine-usual", "engine-has-master")
    assert world.reader.name in words(one)
    assert world.reader.name not in words(two)
    assert world.other.name in words(two)


def test_a_second_copy_opens_no_pdf_at_all(world: World) -> None:
    supplied(world)
    blind = replace(world.ctx, pdf=None)  # type: ignore[arg-type]  # whatever asks for PDF work fails

    number = world.ask(world.other).number
    world.ctx, seeing = blind, world.ctx
    world.work(without=CHECK)  # the copies drawn by lot are opened afterwards
    world.ctx = seeing

    assert world.other.name in words(world.copy(number))


def test_the_entity_tag_and_the_log_name_master_and_tail(world: World) -> None:
    delivery = supplied(world)

    with world.store.read() as work:
        tail = work.deliveries.tail(delivery.number)
        rows = [row for row in work.log.rows() if b"copy:supplied" in row.leaf]
    named = copy_making.digest_of(delivery.master, tail)
    assert delivery.sha256 == named
    assert named.encode() in rows[0].leaf
    assert copy_reading.Download(delivery, tail).etag == f'"{named}"'


def test_a_master_is_prepared_anew_when_it_is_old_and_the_old_one_stays_for_its_links(world: World) -> None:
    old = supplied(world)
    with world.store.write() as work:
        work.deliveries.save(replace(old, expires_at=None))
    world.clock.move(timedelta(days=91))
    new = supplied(world, "other")

    assert expiring.remove_masters(world.ctx) == 0
    assert old.master != new.master
    assert world.reader.name in words(world.copy(old.request))


def test_a_master_goes_when_it_is_old_and_no_copy_needs_it(world: World) -> None:
    delivery = supplied(world)
    world.clock.move(YEAR)
    expiring.expire_links(world.ctx)
    assert expiring.remove_masters(world.ctx) == 0
    world.clock.move(timedelta(hours=3))
    expiring.remove_files(world.ctx)

    assert expiring.remove_masters(world.ctx) == 1
    assert stored(world) == []
    with world.store.read() as work, pytest.raises(NotFound):
        work.masters.get(delivery.master)


def test_where_nothing_may_be_kept_each_copy_has_a_master_of_its_own_that_ends_with_it(world: World) -> None:
    obliged(world, 'intermediate_copy = "destroy_on_delivery"')
    first, second = supplied(world), supplied(world, "other")
    assert first.master != second.master

    linking.revoke(world.ctx, world.librarian, first.number, "a mistake")
    world.clock.move(timedelta(hours=3))
    expiring.remove_files(world.ctx)
    expiring.remove_masters(world.ctx)

    assert [path.stem for path in stored(world)] == [second.master]
    assert world.other.name in words(world.copy(second.request))


def test_a_copy_is_never_published_of_a_master_that_was_given_up_meanwhile(world: World) -> None:
    delivery = supplied(world)
    number = world.ask(world.other).number
    with retired_between(world, delivery.master), pytest.raises(AssertionError, match="master-gone"):
        world.work(rounds=3)

    world.clock.move(timedelta(minutes=1))
    world.work()
    assert world.delivery(number).master != delivery.master
    assert world.other.name in words(world.copy(number))


@contextmanager
def retired_between(world: World, master: str) -> Iterator[None]:
    """A world whose masters are retired while a copy is being made, after they were found."""

    def exists(name: str) -> bool:
        with world.store.write() as work:
            work.masters.retire(master, "test", world.clock())
        return True

    class Blobs:
        def __getattr__(self, name: str) -> object:
            return exists if name == "exists" else getattr(kept.blobs, name)

    kept = world.ctx
    world.ctx = replace(kept, blobs=Blobs())  # type: ignore[arg-type]  # the store itself, but for one question
    try:
        yield
    finally:
        world.ctx = kept


def test_a_lost_master_blob_is_prepared_again_for_the_next_copy(world: World) -> None:
    supplied(world)
    stored(world)[0].unlink()

    second = supplied(world, "other")

    assert second.stamp["why"] == "engine-usual"
    assert world.other.name in words(world.copy(second.request))


def test_whole_files_are_made_where_the_operator_says_so_and_the_page_tells_why(world: World) -> None:
    world.ctx = replace(world.ctx, settings=replace(world.ctx.settings, pdf_policy=Policy(engine="rewrite")))

    delivery = supplied(world)

    assert (delivery.engine, delivery.stamp["why"], delivery.master) == ("rewrite", "engine-asked", "")
    assert world.reader.name in words(world.copy(delivery.request))


def test_the_whole_files_of_one_request_lie_apart(world: World, collection: Path) -> None:
    """A copy that replaces another must not find that one's file in its place."""
    world.ctx = replace(world.ctx, settings=replace(world.ctx.settings, pdf_policy=Policy(engine="rewrite")))
    first = supplied(world)
    desk.replace_copy(world.ctx, world.librarian, first.request, "the wrong article")
    with (collection / "lantern" / "lantern-02.pdf").open("rb") as file:
        desk.upload(world.ctx, world.librarian, first.request, file, "right.pdf", None)
    world.work()

    second = world.delivery(first.request)

    assert second.number != first.number
    assert second.blob != first.blob
    assert hashlib.sha256(world.copy(first.request)).hexdigest() == second.sha256
    assert world.ctx.blobs.exists(first.blob)


def test_the_desk_sees_how_a_copy_was_made_and_why(world: World) -> None:
    delivery = supplied(world)

    page = signed_in(world.staff_app(), world.librarian).get(f"/requests/{delivery.request}").get_data(as_text=True)

    assert "own part. The document is prepared once" in page


def test_the_first_copy_is_a_whole_file_where_preparing_waits_for_the_second(world: World) -> None:
    world.ctx = replace(world.ctx, settings=replace(world.ctx.settings, pdf_policy=Policy(prepare_after=2)))

    first, second, third = supplied(world), supplied(world, "other"), supplied(world)

    assert [one.stamp["why"] for one in (first, second, third)] == [
        "engine-seldom",
        "engine-usual",
        "engine-has-master",
    ]


class Faulty:
    """PDF works whose masters fail their own checks."""

    def __init__(self, world: World) -> None:
        self._works = world.ctx.pdf

    def prepare(self, *_: object) -> object:
        raise PdfRefused("output-invalid", "Page 3 does not look like the page of the source.")

    def __getattr__(self, name: str) -> object:
        return getattr(self._works, name)


@pytest.mark.parametrize(("engine", "state"), [("auto", "rewrite"), ("tail", "")])
def test_the_other_engine_helps_only_where_none_was_asked_for(world: World, engine: str, state: str) -> None:
    settings = replace(world.ctx.settings, pdf_policy=policy_from({"engine": engine}))
    world.ctx = replace(world.ctx, settings=settings, pdf=Faulty(world))  # type: ignore[arg-type]

    number = world.ask().number
    world.work()

    request = world.get(number)
    assert (world.delivery(number).engine if request.delivery else "") == state
    if state:
        assert world.delivery(number).stamp["why"] == "engine-fell-back"


def test_a_document_that_is_not_encrypted_is_prepared_anew_when_its_master_is_too_old_or_lost(world: World) -> None:
    world.load(OPEN_AGREEMENT.replace("version = 1\n[", "version = 2\n[") + "[agreement.copy]\nencrypt = false\n")
    first = supplied(world)
    assert first.stamp["encrypted"] is False
    world.clock.move(world.ctx.settings.master_life + timedelta(days=1))
    expiring.expire_links(world.ctx)
    expiring.remove_masters(world.ctx)
    second = supplied(world, "other")
    give_up_master(world.ctx, second.master, "master-missing")

    assert reissue(world.ctx, second.number, "master-missing", withdraw=True) is CopyState.LIVE
    third = world.delivery(second.request)

    assert len({first.master, second.master, third.master}) == 3
    assert world.copy(third.request).startswith(b"%PDF")


def check(world: World, delivery: Delivery) -> None:
    with world.store.write() as work:
        work.jobs.add(NewJob(CHECK, f"check:{delivery.number}:again", {"delivery": delivery.number}), world.clock())
    world.work()


def test_a_good_copy_passes_the_later_check(world: World) -> None:
    delivery = supplied(world)

    check(world, delivery)

    assert world.kinds(delivery.request)[-1] == "copy:checked"
    assert world.delivery(delivery.request) == delivery


def spoil(world: World, delivery: Delivery) -> None:
    """Change bytes in the middle of the master, as a bad disk might."""
    path = stored(world)[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 64] = bytes(64)
    path.write_bytes(data)


def test_a_copy_that_fails_the_later_check_is_made_anew_under_its_link_with_all_others_of_its_master(
    world: World,
) -> None:
    first, second = supplied(world), supplied(world, "other")
    spoil(world, first)

    check(world, first)

    for before, name in ((first, world.reader.name), (second, world.other.name)):
        after = world.delivery(before.request)
        assert (after.number, after.state, after.expires_at) == (before.number, CopyState.LIVE, before.expires_at)
        assert after.master != before.master
        assert name in words(world.copy(before.request))
        assert "copy:remade" in world.kinds(before.request)


def test_a_faulty_copy_whose_source_is_gone_is_withdrawn_and_given_back(world: World) -> None:
    delivery = supplied(world)
    spoil(world, delivery)
    world.ctx.blobs.remove(str(world.get(delivery.request).found["blob"]))

    check(world, delivery)

    assert world.delivery(delivery.request).state is CopyState.REVOKED
    with world.store.read() as work:
        counted = work.ledger.record(world.get(delivery.request).claim)
    assert counted is not None
    assert counted.status == "cancelled"
    assert "did not pass a later check" in world.post.letters[-1].text


def test_about_one_copy_in_a_hundred_is_drawn_for_the_later_check() -> None:
    drawn = sum(copy_making.is_drawn(f"RL-{number:04}-AAAA") for number in range(10_000))

    assert 60 < drawn < 140


def test_copies_keep_their_bytes_through_a_rotation_and_the_old_masters_serve_on(world: World) -> None:
    first = supplied(world)
    before = world.copy(first.request)
    key_file = world.services.settings.key_file

    assert add_key(key_file) == "k2"
    world.ctx = replace(world.ctx, ring=read_keys(key_file).ring)
    assert rewrap_masters(world.ctx) == (1, ())
    assert rewrap_masters(world.ctx) == (0, ())
    second = supplied(world, "other")

    assert world.copy(first.request) == before
    assert second.master == first.master
    assert world.other.name in words(world.copy(second.request))
    with world.store.read() as work:
        assert work.masters.get(first.master).master.key_version == "k2"


def test_the_check_code_on_a_copy_outlives_the_key_it_was_made_with(world: World) -> None:
    delivery = supplied(world)
    code = spec_of(world, delivery).check_url.rsplit("/", 1)[1]
    add_key(world.services.settings.key_file)
    world.ctx = replace(world.ctx, ring=read_keys(world.services.settings.key_file).ring)

    found = downloading.check_copy(world.ctx, code)

    assert found is not None
    assert not found.withdrawn


def spec_of(world: World, delivery: Delivery) -> CopySpec:
    with world.store.read() as work:
        ready = read_ready(world.ctx, work, work.requests.get(delivery.request))
    return copy_spec(world.ctx, ready, delivery.number, delivery.issued_at)


def test_a_master_whose_key_is_not_here_is_named_and_not_used(world: World) -> None:
    delivery = supplied(world)
    keys = read_keys(world.services.settings.key_file).ring
    world.ctx = replace(world.ctx, ring=type(keys)({"other": bytes(range(32))}))

    assert rewrap_masters(world.ctx) == (0, (delivery.master,))
    assert supplied(world, "other").master != delivery.master


def test_the_master_alone_opens_nowhere(world: World) -> None:
    supplied(world)
    data = stored(world)[0].read_bytes()

    with pytest.raises(pikepdf.PdfError):
        pikepdf.open(io.BytesIO(data))
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(data)


def test_a_tail_that_is_missing_is_an_answer_and_never_half_a_document(world: World) -> None:
    delivery = supplied(world)

    with pytest.raises(Unavailable):
        copy_reading.read_file(world.ctx, copy_reading.Download(delivery, b""), 0, delivery.bytes)


def test_a_page_is_shown_out_of_master_and_tail(world: World) -> None:
    delivery = supplied(world)

    assert delivery.number in leaf(world.ctx, delivery, 2, 700).text


def test_checking_twice_does_nothing_more(world: World) -> None:
    delivery = supplied(world)
    spoil(world, delivery)
    check(world, delivery)
    after = world.delivery(delivery.request)

    checking.check_copy(world.ctx, delivery.number, lambda: None)

    assert world.delivery(delivery.request).sha256 == after.sha256
