"""Three hundred nasty names: each stands on the copy as it was normalised, or gives way to the fallback, in both engines."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable
from dataclasses import replace

import pikepdf
import pypdf
import pytest

from drm.pdf.names import folded, normalise_name
from tests.drm.pdf.tail.masters import Ready, ready
from tests.drm.pdf_drawing.samples import SPEC, document, spec, stamped, texts

FALLBACK = f"[reader] {SPEC.delivery}"
EACH = 20
Chance = random.Random


def mixed(chance: Chance, alphabet: str, least: int = 2, most: int = 12) -> str:
    return "".join(chance.choices(alphabet, k=chance.randint(least, most)))


def span(first: int, last: int) -> str:
    return "".join(map(chr, range(first, last)))


def between(chance: Chance, signs: str) -> str:
    return "".join(letter + chance.choice(signs) for letter in mixed(chance, "Annaliese王小明"))


def number(chance: Chance) -> str:
    return f"RL-{mixed(chance, 'ABC234567', 4, 4)}-{mixed(chance, '0123456789', 4, 4)}"


def disguised(chance: Chance) -> str:
    """Another's number in full-width signs, with other separators, accents, or letters of other alphabets."""
    ways: list[Callable[[str], str]] = [
        lambda text: "".join(chr(ord(one) + 0xFEE0) for one in text),
        lambda text: text.replace("-", chance.choice("–—·.一ー ")),
        lambda text: text.replace("R", "R\u0301").replace("A", "\u0410").replace("B", "\u0412"),
        " ".join,
        lambda text: text.lower(),
        lambda text: "".join(chr(0x1D7CE + int(one)) if one.isdigit() else one for one in text),
        lambda text: f"Anna {text} Lee",
        lambda text: text.replace("-", "\u200b-\u2060"),
    ]
    return chance.choice(ways)(number(chance))


KINDS: dict[str, Callable[[Chance], str]] = {
    "bidirectional controls": lambda chance: between(chance, "\u202a\u202b\u202d\u202e\u2066\u2067\u2069\u200f"),
    "zero width": lambda chance: between(chance, "\u200b\u200c\u200d\u2060\ufeff\u00ad"),
    "combining": lambda chance: between(chance, "\u0301\u0308\u0323\u030c\u0327\u0489"),
    "controls": lambda chance: between(chance, "\x00\x01\x1b\x7f\x85"),
    "surrogates": lambda chance: between(chance, "\ud800\udfff\udc00\ue000\uffff"),
    "too long": lambda chance: mixed(chance, "abcdefgh Ñö王", 200, 200),
    "emoji": lambda chance: "Anna " + mixed(chance, span(0x1F600, 0x1F640), 1, 3),
    "rare Han": lambda chance: "𠮷" + mixed(chance, span(0x9E00, 0x9FA0) + span(0x20000, 0x20400)),
    "Kana and Hangul": lambda chance: mixed(chance, span(0x3041, 0x3097) + span(0x30A1, 0x30FB) + span(0xAC00, 0xB000)),
    "right to left": lambda chance: mixed(chance, span(0x05D0, 0x05EB)) + " " + mixed(chance, span(0x0621, 0x063B)),
    "syntax": lambda chance: mixed(chance, "()\\<>[]{}/%Tj'\"") + "x",
    "line breaks": lambda chance: between(chance, "\r\n\t\v\f\u2028\u2029\u3000"),
    "numbers": disguised,
    "footers": lambda chance: f"{mixed(chance, 'Anders')} · {chance.choice(['Marram Library', number(chance)])}",
    "digits of all scripts": lambda chance: (
        "RL-" + mixed(chance, "0٠१๒５𝟗①⁷₃", 4, 4) + "-" + mixed(chance, "٣४５𝟗⑥⁷1", 4, 4)
    ),
}


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return ready(tmp_path_factory.mktemp("nasty"), document(b""))


def names(kind: str) -> list[str]:
    chance = Chance(kind)
    return [KINDS[kind](chance) for _ in range(EACH)]


def readings(data: bytes) -> list[list[str]]:
    """The text of each page without blanks, by two libraries."""
    second = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]
    return [["".join(page.split()) for page in pages] for pages in (texts(data), second)]


def test_there_are_three_hundred() -> None:
    assert sum(len(set(names(kind))) for kind in KINDS) >= 290


@pytest.mark.parametrize("kind", KINDS)
def test_what_two_libraries_read_is_the_normalised_name_or_its_fallback(one: Ready, kind: str) -> None:
    for name in names(kind):
        tail = one.tail(replace(SPEC, reader=name))
        data = one.path.read_bytes() + tail.data

        assert tail.shown_name == (FALLBACK if tail.name_fallback else normalise_name(name))
        wanted = "".join(tail.shown_name.split())
        assert all(wanted in page and SPEC.delivery in page for pages in readings(data) for page in pages), name
        with pikepdf.open(io.BytesIO(data)) as pdf:
            assert [pikepdf.parse_content_stream(page) != [] for page in pdf.pages] == [True] * 2


@pytest.mark.parametrize("kind", ["bidirectional controls", "zero width", "controls", "surrogates"])
def test_a_name_stands_as_its_visible_letters_whatever_lies_between_them(one: Ready, kind: str) -> None:
    for name in names(kind):
        shown = one.tail(replace(SPEC, reader=name)).shown_name

        assert shown.replace(" ", "") == re.sub("[^Aanelis王小明]", "", name)


@pytest.mark.parametrize("kind", KINDS)
def test_both_engines_show_the_same_name(one: Ready, kind: str) -> None:
    for name in names(kind)[:5]:
        data, report = stamped(document(b""), spec(reader=name))

        assert report.shown_name == one.tail(replace(SPEC, reader=name)).shown_name
        wanted = "".join(report.shown_name.split())
        assert all(wanted in page for pages in readings(data) for page in pages)


@pytest.mark.parametrize("kind", ["numbers", "digits of all scripts", "footers", "right to left", "emoji"])
def test_names_that_could_mislead_or_cannot_be_drawn_give_way(one: Ready, kind: str) -> None:
    shown = [one.tail(replace(SPEC, reader=name)).shown_name for name in names(kind)]

    assert shown == [FALLBACK] * EACH


@pytest.mark.parametrize("kind", KINDS)
def test_no_number_but_the_copys_own_can_be_read_from_any_page(one: Ready, kind: str) -> None:
    for name in names(kind):
        for page in texts(one.copy(replace(SPEC, reader=name))):
            found = re.findall(r"RL\W?[A-Z0-9]{4}\W?[A-Z0-9]{4}", folded(page))

            assert set(found) == {SPEC.delivery}, name
