"""Closing what a page leaves open."""

from __future__ import annotations

import io

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from drm.pdf.content import Balance, balance
from tests.drm.pdf_drawing.samples import document, rendered, saved, stamped, text_at, texts

CASES = {
    b"q 1 0 0 1 0 0 cm Q": Balance(),
    b"q q BT": Balance(open_saves=2, open_text=True),
    b"Q Q q": Balance(missing_saves=2, open_saves=1),
    b"Q q Q Q q q": Balance(missing_saves=2, open_saves=2),
    b"(q Q) Tj q": Balance(open_saves=1),
    b"(a (q) \\) q \\\\) Tj q": Balance(open_saves=1),
    b"((((((q))) % q\n))) Tj Q": Balance(missing_saves=1),
    b"% q q q\nq": Balance(open_saves=1),
    b"BT " + b"(a q) Tj 0.1 Tc " * 60 + b"(Q) Tj q ET": Balance(open_saves=1),
    b"(a) Tj 1 Tc " * 60 + b"(q) Tj (Q) ' % q\nQ": Balance(missing_saves=1),
    b"(a) Tj 1 Tc " * 60 + b"q (b) Tj Q (c": Balance(broken=True),
    b"/q gs /Q Do q": Balance(open_saves=1),
    b"[(q)-250(Q)]TJ<71>Tj q": Balance(open_saves=1),
    b"/P <</MCID 0>> BDC BT /Span BMC": Balance(open_text=True, open_marks=2),
    b"EMC /P BMC EMC": Balance(),
    b"BI /W 4 /H 1 /BPC 8 /CS /G ID q Q( EI q": Balance(open_saves=1),
    b"BI /W 7 /H 1 /BPC 8 /CS /G ID \x00EI \xff q EI Q": Balance(missing_saves=1),
    b"BI /W 3 /H 2 /IM true ID EI EI Q": Balance(missing_saves=1),
    b"BI /W 9 /H 2 /IM true ID EI q\nEI Q": Balance(missing_saves=1),
    b"BI /W 9 /H 1 /BPC 8 /CS /G ID too short EI Q q": Balance(missing_saves=1, open_saves=1),
    b"BI /W 99 /H 1 /BPC 8 /CS /G ID too short EI Q q": Balance(missing_saves=1, open_saves=1, broken=True),
    b"BI /W 99 /H 1 /BPC 8 /CS /G /F /Fl ID packed EI q": Balance(open_saves=1),
    b"q BI /W 1 /H 1 ID \x01\x02": Balance(open_saves=1, broken=True),
    b"q (never closed q": Balance(open_saves=1, broken=True),
    b"[(a) 3 (q) q": Balance(open_saves=1, broken=True),
    b"/P <</A [1 2 BDC": Balance(open_marks=1, broken=True),
    b"<41 q": Balance(broken=True),
    b"] q [": Balance(open_saves=1, broken=True),
    b"[ 1 >>": Balance(broken=True),
    b"q 1 0 0 1 9 9 cm [ (a(b(c(d)))) Q ] Q": Balance(missing_saves=1, broken=True),
    b"ID q": Balance(open_saves=1, broken=True),
    b"<4z q> Tj ] >> q": Balance(open_saves=1, broken=True),
    b"q(x)Tj[q]Q": Balance(),
    b"q\x00q\x0cQ": Balance(open_saves=1),
    b"qq QQ BTx": Balance(),
    b"": Balance(),
}


@pytest.mark.parametrize("content", CASES)
def test_openings_and_closings_are_counted_by_tokens(content: bytes) -> None:
    assert balance(content) == CASES[content]


UNFINISHED = [
    b"q 0.1 0 0 0.1 900 900 cm ",
    b"Q Q 2 0 0 2 0 0 cm ",
    b"BT /F1 12 Tf 3 Tr ",
    b"/Artifact BMC /OC /X BDC q ",
    b"(left open ",
    b"[(left open) 3 ",
    b"/P <</A 1 ",
    b"q BI /W 1 /H 1 /BPC 8 /CS /G ID zz",
    b"% a comment at the end",
    b"10 0 0 10 0 0 cm 0 0 5 5 re W n ",
]


@pytest.mark.parametrize("content", UNFINISHED)
def test_the_stamp_looks_the_same_after_unfinished_content(content: bytes) -> None:
    data, _ = stamped(document(content))
    plain, _ = stamped(document())

    assert rendered(data, 1) == rendered(plain, 1)
    assert "RL-7Q4M-2K9D" in texts(data)[1]


def test_holes_and_missing_contents_are_no_obstacle() -> None:
    source = document(text_at(100, 400, "first"), b"", b"")
    source.pages[0].obj.Contents = Array([source.pages[0].obj.Contents, None, Name.Nothing, Dictionary()])
    del source.pages[1].obj["/Contents"]
    source.pages[2].obj.Contents = Array([])

    found = texts(stamped(source)[0])

    assert "first" in found[1]
    assert all("RL-7Q4M-2K9D" in text for text in found)


def test_shared_resources_are_not_touched_and_taken_names_are_kept() -> None:
    source = document(b"/RlS Do", b"/RlS Do")
    own = source.make_stream(text_at(100, 300, "own form"))
    own.Type, own.Subtype, own.BBox = Name.XObject, Name.Form, Array([0, 0, 600, 850])
    own.Resources = Dictionary(
        Font=Dictionary(F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Courier))
    )
    shared = source.make_indirect(Dictionary(XObject=Dictionary(RlS=own)))
    for page in source.pages:
        page.obj.Resources = shared

    found = texts(stamped(source)[0])

    assert all("own form" in text and "RL-7Q4M-2K9D" in text for text in found[1:])


def test_inherited_resources_stay_in_force() -> None:
    source = document(text_at(100, 400, "inherited font"))
    source.Root.Pages.Resources = source.pages[0].obj.Resources
    del source.pages[0].obj["/Resources"]

    assert "inherited font" in texts(stamped(source)[0])[1]


def test_a_page_twice_in_the_tree_is_stamped_in_both_places() -> None:
    source = document(text_at(100, 400, "twice"))
    source.Root.Pages.Kids.append(source.pages[0].obj)
    source.Root.Pages.Count = 2
    data = saved(source)

    copy, report = stamped(data)

    assert report.pages == 2
    assert [text.count("twice") for text in texts(copy)] == [0, 1, 1]
    assert all(0 < text.count("· RL-7Q4M-2K9D ·") <= 2 for text in texts(copy)[1:])


def test_the_stamp_is_the_last_thing_drawn_and_an_artifact() -> None:
    with pikepdf.open(io.BytesIO(stamped(document(b"q"))[0])) as pdf:
        steps = [(list(step.operands), str(step.operator)) for step in pikepdf.parse_content_stream(pdf.pages[1])]

    assert [operator for _, operator in steps[-5:]] == ["cm", "BDC", "Do", "EMC", "Q"]
    assert steps[-4][0][0] == Name.Artifact
    assert steps[-4][0][1].Subtype == Name.Watermark


def test_a_bracket_that_never_closes_is_found_broken_without_trying_every_way_through_it() -> None:
    unclosed = b"q BT (" + b"a long line of words that never ends " * 400 + b"(and (more (of it "

    assert balance(unclosed).broken
    assert balance(b"q (closed) Tj Q " * 3_000 + b"(open " + b"x" * 3_000).broken
