"""Identifiers, citations, OpenURLs and file names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.citation import same_work
from delivery.filenames import content_disposition, download_name
from delivery.identifiers import doi, isbn, issn, pmid
from delivery.openurl import parse_openurl, to_openurl
from tests.corpus import corpus_files
from tests.world import citation


@pytest.mark.parametrize(
    ("typed", "bare"),
    [
        ("10.1000/XYZ.123", "10.1000/xyz.123"),
        ("doi:10.1000/xyz", "10.1000/xyz"),
        ("DOI: 10.1000/xyz.", "10.1000/xyz"),
        ("https://dx.doi.org/10.1000/xyz", "10.1000/xyz"),
        ("doi.org/10.1000/xyz", "10.1000/xyz"),
        ("https://doi-org.proxy.example.edu/10.1000/xyz?x=1", "10.1000/xyz"),
        ("https://doi.org/10.1000%2Fxyz", "10.1000/xyz"),
        ("(10.1016/S0140-6736(20)30183-5)", "10.1016/s0140-6736(20)30183-5"),
        ("<10.1000/xyz>", "10.1000/xyz"),
        ("１０.１０００/ｘｙｚ", "10.1000/xyz"),
        ("10.1000/xyz/L80", "10.1000/xyz/l80"),
        (
            "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fdoi.org%2F10.1000%2Fxyz&data=x",
            "10.1000/xyz",
        ),
        ("no doi here", ""),
    ],
)
def test_dois_are_recognised_in_every_common_spelling_r2(typed: str, bare: str) -> None:
    assert doi(typed) == bare


def test_check_digits_are_checked() -> None:
    assert (issn("0378 5955"), issn("0378-5954")) == ("0378-5955", "")
    assert (isbn("0-306-40615-2"), isbn("9780306406158")) == ("9780306406157", "")
    assert (pmid("PMID: 0123"), pmid("abc")) == ("123", "")


def test_different_dois_are_never_the_same_work() -> None:
    one = citation(doi="10.1000/a", title="Same title", year="2020")

    assert not same_work(one, citation(doi="10.1000/b", title="Same title", year="2020"))
    assert same_work(one, citation(title="SAME  title!", year="2020"))


@given(st.text(max_size=400))
def test_any_text_is_read_as_an_openurl_without_an_error(text: str) -> None:
    assert isinstance(parse_openurl(text).problems, tuple)


def test_an_openurl_survives_the_way_out_and_in() -> None:
    there = citation(
        title="潮汐 & tides",
        container="J. Est.",
        year="2020",
        volume="3",
        pages="1-9",
        doi="10.1000/a",
        genre="article",
    )

    assert parse_openurl(to_openurl(there, "https://x.example/openurl")).citation == there


def test_openurl_0_1_gbk_and_double_encoding_are_read() -> None:
    gbk = "genre=article&atitle=" + "".join(f"%{byte:02X}" for byte in "水文研究".encode("gbk")) + "&date=2020"
    twice = "rft.atitle=River%2520beds&rft.date=2019&rft_id=info:doi/10.1000/a"

    assert parse_openurl(gbk).citation.title == "水文研究"
    assert parse_openurl(twice).citation.title == "River beds"
    assert parse_openurl(twice).citation.doi == "10.1000/a"


def test_a_chinese_file_name_arrives_whole_p9() -> None:
    name = download_name(citation(title="长江/中游\u202e湖泊", year="2020"), "RL-2345-6789")

    header = content_disposition(name)
    assert name == "长江 中游 湖泊 RL-2345-6789.pdf"
    assert header.startswith("attachment; filename=\"RL-2345-6789.pdf\"; filename*=UTF-8''%E9%95%BF")


@given(st.text(max_size=100))
def test_no_name_breaks_the_header(text: str) -> None:
    assert content_disposition(text + ".pdf").isascii()
    assert "\n" not in content_disposition(text)


def test_every_openurl_of_the_corpus_is_read() -> None:
    lines = [
        line for path in corpus_files("openurl/*.tsv") for line in path.read_text(encoding="utf-8").splitlines()[1:]
    ]

    assert all(isinstance(parse_openurl(line).problems, tuple) for line in lines)
