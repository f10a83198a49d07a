"""What a librarian hands in goes the same way as what a fetcher brings."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from delivery.sources import FetchFailed, receive_upload
from tests.fetchers.bad_server import PDF


@pytest.mark.parametrize("name", ["扫描 1.pdf", "../../etc/passwd", "C:\\Users\\me\\scan.pdf", "a" * 500 + ".pdf", ""])
def test_the_files_name_is_shown_and_never_a_path(tmp_path: Path, name: str) -> None:
    received = receive_upload(io.BytesIO(PDF), name, None, tmp_path / "in.pdf", 10_000)

    assert received.path == tmp_path / "in.pdf"
    assert not {"/", "\\"} & set(received.location)
    assert len(received.location) <= 200


@pytest.mark.parametrize(
    ("data", "declared", "code"),
    [
        (b"", None, "not-a-pdf"),
        (b"GIF89a" * 100, None, "not-a-pdf"),
        (b" \n<!DOCTYPE html>" * 10, None, "login-page"),
        (b"\0" * 2_000 + PDF, None, "not-a-pdf"),
        (PDF * 3, None, "too-large"),
        (PDF, 20_000, "too-large"),
        (PDF, len(PDF) + 1, "truncated"),
    ],
)
def test_what_cannot_be_taken_has_a_code_and_leaves_nothing(
    tmp_path: Path, data: bytes, declared: int | None, code: str
) -> None:
    with pytest.raises(FetchFailed) as failed:
        receive_upload(io.BytesIO(data), "scan.pdf", declared, tmp_path / "in.pdf", 10_000)

    assert failed.value.code == code
    assert not list(tmp_path.iterdir())


def test_a_broken_off_upload_leaves_nothing(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError("the client went away")
            return super().read(100)

    with pytest.raises(OSError, match="went away"):
        receive_upload(Broken(PDF), "scan.pdf", None, tmp_path / "in.pdf", 10_000)

    assert not list(tmp_path.iterdir())
