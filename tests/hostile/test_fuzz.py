"""Changed files, made-up content and made-up tails: an outcome or a code, never anything else. `make soak` runs the same for an hour."""

from __future__ import annotations

import io
import random
from dataclasses import replace

import pikepdf
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drm.pdf.content import Balance, balance
from drm.pdf.tail.crypt import encrypt_cbc, padded
from drm.pdf.tail.light import check_tail
from drm.pdf.tail.writing import TailWriter, clear, sealing
from drm.pdf.values import PdfRefused
from tests.drm.pdf.active import plain
from tests.drm.pdf.tail.masters import Ready, ready
from tests.drm.pdf_drawing.samples import SPEC
from tests.hostile.fuzz import SEEDS, faults_of
from tests.hostile.judging import ENGINES
from tests.hostile.mutating import mutated, sources

pytestmark = pytest.mark.filterwarnings("ignore")
WORDS = st.sampled_from(
    [
        *(
            b"q",
            b"Q",
            b"BT",
            b"ET",
            b"BMC",
            b"BDC",
            b"EMC",
            b"(",
            b")",
            b"[",
            b"]",
            b"<<",
            b">>",
            b"<",
            b">",
            b"\\",
            b"%",
        ),
        *(
            b"\n",
            b" ",
            b"/q",
            b"(q)",
            b"<41>",
            b"BI",
            b"ID",
            b"EI",
            b"/W 2",
            b"/H 2",
            b"/BPC 8",
            b"/CS /G",
            b"{",
            b"}",
            b"\0",
        ),
    ]
)
HEAD = b"%PDF-1.7\n%" + b" " * 4_000 + b"\n"
"""As long as a master of 500 objects at least: qpdf passes over numbers that a file is too short to hold."""

CONTENT = st.lists(st.one_of(WORDS, st.binary(max_size=4)), max_size=40).map(b" ".join)


@pytest.mark.parametrize("seed", range(3))
def test_changed_files_are_delivered_whole_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    bases = sources()
    changed = [mutated(chance, chance.choice(bases)) for _ in range(12)]

    found = {number: faults_of(data, chance.choice(list(ENGINES)))[1] for number, data in enumerate(changed)}

    assert {number: wrong for number, wrong in found.items() if wrong} == {}


def test_what_broke_something_once_is_delivered_whole_or_refused() -> None:
    found = {
        path.name: faults_of(path.read_bytes(), engine)[1] for path in sorted(SEEDS.glob("*.pdf")) for engine in ENGINES
    }

    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_equal_seeds_change_files_equally() -> None:
    assert mutated(random.Random(9), sources()[0]) == mutated(random.Random(9), sources()[0])


@given(CONTENT)
@example(b"(" * 60)
@example(b"BI ID EI " * 30)
def test_any_content_is_closed_by_what_its_balance_says(content: bytes) -> None:
    state = balance(content)
    if state.broken:
        return
    closing = (b" ET" if state.open_text else b"") + b" EMC" * state.open_marks + b" Q" * state.open_saves

    assert balance(b"q " * state.missing_saves + content + b"\n" + closing) == Balance()


@given(CONTENT)
@example(b"] q [")
@example(b"[ >>")
@example(b"<< ]")
@example(b"ID")
def test_content_that_is_not_broken_leaves_what_follows_to_be_read(content: bytes) -> None:
    if balance(content).broken:
        return

    assert _last_word(content + b"\n/RlS Do\n") == "Do"


def _last_word(content: bytes) -> str:
    """What the other library finds last at the top of this content; operators that are no text are left out first."""
    tokens: list[str] = []

    class Kept(pikepdf.TokenFilter):
        def handle_token(self, token: pikepdf.Token) -> None:
            if token.type_ in {pikepdf.TokenType.array_open, pikepdf.TokenType.dict_open}:
                tokens.append("[")
            elif token.type_ in {pikepdf.TokenType.array_close, pikepdf.TokenType.dict_close}:
                tokens[:] = tokens[: len(tokens) - 1 - tokens[::-1].index("[")] if "[" in tokens else tokens
            elif token.type_ == pikepdf.TokenType.word:
                tokens.append(token.raw_value.decode("latin-1"))

    with pikepdf.new() as pdf:
        page = pdf.add_blank_page()
        page.Contents = pdf.make_stream(content)
        page.get_filtered_contents(Kept())
    return "open" if "[" in tokens else tokens[-1] if tokens else ""


@given(
    st.lists(
        st.tuples(st.integers(1, 400), st.binary(max_size=200)), min_size=1, max_size=20, unique_by=lambda pair: pair[0]
    ),
    st.booleans(),
)
def test_any_objects_are_found_again_by_the_index_of_their_tail(bodies: list[tuple[int, bytes]], table: bool) -> None:
    writer = TailWriter(len(HEAD), 502, clear)
    for number, data in bodies:
        writer.stream(number, b"", data)
    root = writer.add(writer.number(), b"<</Type/Catalog/Pages 500 0 R>>")
    writer.add(500, b"<</Type/Pages/Kids[501 0 R]/Count 1>>")
    writer.add(501, b"<</Type/Page/Parent 500 0 R/MediaBox[0 0 99 99]/Resources<<>>>>")
    finish = writer.finish_table if table else writer.finish_stream
    file = io.BytesIO(HEAD + finish(b"/Root %d 0 R" % root))

    with pikepdf.open(file, attempt_recovery=False) as pdf:
        assert {number: pdf.get_object(number, 0).read_raw_bytes() for number, _ in bodies} == dict(bodies)


@given(st.binary(min_size=32, max_size=32), st.integers(1, 2**31), st.binary(max_size=300))
def test_a_sealed_stream_is_its_vector_and_whole_blocks(key: bytes, number: int, data: bytes) -> None:
    sealed = sealing(key, b"seed", b"bound")(number, data)

    assert sealed[16:] == encrypt_cbc(key, sealed[:16], padded(data))
    assert len(sealed) % 16 == 0
    assert sealed == sealing(key, b"seed", b"bound")(number, data)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return ready(tmp_path_factory.mktemp("fuzz"), plain())


LINES = st.text(max_size=120)


@given(
    reader=LINES,
    library=LINES,
    terms=st.lists(LINES, max_size=4),
    expires=LINES,
    check=st.sampled_from(["", "https://example.org/c/x"]),
)
def test_any_texts_make_a_sound_tail_or_a_refusal(
    one: Ready, reader: str, library: str, terms: list[str], expires: str, check: str
) -> None:
    spec = replace(SPEC, reader=reader, library=library, terms=tuple(terms), expires=expires, check_url=check)
    try:
        tail = one.tail(spec)
    except PdfRefused as refusal:
        assert refusal.code == "glyph-missing"  # noqa: PT017 - both ends are right
        return

    check_tail(one.master, tail)
