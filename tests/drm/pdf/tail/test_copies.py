"""Copies of a master: they look as the other engine's do, are the same bytes every time, and resist what they can."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name

from drm.pdf.rewrite import make_copy
from drm.pdf.tail.keys import MasterKeys
from drm.pdf.tail.light import check_tail
from drm.pdf.tail.personalise import personalise
from drm.pdf.tail.prepare import Wish, prepare
from drm.pdf.tail.serving import assemble
from drm.pdf.tail.values import master_from, master_to
from drm.pdf.values import CopySpec, PdfRefused
from drm.pdf.verifying import Expectation, verify
from drm.tokens import KeyRing
from tests.drm.pdf.active import plain
from tests.drm.pdf.bad_files import REFUSED
from tests.drm.pdf.tail.masters import KEYS, RING, Ready, ready
from tests.drm.pdf_drawing.samples import SPEC, document, rendered, saved, text_at, texts

ROOT = Path(__file__).parents[4]
AGAIN = """
import json, sys
from drm.pdf.spec_json import spec_from
from drm.pdf.tail.keys import MasterKeys
from drm.pdf.tail.personalise import personalise
from drm.pdf.tail.values import master_from
from drm.tokens import KeyRing
master, spec = json.load(sys.stdin)
print(personalise(master_from(master), spec_from(spec), MasterKeys(KeyRing({"k1": bytes(range(32))}))).sha256)
"""
LOOKS = {
    "Latin": SPEC,
    "Chinese": replace(SPEC, reader="王小明 Zoë", language="zh", library="广东省立中山图书馆"),
    "no name": replace(SPEC, reader=None),
    "a name that fills its line": replace(
        SPEC, reader="Maximiliana-Alexandra Montgomery-Fitzwilliam-Hohenlohe Langenburg"
    ),
    "a check address": replace(SPEC, check_url="https://library.example.org/check/RL-7Q4M-2K9D"),
    "an end": replace(SPEC, expires="2026-12-24 10:15 UTC", agreement="Wetland Press 2026"),
    "an end that fills its line": replace(SPEC, expires="2026-12-24 " * 14),
    "long terms": replace(SPEC, terms=("A term of many words, one after the other. " * 9,) * 4),
}


@pytest.fixture
def one(tmp_path: Path) -> Ready:
    return ready(tmp_path)


@pytest.mark.parametrize("look", LOOKS)
def test_copies_look_as_those_of_the_other_engine_to_the_pixel(one: Ready, tmp_path: Path, look: str) -> None:
    make_copy(tmp_path / "source.pdf", tmp_path / "rewritten.pdf", LOOKS[look])
    ours, theirs = one.copy(LOOKS[look]), (tmp_path / "rewritten.pdf").read_bytes()

    # The code on the cover may have another mask, which is as good.
    first = 1 if LOOKS[look].check_url else 0
    assert [rendered(ours, page) for page in range(first, 3)] == [rendered(theirs, page) for page in range(first, 3)]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "boxes", [{}, {"CropBox": [60, 80, 500, 700]}, {"MediaBox": [-100, 50, 495, 892]}, {"UserUnit": 2}]
)
def test_turned_cropped_and_scaled_pages_look_as_the_other_engine_makes_them(
    tmp_path: Path, rotate: int, boxes: dict[str, Any]
) -> None:
    entries: dict[str, Any] = {key: Array(value) if isinstance(value, list) else value for key, value in boxes.items()}
    one = ready(tmp_path, document(text_at(100, 400, "Text"), Rotate=rotate, **entries))
    make_copy(tmp_path / "source.pdf", tmp_path / "rewritten.pdf", SPEC)

    assert rendered(one.copy(), 1) == rendered((tmp_path / "rewritten.pdf").read_bytes(), 1)


NAMES = [
    *(
        "Zoë Müller-Ångström",
        "Ελένη Παπαδοπούλου",
        "Дмитрий Щёголев",
        "王小明",
        "𠮷田 さくら",
        "김민준",
        "Nguyễn Thị Ánh",
        "Łukasz Żółć-Ćwiękała",
        "Ștefan Ğüzel Őrsi ŒŊə",
    ),
    *(
        ") Tj (evil\\",
        "O'Brien <b>",
        "عمر",
        "😀",
        "Å" * 80,
        "a\u202eb",
        "\x00x",
        "读者张伟二〇九三一广东省立中山图书馆",
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_or_its_fallback_is_read_back_by_two_libraries(one: Ready, name: str) -> None:
    tail = one.tail(replace(SPEC, reader=name))
    data = one.path.read_bytes() + tail.data
    wanted = "".join(tail.shown_name.split())

    assert wanted in "".join(texts(data)[1].split())
    assert wanted in "".join(pypdf.PdfReader(io.BytesIO(data)).pages[1].extract_text().split())
    assert pikepdf.open(io.BytesIO(data)).check_pdf_syntax() == []


def test_a_name_of_twenty_four_chinese_characters_keeps_the_tail_small(one: Ready) -> None:
    tail = one.tail(replace(SPEC, reader="读者张伟二〇九三一广东省立中山图书馆联合参考咨询"))

    assert len(tail.data) <= 10_000


def test_a_tail_for_a_plain_name_takes_less_than_three_thousand_bytes(one: Ready) -> None:
    assert len(one.tail().data) < 3_000


def test_letters_beyond_english_add_about_a_thousand_bytes(one: Ready) -> None:
    assert len(one.tail(replace(SPEC, reader="Dvořák Łysoň")).data) < len(one.tail().data) + 1_100


def test_two_contents_of_one_delivery_share_no_vector_and_no_first_block(one: Ready) -> None:
    one_, other = (one.tail(replace(SPEC, issued_on=date(2026, 3, day))).data for day in (1, 2))
    streams = [[part[:32] for part in data.split(b">>stream\n")[1:]] for data in (one_, other)]

    shared = set(streams[0]) & set(streams[1])
    assert len(set(streams[0])) == len(streams[0])
    assert len(shared) <= 2  # the cover's frame, and an index of the same offsets


def test_the_same_delivery_is_the_same_bytes_in_every_process(one: Ready) -> None:
    from drm.pdf.spec_json import spec_to

    given = json.dumps([master_to(one.master), spec_to(SPEC)])
    one.tail(replace(SPEC, reader="Somebody Else", issued_on=date(2026, 1, 2)))  # what is cached must not matter
    hashes = {
        subprocess.run(
            [sys.executable, "-c", AGAIN], input=given, capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout.strip()
        for _ in range(3)
    }

    assert hashes == {one.tail().sha256}


def test_rotating_the_site_key_changes_no_copy(one: Ready) -> None:
    both = MasterKeys(KeyRing({**RING.keys, "k2": bytes(reversed(range(32)))}))
    moved = both.rewrap(one.master)
    new_only = MasterKeys(KeyRing({"k2": bytes(reversed(range(32)))}))

    assert (one.master.key_version, moved.key_version) == ("k1", "k2")
    assert personalise(one.master, SPEC, both).data == one.tail().data
    assert personalise(moved, SPEC, new_only).data == one.tail().data


@pytest.mark.parametrize("ring", [{"k2": bytes(range(32))}, {"k1": bytes(reversed(range(32)))}])
def test_without_its_site_key_a_master_makes_no_copy(one: Ready, ring: dict[str, bytes]) -> None:
    with pytest.raises(PdfRefused) as refused:
        personalise(one.master, SPEC, MasterKeys(KeyRing(ring)))

    assert refused.value.code == "no-key"


def test_a_wrapped_key_serves_its_own_master_only(one: Ready, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = ready(tmp_path / "other").master

    with pytest.raises(PdfRefused) as refused:
        personalise(replace(other, secret=one.master.secret), SPEC, KEYS)

    assert refused.value.code == "no-key"


def test_the_file_key_is_nowhere_in_the_record(one: Ready) -> None:
    key = pikepdf.open(io.BytesIO(one.copy())).encryption.encryption_key

    assert bytes(key) not in master_to(one.master)["secret"].encode()
    assert bytes(key).hex() not in json.dumps(master_to(one.master))


def test_a_record_survives_json(one: Ready) -> None:
    assert master_from(json.loads(json.dumps(master_to(one.master)))) == one.master


@pytest.mark.parametrize("content", [{}, {"forms": 3}, {"id": "x"}])
def test_what_is_no_record_is_a_value_error(content: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no record"):
        master_from(content)


def shows_text(data: bytes) -> bool:
    try:
        document_ = pypdfium2.PdfDocument(data)
        return any(page.get_textpage().get_text_bounded().strip() for page in document_)
    except pypdfium2.PdfiumError:
        pass
    try:
        return len(pikepdf.open(io.BytesIO(data), suppress_warnings=True).pages) > 0
    except pikepdf.PdfError:
        return False


@pytest.mark.parametrize("step", [17, pytest.param(1, marks=pytest.mark.slow)])
def test_a_copy_cut_short_shows_no_text(one: Ready, step: int) -> None:
    data, index = one.copy(), one.tail().data.rfind(b"startxref")
    whole = one.master.base_len + index
    cuts = [*range(len(data) - 4096, whole, step), one.master.base_len, one.master.base_len // 2]

    opened = [cut for cut in cuts if shows_text(data[:cut])]

    # Once everything up to the index is there, nothing is missing but where it is: readers rebuild that, stamp and all.
    encrypt = data.rfind(b"/Filter/Standard")
    assert all(cut > encrypt and "RL-7Q4M-2K9D" in texts(data[:cut])[1] for cut in opened)


def test_the_master_alone_opens_nowhere_and_holds_no_text(one: Ready) -> None:
    data = one.path.read_bytes()

    assert not shows_text(data)
    assert b"/F1 10 Tf" not in data


def test_with_their_tails_swapped_copies_are_each_others(one: Ready) -> None:
    hers, his = SPEC, replace(SPEC, reader="Tom Baker", delivery="RL-1111-2222")

    assert one.path.read_bytes() + one.tail(his).data == one.copy(his)
    assert "Niamh" not in "".join(texts(one.copy(his)))
    assert "Niamh" in texts(one.copy(hers))[2]


def test_the_tail_of_another_master_opens_nothing(one: Ready, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = ready(tmp_path / "other")

    with pytest.raises(PdfRefused):
        check_tail(other.master, one.tail())
    assert not shows_text(other.path.read_bytes() + one.tail().data) or "One" not in "".join(
        texts(other.path.read_bytes() + one.tail().data)
    )


def test_a_tail_spliced_from_two_or_edited_is_not_the_one_that_was_recorded(one: Ready) -> None:
    hers, his = one.tail(), one.tail(replace(SPEC, reader="Tom Baker", delivery="RL-1111-2222"))
    half = len(hers.data) // 2
    edited = bytearray(hers.data)
    edited[half] ^= 1

    for data in (hers.data[:half] + his.data[half:], bytes(edited), hers.data + b"%"):
        with pytest.raises(PdfRefused, match="output-invalid"):
            check_tail(one.master, replace(hers, data=data, length=one.master.base_len + len(data)))


def test_a_master_of_an_earlier_release_has_to_be_prepared_again(one: Ready) -> None:
    with pytest.raises(PdfRefused, match="unsupported"):
        personalise(replace(one.master, engine_version=1), SPEC, KEYS)


@pytest.mark.parametrize("wish", [{}, {"classic": True}, {"classic": True, "encrypted": False}, {"per_page": True}])
def test_the_light_check_passes_a_tail_and_stops_a_damaged_one(tmp_path: Path, wish: dict[str, bool]) -> None:
    one = ready(tmp_path, None, **wish)
    tail = one.tail()
    check_tail(one.master, tail)

    for position in range(0, len(tail.data), 5):
        data = tail.data[:position] + tail.data[position + 1 :]
        damaged = replace(tail, data=data, sha256=hashlib.sha256(data).hexdigest(), length=tail.length - 1)
        with pytest.raises(PdfRefused):
            check_tail(one.master, damaged)
    with pytest.raises(PdfRefused):
        check_tail(one.master, replace(tail, data=tail.data[:-1] + b"\r"))


def test_every_page_may_have_a_form_and_marks_of_its_own(tmp_path: Path) -> None:
    one = ready(tmp_path, per_page=True)
    marks = [b"0 0 1 rg 5 5 %d 3 re f\n" % (10 * number) for number in (1, 2)]
    tail = personalise(one.master, SPEC, KEYS, marks=marks)
    (tmp_path / "copy.pdf").write_bytes(one.path.read_bytes() + tail.data)

    pdf = pikepdf.open(tmp_path / "copy.pdf")
    painted = [page.Resources.XObject["/RlS"].read_bytes() for page in list(pdf.pages)[1:]]
    assert [mark in content for mark, content in zip(marks, painted, strict=True)] == [True, True]
    assert verify(tmp_path / "copy.pdf", Expectation(3, SPEC.delivery, "Niamh Okonkwo", True)).good


def test_marks_need_a_master_with_a_form_for_every_page(one: Ready) -> None:
    with pytest.raises(PdfRefused) as refused:
        personalise(one.master, SPEC, KEYS, marks=[b""] * 2)

    assert refused.value.code == "unsupported"


def test_labels_links_and_outlines_lead_to_the_same_pages(tmp_path: Path) -> None:
    pdf = document(*(text_at(72, 700, f"Page {number}") for number in range(1, 5)))
    pdf.Root.PageLabels = Dictionary(Nums=Array([0, Dictionary(S=Name.D, St=211)]))
    pdf.Root.Lang = pikepdf.String("en-GB")
    with pdf.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem("Third", 2))
    copy = pikepdf.open(io.BytesIO(ready(tmp_path, pdf).copy()))

    with copy.open_outline() as outline:
        target = outline.root[0].destination
        assert isinstance(target, pikepdf.Array)
        assert target[0].objgen == copy.pages[3].obj.objgen
    assert [page.label for page in copy.pages] == ["cover", "211", "212", "213", "214"]
    assert str(copy.Root.Lang) == "en-GB"


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_the_other_engine_refuses_is_refused_with_the_same_code(tmp_path: Path, name: str) -> None:
    make, codes = REFUSED[name]
    (tmp_path / "bad.pdf").write_bytes(make())

    with pytest.raises(PdfRefused) as refused:
        prepare(tmp_path / "bad.pdf", tmp_path / "master", KEYS, Wish())

    assert refused.value.code in codes
    assert [path.name for path in tmp_path.iterdir()] == ["bad.pdf"]


def test_a_master_of_another_length_is_not_served(one: Ready, tmp_path: Path) -> None:
    tail = one.tail()
    one.path.write_bytes(one.path.read_bytes() + b"x")

    with pytest.raises(OSError, match="another length"):
        assemble(one.path, one.master.base_len, tail.data, tmp_path / "copy.pdf")


def test_a_plain_copy_is_not_made_of_an_encrypted_master(one: Ready) -> None:
    wanted: CopySpec = replace(SPEC, permissions=replace(SPEC.permissions, encrypt=False))

    with pytest.raises(PdfRefused) as refused:
        personalise(one.master, wanted, KEYS)

    assert refused.value.code == "unsupported"


def test_the_source_of_a_master_keeps_its_active_content_to_itself(tmp_path: Path) -> None:
    pdf = plain()
    pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
    one = ready(tmp_path, pdf)

    assert one.master.removed == ("OpenAction",)
    assert "/OpenAction" not in pikepdf.open(io.BytesIO(one.copy())).Root
    assert saved(plain())[:5] == b"%PDF-"
