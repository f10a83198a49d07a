"""A page tree that contradicts itself is refused: readers would disagree about which pages there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from drm.pdf.tail.prepare import Wish, prepare
from drm.pdf.values import PdfRefused
from tests.drm.pdf.tail.masters import KEYS
from tests.drm.pdf_drawing.samples import SPEC, document, saved


@pytest.mark.parametrize("count", [1, 7, 0, -1])
def test_a_wrong_count_in_the_page_tree_is_damage(tmp_path: Path, count: int) -> None:
    data = saved(document(b"", b"", b""))
    assert b"/Count 3" in data
    (tmp_path / "source.pdf").write_bytes(data.replace(b"/Count 3", b"/Count %d" % count))

    with pytest.raises(PdfRefused) as refused:
        prepare(tmp_path / "source.pdf", tmp_path / "master", KEYS, Wish(SPEC))

    assert refused.value.code == "damaged"
    assert [path.name for path in tmp_path.iterdir()] == ["source.pdf"]
