"""Pages say things in words: what counts beside the approving button, who has to agree, why a source refused."""

from __future__ import annotations

import pytest

from delivery.document_request import Try
from delivery.lifecycle import State
from delivery.services import governing
from drm.agreements import load_agreements
from drm.policy import decide
from drm.reasons import explain
from tests.delivery.web_test_support import signed_in, token_of
from tests.world import LIMITED, OPEN_AGREEMENT, World

SHARE = """
[[agreement.rule]]
id = "limited.share"
type = "limit"
measure = "percent_pages"
percent = 10
per = ["reader", "work"]
window = { type = "lifetime" }
count = ["filled"]
effect = "deny"
reason = "PORTION_EXCEEDED"
on_unknown = { effect = "needs_approval", reason = "UNKNOWN_TOTAL_PAGES" }
[[agreement.rule]]
id = "limited.chapters"
type = "limit"
measure = "chapters"
max = 1
per = ["work"]
window = { type = "lifetime" }
count = ["filled"]
effect = "needs_approval"
reason = "PORTION_EXCEEDED"
"""


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["used 0 of unknown, this", "chapters 0 of 1, this 0", "used 0 of 5, this 1", "(library harbour)"]),
        ("zh", ["已用0/未知", "章节0/1，本次0", "已用0/5，本次1", "（图书馆 harbour）"]),
    ],
)
def test_every_count_stands_beside_the_approving_button(world: World, language: str, words: list[str]) -> None:
    world.load(LIMITED.format(most=5, per="entity", effect="deny") + SHARE)
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])
    request = world.ask(title="Nobody has this", year="2020", genre="book_part", isbn="9780306406157")
    assert (request.state, request.hold) == (State.NEW, "approval")
    client = signed_in(world.staff_app(), world.officer)

    page = client.get(f"/rights/approvals?lang={language}").get_data(as_text=True)

    shown = page.split("/approve")[0]
    assert not [word for word in words if word.replace("（", "(").replace("）", ")") not in shown]
    assert "<details" not in shown.split("<h1>")[1]
    assert "work.id" in shown
    with world.store.read() as work:
        assert work.secrets.key_of(world.reader.id) not in page


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Another officer has to agree"), ("zh", "须由另一位管理员同意")]
)
def test_whoever_confirms_his_own_proposal_is_told_why_not(world: World, language: str, words: str) -> None:
    governing.save_draft(world.ctx, world.officer, LIMITED.format(most=5, per="entity", effect="deny"))
    governing.propose(world.ctx, world.officer, "limited", 1, "")
    client = signed_in(world.staff_app(), world.officer)
    token = token_of(client.get(f"/rights/agreements/limited/1?lang={language}").get_data(as_text=True))

    answer = client.post("/rights/agreements/limited/1/confirm", data={"csrf_token": token})

    assert answer.status_code == 409
    assert words in answer.get_data(as_text=True)
    assert "changed meanwhile" not in answer.get_data(as_text=True)


def test_a_reader_hears_in_words_why_a_source_may_not_supply(world: World) -> None:
    gate = OPEN_AGREEMENT.replace('{ "request.copies" = { le = 1 } }', '{ "request.purpose" = "private_study" }')
    world.load(gate.replace("version = 1\n[", "version = 2\n["))
    number = world.ask().number
    with world.store.write() as work:
        work.requests.add_try(Try(number, "collection", world.clock(), "refused", "DECLARATION_INCOMPLETE"))

    page = signed_in(world.reader_app(), world.reader).get(f"/requests/{number}").get_data(as_text=True)

    assert "may not supply it" in page
    assert "DECLARATION_INCOMPLETE" not in page


def test_a_gate_that_holds_does_not_say_that_everything_may_be_supplied() -> None:
    agreements = load_agreements(OPEN_AGREEMENT)
    decision = decide([agreements], {"request": {"copies": 1}}, [])

    words = [explain(decision, agreements, {}, (), language).rules[0].words for language in ("en", "zh")]

    assert words == ["holds", "符合"]
