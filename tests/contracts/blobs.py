"""What every blob store promises, whatever keeps the files."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from delivery.errors import Unavailable
from storage.blobs.local import LocalBlobs
from storage.blobs.s3 import S3Blobs

Store = LocalBlobs | S3Blobs
BAD_NAMES = [
    "",
    "/etc/passwd",
    "../up.pdf",
    "a/../b.pdf",
    "A.PDF",
    "a//b",
    "a/b/c/d/e",
    "work.tmp/x",
    "x\0y",
    "a b",
    ".a",
]


class BlobContract:
    """Inherited by the test of each store, which gives a fixture ``blobs``."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "file.pdf"
        path.write_bytes(os.urandom(700_001))
        return path

    def test_what_was_stored_comes_back_with_its_digest_and_length(self, blobs: Store, file: Path) -> None:
        data = file.read_bytes()

        blob = blobs.put("copies/one.pdf", file)

        assert (blob.bytes, blob.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert b"".join(blobs.open("copies/one.pdf")) == data
        with blobs.local("copies/one.pdf") as path:
            assert path.read_bytes() == data

    @pytest.mark.parametrize(("start", "length"), [(0, 1), (5, 300_000), (699_000, 1_001), (700_000, None), (9, 0)])
    def test_a_part_is_just_that_part_in_small_pieces(
        self, blobs: Store, file: Path, start: int, length: int | None
    ) -> None:
        blobs.put("copies/one.pdf", file)
        data = file.read_bytes()

        pieces = list(blobs.open("copies/one.pdf", start, length))

        assert b"".join(pieces) == data[start : None if length is None else start + length]
        assert all(len(piece) <= 256 * 1024 for piece in pieces)

    def test_a_blob_that_is_not_there_is_told_before_the_first_piece(self, blobs: Store) -> None:
        with pytest.raises(Unavailable) as missing:
            blobs.open("copies/none.pdf")

        assert missing.value.code == "blob-missing"
        assert not blobs.exists("copies/none.pdf")
        with pytest.raises(Unavailable), blobs.local("copies/none.pdf"):
            pass

    def test_a_removed_blob_is_gone_and_removing_again_does_nothing(self, blobs: Store, file: Path) -> None:
        blobs.put("copies/one.pdf", file)

        for _ in range(2):
            blobs.remove("copies/one.pdf")

        assert not blobs.exists("copies/one.pdf")

    def test_storing_again_replaces_the_whole(self, blobs: Store, file: Path, tmp_path: Path) -> None:
        blobs.put("copies/one.pdf", file)
        (tmp_path / "short.pdf").write_bytes(b"short")

        blobs.put("copies/one.pdf", tmp_path / "short.pdf")

        assert b"".join(blobs.open("copies/one.pdf")) == b"short"

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_a_name_that_leads_elsewhere_is_refused(self, blobs: Store, file: Path, name: str) -> None:
        with pytest.raises(ValueError, match="not a blob name"):
            blobs.put(name, file)

    def test_many_at_once_each_get_their_own(self, blobs: Store, tmp_path: Path) -> None:
        def keep(number: int) -> bool:
            (tmp_path / f"{number}.pdf").write_bytes(b"%d" % number * 50_000)
            blobs.put(f"copies/{number}.pdf", tmp_path / f"{number}.pdf")
            return b"".join(blobs.open(f"copies/{number}.pdf")) == b"%d" % number * 50_000

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(keep, range(16)))

    def test_a_workspace_is_private_and_leaves_nothing(self, blobs: Store) -> None:
        with blobs.workspace() as one, blobs.workspace() as other:
            (one / "x").write_bytes(b"x")
            assert one != other
            assert one.stat().st_mode & 0o077 == 0

        assert not one.exists()

    def test_what_a_killed_process_left_is_swept_and_what_is_in_use_is_not(self, blobs: Store) -> None:
        with blobs.workspace() as left:
            os.utime(left, (1_000, 1_000))
            with blobs.workspace() as used:
                assert blobs.sweep(2_000) == 1
                assert used.exists()
            assert not left.exists()
