"""Every byte of master and tail has its place: what the master leaves free the tail supplies, and nothing else."""

from __future__ import annotations

import re
import zlib
from itertools import groupby
from pathlib import Path

import pikepdf
import pytest

from drm.pdf.tail.crypt import quoted
from drm.pdf.tail.index import Index, master_stream, read_index
from tests.drm.pdf.tail.masters import Ready, ready
from tests.drm.pdf_drawing.samples import A4, document, text_at

OBJECT = re.compile(rb"^(\d+) 0 obj\n", re.M)
VARIANTS = [{}, {"classic": True}, {"classic": True, "encrypted": False}]


def _two_sizes() -> pikepdf.Pdf:
    pdf = document(text_at(72, 700, "Upright"))
    wide = document(text_at(72, 300, "Wide"), size=(A4[1], A4[0]))
    pdf.pages.append(wide.pages[0])
    return pdf


DOCUMENTS = {
    "one page": lambda: document(text_at(72, 700, "One")),
    "two sizes": _two_sizes,
}


@pytest.fixture(params=[(name, number) for name in DOCUMENTS for number in range(3)], ids=str)
def one(request: pytest.FixtureRequest, tmp_path: Path) -> Ready:
    name, number = request.param
    return ready(tmp_path, DOCUMENTS[name](), **VARIANTS[number])


def owned(one: Ready) -> set[int]:
    master = one.master
    numbers = {master.root, master.info, master.metadata, master.resources, *master.cover}
    return numbers | {form.number for form in master.forms} | ({master.encrypt} if master.encrypted else set())


def free_in(one: Ready) -> set[int]:
    """The numbers above zero that the master's index calls free, read independently of the code that wrote it."""
    data = one.path.read_bytes()[one.master.prev :]
    if one.master.layout == "classic":
        rows = data.split(b"\n", 2)[2].split(b"trailer")[0].splitlines()
        return {number for number, row in enumerate(rows) if row.rstrip().endswith(b"f") and number}
    packed = zlib.decompress(data.split(b"stream\n", 1)[1])
    row, found = bytes(7), set()
    for number, start in enumerate(range(0, len(packed), 8)):
        row = bytes((above + more) & 255 for above, more in zip(row, packed[start + 1 : start + 8], strict=True))
        if row[0] == 0 and number:
            found.add(number)
    return found


def test_the_master_leaves_free_exactly_what_the_tail_supplies(one: Ready) -> None:
    written = {int(number) for number in OBJECT.findall(one.tail().data)}

    assert owned(one) <= written
    assert free_in(one) == owned(one)
    assert all(number >= one.master.size for number in written - owned(one))


def test_the_master_opens_nothing_by_itself(one: Ready) -> None:
    data = one.path.read_bytes()
    end = data[one.master.prev :]

    assert len(data) == one.master.base_len
    assert not any(word in end for word in (b"startxref", b"%%EOF", b"/Encrypt", b"/Info"))
    assert b"/Root %d 0 R" % one.master.root in end


def test_the_index_of_the_tail_is_the_one_its_objects_call_for(one: Ready) -> None:
    tail, master = one.tail().data, one.master
    places = {int(found[1]): master.base_len + found.start() for found in OBJECT.finditer(tail)}
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n\Z", tail)[1])  # type: ignore[index]  # every tail ends so

    index = tail[start - master.base_len :]
    assert b"/Prev %d/ID[%s(" % (master.prev, quoted(master.first_id)) in index
    assert b"/Size %d" % max(master.size, max(places) + 1) in index
    if master.layout == "classic":
        assert index.startswith(b"xref\n" + table(places) + b"trailer\n")
    else:
        width = 2 if max(places.values()) < 1 << 16 else 4
        assert b"/W[0 %d 0]" % width in index
        rows = b"".join(places[number].to_bytes(width, "big") for number in sorted(places))
        assert b"/Length %d>>stream\n%s\nendstream" % (len(rows), rows) in index
        assert places[master.size] == start


def table(places: dict[int, int]) -> bytes:
    lines = []
    for _, run in groupby(enumerate(sorted(places)), key=lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        lines.append(b"%d %d\n" % (numbers[0], len(numbers)))
        lines += [b"%010d 00000 n \n" % places[number] for number in numbers]
    return b"".join(lines)


def test_an_index_that_is_read_again_is_the_one_that_was_written(tmp_path: Path) -> None:
    entries = [(0, 0, 65535), (1, 15, 0), (2, 1, 3), (1, 2**31 + 7, 0), (0, 0, 0)]
    written = master_stream(Index(99, entries, 4), [None, 15, None, 2**31 + 7, None], 40, {3}, 1)
    (tmp_path / "file").write_bytes(b"%" * 40 + written + b"startxref\n40\n%%EOF\n")

    with (tmp_path / "file").open("rb") as file:
        again = read_index(file, (tmp_path / "file").stat().st_size)

    assert again.entries == [(0, 0, 65535), (1, 15, 0), (2, 1, 3), (0, 0, 0), (1, 40, 0)]
    assert again.own == 4
