"""Names: what stands on the copy is what is read back from it."""

from __future__ import annotations

import io
import unicodedata

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drm.pdf.names import LONGEST, display_name, normalise_name
from tests.drm.pdf_drawing.samples import document, spec, stamped, texts

DELIVERY = "RL-7Q4M-2K9D"
FALLBACK = f"[reader] {DELIVERY}"

DRAWN = (
    """
Niamh Okonkwo|O'Brien|Anne-Marie Müller|José Ángel Núñez|Søren Kierkegård|Łukasz Żółć|Šárka Dvořáková|Čapek|Ğülşen Öz
Nguyễn Thị Ngọc Ễ|Đặng Hữu Phước|Trần Đại Quang|Ștefan Țurcanu|Jónsdóttir Þóra|Ærø Ålesund|Ķēniņš Ģirts|Žydrūnė Šimkutė
Ħal Ġorġ|Ọláńrewájú Adé|Ọ̀ṣun|Ẹ̀kọ́|Ŵyn Ŷstwyth|Bjørn Ødegård|Guðrún|Iñigo Peña|Açaí Conceição
Zoë Brontë|ẞtraße|Straße Groß
Αλέξανδρος Παπαδόπουλος|Ἀριστοτέλης|Ωραία Ελένη|Γιάννης Ρίτσος|Όλγα Ώρα|ᾳδω ᾷ
Лев Толстой|Ёлка Щёголева|Ірина Їжакевич|Ґалаґан|Љубица Њего|Ђорђе Ћосић|Қазақ Әуезов|Өмүрбек|Ҷумъа|Ў Ѓ Ќ
王小明|張偉|林若溪|欧阳修|司马相如|张𠮷伟|𠮷野家|𡈽屋|龘龘|髙橋|﨑山|玛丽·居里|诸葛 亮|黃曉明|李雷2|王小明（访客）|邱𤫊
山田太郎|やまだ たろう|ヤマダ タロウ|ﾔﾏﾀﾞ ﾀﾛｳ|髙島屋ゞ|佐々木|ガギグゲゴ
김철수|박지성|이영희|뷁쀍|남궁 민|홍길동 박사
Henry 8|Reader 42|01234 56789|A|é|王|Li (visitor)|Back\\slash|(((|)))|<b>bold</b>|%PDF|q Q BT ET
/Name|]TJ|\\) Tj ET|&amp;|"quoted"
Jean–Luc|X Æ A-12|St. John-Smythe, Jr.|D'Angelo|van 't Hoff|de la Cruz y Ortega|ﬁona ﬂint|Åsa|ǅ ǈ
İstanbul ı|ŉ ſ|ŻŻ|№ 5|½ x|€uro
ＡＢＣ　全角|Kim 金 Ким Κιμ|Ａnna|Tōkyō Ūji|Pīṇa Ṛṣi Ḥasan|Ḫalīl ʿAbd|Māori Tūī|ʻOkina|Hawaiʻi|x̂ŷ|q̃ Ạ̈
Mr. / Mrs.|a·b·c|l·l
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

FALLEN = [
    *("", " ", "\u200b\u200d", "\x00\x01\x1f", "\ue000", "\ud800", "\u3164", "محمد علي", "משה כהן", "Anna 😀", "नरेन्द्र"),
    *(
        "ไทย",
        "ქართული",
        "\u0301",
        "RL-9Z9Z-9Z9Z",
        "rl 9z9z 9z9z",
        "ＲＬ－１１１１－２２２２",
        "Anna RL–1234–5678",
        "ᄒᆞᆫ",
    ),
    *("[reader] RL-0000-0001", "[ Reader ]", "Bob · RL-1234-ABCD · 2026", "ΡL-1234-5678", "\U0001d7d9L-1234-5678"),
]


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawable_name_reads_back_exactly_from_the_page_in_two_libraries(name: str) -> None:
    wanted = normalise_name(name)

    data, report = stamped(document(), spec(reader=name))

    assert (report.shown_name, report.name_fallback) == (wanted, False)
    for page, second in zip(texts(data), pypdf.PdfReader(io.BytesIO(data)).pages, strict=True):
        assert wanted in page
        assert wanted in " ".join(second.extract_text().split())


@pytest.mark.parametrize("name", FALLEN)
def test_a_name_that_cannot_stand_is_replaced_by_the_visible_fallback(name: str) -> None:
    data, report = stamped(document(), spec(reader=name))

    assert (report.shown_name, report.name_fallback) == (FALLBACK, True)
    assert all(FALLBACK in page for page in texts(data))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  Anna \t Schmidt\r\n", "Anna Schmidt"),
        ("Jose\u0301", "José"),
        ("A\u202enna\u202c\u200b\ufeff", "Anna"),
        ("葛\U000e0100城", "葛城"),
        ("한국", "한국"),
        ("e\u200d\u0301", "é"),
        ("王\u3000小明", "王 小明"),
        ("x" * 70, "x" * 64),
        ("x" * 63 + " y", "x" * 63),
        ("x" * 63 + "q\u0303", "x" * 63),
    ],
)
def test_a_name_is_normalised(text: str, clean: str) -> None:
    assert normalise_name(text) == clean


@given(st.text(max_size=90))
@settings(max_examples=200, deadline=None)
def test_a_normalised_name_is_short_visible_and_stays_as_it_is(text: str) -> None:
    name = normalise_name(text)

    assert len(name) <= LONGEST
    assert name == normalise_name(name) == unicodedata.normalize("NFC", name)
    assert not {unicodedata.category(character) for character in name} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_ordinary_digits_and_words_do_not_pass_for_a_delivery_number() -> None:
    for name in ("Li 2024", "Jo Anne Mary", "Henry 8", "Class of 1999", "李雷2"):
        assert display_name(name, DELIVERY) == (name, False)


def test_the_shape_to_guard_against_is_that_of_the_own_number() -> None:
    assert display_name("D100234", "D-100001")[1]
    assert not display_name("D100234", DELIVERY)[1]


@pytest.mark.parametrize("name", ["Tomasz Zolkiewski", "Zolkiewski", "Maeve Byrne", "Anna Vandenberg"])
@pytest.mark.parametrize("delivery", ["RL-KXWB-HPSJ", "RL-7XWB-HPSJ", "RL-7F3K-9Q22"])
def test_an_ordinary_name_keeps_its_place_whatever_the_number_is(name: str, delivery: str) -> None:
    assert display_name(name, delivery) == (name, False)


def test_a_number_without_digits_is_imitated_by_its_like() -> None:
    assert display_name("Rl Kxwb Hpsj", "RL-QWER-TZUP")[1]
