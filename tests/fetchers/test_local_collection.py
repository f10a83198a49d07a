"""A folder with a holdings file: the contract, files as people save them, and rows that lead out of the folder."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from delivery.sources import FetchFailed
from fetchers.local_collection import LocalCollection
from tests.fetchers.bad_server import PDF
from tests.fetchers.contract import FetcherContract, Subject
from tests.world import citation

HEADER = "file\ttitle\tauthors\tcontainer\tyear\tvolume\tpages\tdoi\trights\ttotal_pages\tlicence"
ROWS = [
    "one.pdf\tRiver beds\tByrne, O.\tJournal of Rivers\t2019\t4\t11-20\t10.5555/a.1\t\t10\t",
    "open.pdf\tOpen tides\tRoche, D.\tJournal of Rivers\t2020\t5\t1-9\t10.5555/a.2\topen_access\t9\tCC BY 4.0",
    "gone.pdf\tLost sands\tKeane, N.\tJournal of Rivers\t2021\t6\t3-4\t10.5555/a.3\t\t2\t",
    "page.pdf\tA web page\tDoyle, C.\tJournal of Rivers\t2022\t7\t5-6\t10.5555/a.4\t\t2\t",
]


def collection(folder: Path, text: str | None = None, encoding: str = "utf-8") -> LocalCollection:
    folder.mkdir(exist_ok=True)
    (folder / "one.pdf").write_bytes(PDF)
    (folder / "open.pdf").write_bytes(PDF + b"\n")
    (folder / "page.pdf").write_bytes(b"<!doctype html><p>Sign in</p>")
    (folder / "holdings.tsv").write_bytes((text or "\n".join([HEADER, *ROWS])).encode(encoding))
    return LocalCollection("collection", folder)


class TestContract(FetcherContract):
    """The promises of every fetcher."""

    @pytest.fixture
    def subject(self, tmp_path_factory: pytest.TempPathFactory) -> Subject:
        """One held file, one that is missing, one that is a web page, and a work that nobody has."""
        lacking = tuple(citation(doi=doi) for doi in ("10.5555/a.3", "10.5555/a.4", "10.5555/none"))
        return Subject(collection(tmp_path_factory.mktemp("c")), citation(doi="10.5555/a.1"), lacking)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_holdings_file_is_read_however_it_was_saved(tmp_path: Path, encoding: str, ending: str) -> None:
    row = "one.pdf\t河口泥沙\t李济\t水文学报\t2019\t4\t11-20\t10.5555/a.1\t\t10\t"

    found = collection(tmp_path, ending.join([HEADER, row]), encoding).find(citation(title="河口泥沙", year="2019"))

    assert found is not None
    assert found.citation is not None
    assert found.citation.authors == "李济"


def test_an_open_item_says_so_with_its_licence(tmp_path: Path) -> None:
    source = collection(tmp_path / "c")
    wanted = citation(doi="10.5555/a.2")

    candidate = source.find(wanted)
    fetched = source.fetch(wanted, tmp_path / "f.pdf", time.monotonic() + 5)

    assert candidate is not None
    assert candidate.open_access
    assert (fetched.open_access, fetched.licence) == (True, "CC BY 4.0")


@pytest.mark.parametrize(
    "file", ["../secret.pdf", "/etc/passwd", "a/../../secret.pdf", "..\\secret.pdf", "\\\\host\\x.pdf", ""]
)
def test_a_row_that_leads_out_of_the_folder_is_left_out_and_named(tmp_path: Path, file: str) -> None:
    (tmp_path / "secret.pdf").write_bytes(PDF)
    row = f"{file}\tRiver beds\t\t\t2019\t4\t11-20\t10.5555/a.1\t\t10\t"

    source = collection(tmp_path / "c", "\n".join([HEADER, row, ROWS[1]]))

    assert source.find(citation(doi="10.5555/a.1")) is None
    assert source.find(citation(doi="10.5555/a.2")) is not None
    assert source.holdings().problems[0].startswith("row 2:")


def test_a_link_that_leads_out_of_the_folder_is_not_served(tmp_path: Path) -> None:
    source = collection(tmp_path / "c")
    (tmp_path / "secret.pdf").write_bytes(PDF)
    (tmp_path / "c" / "one.pdf").unlink()
    (tmp_path / "c" / "one.pdf").symlink_to(tmp_path / "secret.pdf")

    with pytest.raises(FetchFailed) as failed:
        source.fetch(citation(doi="10.5555/a.1"), tmp_path / "f.pdf", time.monotonic() + 5)

    assert failed.value.code == "file-missing"


@pytest.mark.parametrize(
    "row",
    [
        "one.pdf\tRiver beds\t\t\t20x9\t4\t11-20\t10.5555/a.1\t\t10\t",
        "one.pdf\tRiver beds\t\t\t2019\t4\t11-20\tno doi\t\t10\t",
        "one.pdf\tRiver beds\t\t\t2019\t4\t11-20\t10.5555/a.1\t\tmany\t",
    ],
)
def test_a_damaged_row_is_named_and_the_others_stay(tmp_path: Path, row: str) -> None:
    holdings = collection(tmp_path, "\n".join([HEADER, row, ROWS[1]])).holdings()

    assert len(holdings.items) == 1
    assert len(holdings.problems) == 1


def test_a_file_without_its_columns_holds_nothing_and_says_why(tmp_path: Path) -> None:
    holdings = collection(tmp_path, "title,author\nRiver beds,Byrne\n").holdings()

    assert holdings.items == ()
    assert "file" in holdings.problems[0]


def test_without_a_holdings_file_the_source_fails_and_may_be_tried_again(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed) as failed:
        LocalCollection("c", tmp_path).find(citation(doi="10.5555/a.1"))

    assert (failed.value.code, failed.value.permanent) == ("damaged-holdings", False)


def test_a_changed_holdings_file_is_read_anew(tmp_path: Path) -> None:
    source = collection(tmp_path)
    assert source.find(citation(doi="10.5555/new")) is None

    added = ROWS[0].replace("10.5555/a.1", "10.5555/new")
    (tmp_path / "holdings.tsv").write_text("\n".join([HEADER, *ROWS, added]), encoding="utf-8")

    assert source.find(citation(doi="10.5555/new")) is not None


def test_a_work_whose_title_fits_and_whose_year_does_not_is_another_work(tmp_path: Path) -> None:
    assert collection(tmp_path).find(citation(title="River beds", year="1985")) is None
