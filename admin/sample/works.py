"""The invented works of the sample collection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """One invented work; ``shape`` picks the layout: article, scan, turned, book."""

    file: str
    part: str
    title: str
    authors: str
    container: str
    issn: str
    year: str
    volume: str
    issue: str
    pages: str
    doi: str
    topic: str
    shape: str = "article"
    language: str = "en"
    isbn: str = ""
    genre: str = "article"
    count: int = 6
    publisher: str = "Lantern Press"


def _lantern(
    number: int, title: str, authors: str, journal: int, year: str, pages: str, topic: str, **more: object
) -> Work:
    names = {
        1: ("Journal of Estuarine Hydrology", "2999-0017"),
        2: ("Annals of Library History", "2999-0025"),
        3: ("Phonology Letters", "2999-0033"),
    }
    container, issn = names[journal]
    first, last = (int(page) for page in pages.split("-"))
    given: dict[str, object] = {
        "file": f"lantern/lantern-{number:02}.pdf",
        "part": "lantern",
        "title": title,
        "authors": authors,
        "container": container,
        "issn": issn,
        "year": year,
        "volume": str(int(year) - 2003),
        "issue": str(1 + number % 4),
        "pages": pages,
        "doi": f"10.5555/lantern.{year}.{number:04}",
        "topic": topic,
        "count": last - first + 1,
    }
    return Work(**{**given, **more})  # type: ignore[arg-type]  # the tables hold exactly Work's fields


WORKS: tuple[Work, ...] = (
    _lantern(
        1,
        "Tidal asymmetry and sediment memory in a drowned river mouth",
        "Byrne, O.; Castellan, R.",
        1,
        "2021",
        "211-218",
        "water",
    ),
    _lantern(
        2,
        "Salt wedges under calm skies: eleven years of moored observations",
        "Okafor, N.; Lindqvist, H.",
        1,
        "2022",
        "14-21",
        "water",
    ),
    _lantern(3, "What the lending ledgers of a harbour town remember", "Ferrante, G.", 2, "2019", "88-97", "library"),
    _lantern(
        4, "Card catalogues as machines for disagreement", "Whitlock, P.; Sørensen, A.", 2, "2020", "3-12", "library"
    ),
    _lantern(5, "Vowel length without minimal pairs", "Mac Giolla, C.", 3, "2023", "45-51", "sound"),
    _lantern(
        6, "Whispered tone and the limits of perception", "Nguyễn, T. H.; Arroyo, B.", 3, "2022", "120-127", "sound"
    ),
    _lantern(
        7, "An early survey of the northern mudflats (facsimile)", "Anonymous", 1, "2008", "1-4", "water", shape="scan"
    ),
    _lantern(
        8, "Wide tables of monthly discharge, 1951-2000", "Petrov, D.", 1, "2011", "301-304", "water", shape="turned"
    ),
    _lantern(9, "Reading rooms and the price of coal", "Hallström, E.; Quigley, M.", 2, "2018", "140-148", "library"),
    _lantern(10, "Stress shift in borrowed place names", "Delacroix, J.", 3, "2021", "9-15", "sound"),
    Work(
        "lantern/handbook.pdf",
        "lantern",
        "A Handbook of Small Rivers",
        "Castellan, R. (ed.)",
        "",
        "",
        "2017",
        "",
        "",
        "",
        "10.5555/lantern.book.1",
        "water",
        "book",
        "en",
        "9789990000009",
        "whole_work",
        60,
    ),
    Work(
        "yangtze/yangtze-01.pdf",
        "yangtze",
        "长江中游湖泊水位变化的长期观测",
        "李明；周岚",
        "水文学研究",
        "2999-0041",
        "2022",
        "18",
        "3",
        "21-27",
        "10.5555/yangtze.2022.0301",
        "水",
        "article",
        "zh",
        "",
        "article",
        7,
        "长河学术出版社",
    ),
    Work(
        "yangtze/yangtze-02.pdf",
        "yangtze",
        "地方志中的借阅记录：一座县城图书馆的三十年",
        "陈书语",
        "图书馆史论丛",
        "2999-005X",
        "2021",
        "9",
        "1",
        "55-62",
        "10.5555/yangtze.2021.0105",
        "书",
        "article",
        "zh",
        "",
        "article",
        8,
        "长河学术出版社",
    ),
)
