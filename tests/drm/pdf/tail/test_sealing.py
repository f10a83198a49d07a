"""What qpdf saved in clear reads the same after it was encrypted object by object, for a reader that knows nothing of us."""

from __future__ import annotations

import io
import re
import tracemalloc
import zlib
from pathlib import Path

import pikepdf
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pikepdf import Array, Dictionary, Name, String

from drm.pdf.encrypting import lock_for, write_encrypted
from drm.pdf.sealing import PIECE, Seal, sealed_object
from drm.pdf.tail.cutting import cut_master
from drm.pdf.tail.index import Index
from drm.pdf.values import PdfRefused, Permissions
from tests.drm.pdf.active import plain

AWKWARD = [
    "",
    "a(b)c",
    ")) >>\nstream\n /Length 7 ((",
    "back\\slash\n\r\t",
    "<48> << /Length 3 >>",
    "王",
    "\x00\x01\xff\x80" * 9,
]
SIZES = [0, 1, 15, 16, 17, PIECE - 200, PIECE - 100, PIECE, PIECE + 1, 3 * PIECE + 5]


def encrypted(pdf: pikepdf.Pdf, folder: Path, password: str | None = None) -> Path:
    saved = io.BytesIO()
    pdf.save(
        saved, object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=False, min_version=("1.7", 8)
    )
    (folder / "saved").write_bytes(saved.getvalue())
    with (folder / "saved").open("rb") as file:
        write_encrypted(file, folder / "out.pdf", lock_for(password), Permissions())
    return folder / "out.pdf"


@pytest.mark.parametrize("password", [None, "open sesame"])
def test_strings_and_streams_of_every_length_come_back(tmp_path: Path, password: str | None) -> None:
    pdf = plain()
    texts = [String(text) for text in AWKWARD]
    streams = [pdf.make_stream(bytes(range(256)) * (size // 256) + b"x" * (size % 256)) for size in SIZES]
    streams[1].Odd = Dictionary(Texts=Array(texts), Length=3, Deep=Dictionary({"/Length": 4, "/Name#28": Name("/a(b")}))
    pdf.Root.Kept = pdf.make_indirect(
        Dictionary(Texts=Array(texts), Streams=Array([pdf.make_indirect(one) for one in streams]))
    )

    out = encrypted(pdf, tmp_path, password)

    with pikepdf.open(out, password=password or "", attempt_recovery=False) as again:
        assert not again.get_warnings()
        kept = again.Root.Kept
        assert [str(text) for text in kept.Texts] == AWKWARD
        assert [str(text) for text in kept.Streams[1].Odd.Texts] == AWKWARD
        assert int(kept.Streams[1].Odd.Deep.Length) == 4
        assert [len(stream.read_raw_bytes()) for stream in kept.Streams] == SIZES
        assert kept.Streams[-1].read_raw_bytes() == bytes(range(256)) * (SIZES[-1] // 256) + b"x" * (SIZES[-1] % 256)


def test_nothing_of_the_text_stays_readable(tmp_path: Path) -> None:
    pdf = plain()
    marked = pdf.make_stream(b"marker of the stream", Text=String("marker of the string"))
    pdf.Root.Kept = pdf.make_indirect(marked)

    data = encrypted(pdf, tmp_path).read_bytes()

    assert b"marker" in (tmp_path / "saved").read_bytes()
    assert b"marker" not in data
    assert b"marker".hex().encode() not in data


def test_no_two_vectors_are_the_same() -> None:
    seal = Seal(bytes(32))

    assert len({seal.begin(b"")[:16] for _ in range(1000)}) == 1000
    assert seal.string(b"same") != seal.string(b"same")


@pytest.mark.parametrize(
    "data",
    [
        b"1 0 obj\n<< /Length 4 >>\nstream\nabc\nendstream\nendobj\n",
        b"1 0 obj\n<< /X 3 >>\nstream\nabc\nendstream\nendobj\n",
        b"1 0 obj\n<< /X << /Length 3 >> >>\nstream\nabc\nendstream\nendobj\n",
        b"1 0 obj\n<< /Length 3 >>\nstream\nabc_endstream\nendobj\n",
    ],
)
def test_a_stream_that_is_not_as_it_says_is_not_sealed(data: bytes) -> None:
    with pytest.raises(ValueError, match="stream"):
        list(sealed_object(io.BytesIO(data), len(data), Seal(bytes(32))))


def test_a_small_file_has_no_spaces_that_part_nothing_and_its_strings_stay() -> None:
    data = b"1 0 obj\n<< /BBox [ 0 0 9 9 ] /Length 3 /Of 2 0 R /Type /XObject >>\nstream\na b\nendstream\nendobj\n"
    spoken = b"1 0 obj\n<< /Length 3 /Of (a /b) >>\nstream\na b\nendstream\nendobj\n"
    key = bytes(32)

    (tight,) = sealed_object(io.BytesIO(data), len(data), Seal(key), tight=True)
    (other,) = sealed_object(io.BytesIO(spoken), len(spoken), Seal(key), tight=True)

    assert tight.startswith(b"1 0 obj\n<</BBox[0 0 9 9]/Length 32/Of 2 0 R/Type/XObject>>\nstream\n")
    assert re.search(rb"/Of <[0-9a-f]{64}> >>\nstream", other)


def test_objects_that_the_library_packed_are_packed_harder_in_a_small_file() -> None:
    content = b" ".join(b"<< /Type /Annot /Rect [ %d 7 %d 99 ] >>" % (n, n * n) for n in range(300))
    poor = zlib.compress(content, 1)
    data = b"1 0 obj\n<< /Type /ObjStm /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream\nendobj\n" % (
        len(poor),
        poor,
    )

    (loose,) = sealed_object(io.BytesIO(data), len(data), Seal(bytes(32)))
    (tight,) = sealed_object(io.BytesIO(data), len(data), Seal(bytes(32)), tight=True)

    assert len(tight) < len(loose) - 100
    assert zlib.decompress(_opened(tight)) == content


def _opened(sealed: bytes) -> bytes:
    data = sealed.partition(b"stream\n")[2].removesuffix(b"\nendstream\nendobj\n")
    assert int(re.findall(rb"/Length (\d+)", sealed)[0]) == len(data)
    cipher = Cipher(algorithms.AES(bytes(32)), modes.CBC(data[:16])).decryptor()
    plain = cipher.update(data[16:])
    return plain[: -plain[-1]]


def test_a_stream_that_names_its_own_encryption_is_refused() -> None:
    data = b"1 0 obj\n<< /Filter [ /Crypt /DCTDecode ] /Length 3 >>\nstream\nabc\nendstream\nendobj\n"

    with pytest.raises(PdfRefused) as refused:
        list(sealed_object(io.BytesIO(data), len(data), Seal(bytes(32))))

    assert refused.value.code == "unsupported"


def test_a_master_above_four_gigabytes_is_refused_and_not_written_with_offsets_cut_short(tmp_path: Path) -> None:
    entries = [(0, 0, 0), (1, 9, 0), (1, 2**32, 0)]
    with (tmp_path / "saved").open("w+b") as saved:
        saved.truncate(2**32 + 100)  # a sparse file, which takes no room
        with pytest.raises(PdfRefused) as refused:
            cut_master(saved, Index(2**32 + 100, entries, None), tmp_path / "out", {3}, 1, None)

    assert refused.value.code == "too-large"
    assert not (tmp_path / "out").exists()


def test_a_large_stream_is_never_in_memory_as_a_whole() -> None:
    data = b"x" * (64 * PIECE)
    whole = b"1 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (len(data), data)
    source, seal = io.BytesIO(whole), Seal(bytes(32))

    tracemalloc.start()
    written = sum(map(len, sealed_object(source, len(whole), seal)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert written > len(whole)
    assert peak < 16 * PIECE
