"""Declarations and fees: shown before consent, kept with their words, decided again, and never asked twice."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest

from delivery.consents import Fee
from delivery.document_request import DocumentRequest
from delivery.errors import Conflict, Invalid, NotFound
from delivery.lifecycle import State
from delivery.services import consenting, desk, officers, requesting
from tests.delivery.web_test_support import signed_in, token_of
from tests.world import LIMITED, World

HEAD = """
vocabulary = 1
[[agreement]]
id = "asks"
title = "Agreement that asks"
jurisdiction = "GB"
kind = "statute"
version = 1
"""
DECLARE = (
    HEAD
    + """
[[agreement.rule]]
id = "asks.declaration"
type = "declare"
by = "reader"
all = ["named", "not_previously_supplied"]
effect = "needs_declaration"
reason = "DECLARATION_INCOMPLETE"
"""
)
FEE = (
    HEAD
    + """
[[agreement.rule]]
id = "asks.fee"
type = "fee"
unless = [{ "flags.fee_paid" = true }]
currency = "EUR"
minor = 2
tariff = [{ when = {}, first_page = "1.50", next_page = "0.10" }]
effect = "needs_fee"
reason = "COMPENSATION_DUE"
"""
)


def asking(world: World, text: str) -> DocumentRequest:
    world.load(text)
    world.bind("collection", ["asks"])
    world.bind("desk", ["asks"])
    return world.ask()


def fees(world: World, number: str) -> tuple[Fee, ...]:
    with world.store.read() as work:
        return work.consents.fees(number)


def test_a_request_waits_for_its_readers_statements_and_goes_on_when_he_signs(world: World) -> None:
    request = asking(world, DECLARE)
    assert request.hold == "declaration"
    world.work()
    assert world.get(request.number).state is State.NEW

    consenting.declare(world.ctx, world.reader, request.number, ["named", "not_previously_supplied"])
    world.work()

    assert world.get(request.number).state is State.SUPPLIED
    assert world.ctx.check_log().whole


def test_a_declaration_keeps_the_very_words_their_version_and_a_sealed_name(world: World) -> None:
    number = asking(world, DECLARE).number
    consenting.declare(world.ctx, world.reader, number, ["named", "not_previously_supplied"])

    with world.store.read() as work:
        [kept] = work.consents.declarations(number)
    assert kept.statements["not_previously_supplied"]["version"] == 1
    assert "No librarian has supplied me" in str(kept.statements["not_previously_supplied"]["text"])
    assert world.reader.name.encode() not in kept.signed
    assert world.ctx.sealer.open(kept.signed, f"declaration:{number}:asks.declaration") == world.reader.name


@pytest.mark.parametrize("codes", [[], ["named"], ["something_else", "named"]])
def test_an_incomplete_declaration_is_refused_and_nothing_is_kept(world: World, codes: list[str]) -> None:
    number = asking(world, DECLARE).number

    with pytest.raises(Invalid):
        consenting.declare(world.ctx, world.reader, number, codes)

    with world.store.read() as work:
        assert work.consents.declarations(number) == ()


def test_nobody_signs_for_somebody_else(world: World) -> None:
    number = asking(world, DECLARE).number

    with pytest.raises(NotFound):
        consenting.declare(world.ctx, world.other, number, ["named", "not_previously_supplied"])


def test_a_fee_is_shown_accepted_and_due_only_when_the_copy_is_supplied(world: World) -> None:
    request = asking(world, FEE)
    assert request.hold == "fee"
    with world.store.read() as work:
        shown = consenting.total(consenting.charges(work, request))
    assert shown == "2.20 EUR"  # eight pages: 1.50 and seven times 0.10

    consenting.accept_fee(world.ctx, world.reader, request.number, shown)
    assert [fee.standing for fee in fees(world, request.number)] == ["accepted"]
    world.work()

    assert world.get(request.number).state is State.SUPPLIED
    assert [(fee.amount, fee.standing) for fee in fees(world, request.number)] == [("2.20", "due")]


def test_nothing_is_due_for_what_is_not_supplied(world: World) -> None:
    request = asking(world, FEE)
    consenting.accept_fee(world.ctx, world.reader, request.number, "2.20 EUR")

    requesting.cancel(world.ctx, world.reader, request.number)

    assert [fee.standing for fee in fees(world, request.number)] == ["void"]


def test_a_fee_is_due_again_for_the_copy_that_takes_the_place_of_a_bad_one(world: World, collection: Path) -> None:
    number = asking(world, FEE).number
    consenting.accept_fee(world.ctx, world.reader, number, "2.20 EUR")
    world.work()

    desk.replace_copy(world.ctx, world.librarian, number, "a page was missing")
    assert [fee.standing for fee in fees(world, number)] == ["void"]
    data = next((collection / "lantern").glob("*.pdf")).read_bytes()
    desk.upload(world.ctx, world.librarian, number, io.BytesIO(data), "a.pdf", len(data))
    world.work()

    assert world.get(number).state is State.SUPPLIED
    assert [fee.standing for fee in fees(world, number)] == ["due"]


def test_no_fee_is_due_for_a_copy_under_agreements_that_ask_for_none(world: World) -> None:
    number = asking(world, FEE).number
    consenting.accept_fee(world.ctx, world.reader, number, "2.20 EUR")
    world.bind("collection", ["open"])
    with world.store.write() as work:
        request = work.requests.lock(number)
        work.requests.save(replace(request, source_id="desk"))  # the one that it was accepted for

    world.work()

    assert world.delivery(number).agreements == (("open", 1),)
    assert [fee.standing for fee in fees(world, number)] == ["void"]


def test_a_fee_that_is_not_the_one_shown_is_not_accepted(world: World) -> None:
    request = asking(world, FEE)

    with pytest.raises(Conflict) as refused:
        consenting.accept_fee(world.ctx, world.reader, request.number, "0.01 EUR")

    assert refused.value.code == "fee-changed"
    assert fees(world, request.number) == ()


def test_a_request_that_waits_for_its_reader_is_not_on_the_officers_list(world: World) -> None:
    number = asking(world, FEE).number

    assert officers.awaiting(world.ctx, world.officer) == ()
    with pytest.raises(Conflict):
        officers.approve(world.ctx, world.officer, number, "")


def test_an_officer_who_approves_a_royalty_makes_the_copy_one_that_does_not_count(world: World) -> None:
    capped = LIMITED.format(most=0, per="entity", effect="needs_fee").replace(
        'effect = "needs_fee"', 'unless = [{ "flags.fee_paid" = true }]\neffect = "needs_fee"'
    )
    world.load(capped)
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    number = world.ask().number
    assert world.get(number).hold == "approval"

    officers.approve(world.ctx, world.officer, number, "the library pays")
    world.work()

    with world.store.read() as work:
        record = work.ledger.record(f"{number}/1")
    assert world.get(number).state is State.SUPPLIED
    assert record is not None
    assert record.facts["flags"] == {"fee_paid": True}


def test_signing_leads_on_to_what_else_is_asked(world: World) -> None:
    both = DECLARE + FEE.partition("version = 1\n")[2].replace("[[agreement.rule]]", "\n[[agreement.rule]]", 1)
    request = asking(world, both)
    first = request.hold
    assert first == "fee"  # the graver of the two comes first

    request = consenting.accept_fee(world.ctx, world.reader, request.number, "2.20 EUR")
    assert request.hold == "declaration"
    consenting.declare(world.ctx, world.reader, request.number, ["named", "not_previously_supplied"])
    world.work()

    assert world.get(request.number).state is State.SUPPLIED


def test_the_page_shows_the_statements_and_takes_the_signature(world: World) -> None:
    number = asking(world, DECLARE).number
    client = signed_in(world.reader_app(), world.reader)
    page = client.get(f"/requests/{number}").get_data(as_text=True)
    boxes = re.findall(r'name="declaration" value="([a-z_]+)"', page)

    assert boxes == ["named", "not_previously_supplied"]
    empty = client.post(f"/requests/{number}/declare", data={"csrf_token": token_of(page)})
    signed = client.post(f"/requests/{number}/declare", data={"csrf_token": token_of(page), "declaration": boxes})
    assert (empty.status_code, signed.status_code) == (422, 303)
    assert world.get(number).hold == ""


def test_the_page_shows_the_fee_before_it_is_agreed_to(world: World) -> None:
    number = asking(world, FEE).number
    client = signed_in(world.reader_app(), world.reader)
    page = client.get(f"/requests/{number}").get_data(as_text=True)

    assert "Agree to pay 2.20 EUR" in page
    answer = client.post(f"/requests/{number}/accept-fee", data={"csrf_token": token_of(page), "total": "2.20 EUR"})
    assert answer.status_code == 303
    assert world.get(number).hold == ""


def test_a_consent_is_asked_for_by_mail_when_the_route_changes_later(world: World) -> None:
    world.load(DECLARE)
    world.bind("desk", ["asks"])
    number = world.ask(title="Nobody has this one", year="2020").number
    assert world.get(number).hold == "declaration"
    consenting.declare(world.ctx, world.reader, number, ["named", "not_previously_supplied"])
    world.work()

    assert world.get(number).state is State.AT_DESK
    desk.leave_unfilled(world.ctx, world.librarian, number, "nobody has it")
    assert world.get(number).state is State.UNFILLED
