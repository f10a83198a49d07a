"""The stand-alone script is as strict about the form of notes and proofs as the tools of other hands, and says what it was given."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from drm.audit.checkpoints import Checkpoint
from drm.audit.notes import COSIGNED, Signer
from drm.audit.proofs import Proof, write_proof
from tests.flows.test_log import verified

ENTRY = b"hello"
LOG = Signer("log.example/x", b"\7" * 32)
WITNESS = Signer("w.example", b"\10" * 32, COSIGNED)
NOTE = Checkpoint(LOG.name, 1, hashlib.sha256(b"\0" + ENTRY).digest()).signed(LOG)
TEXT = NOTE.partition(b"\n\n")[0] + b"\n"
OTHER = bytearray(base64.b64decode(NOTE.split(b" ")[2]))
OTHER[9] ^= 1
WRONG = "— log.example/x ".encode() + base64.b64encode(OTHER) + b"\n"
PROOF = write_proof(Proof(0, (), NOTE))
KEY = ("--key", LOG.verifier)
MALFORMED = {
    "no final line feed": NOTE[:-1],
    "another word": NOTE[:-1] + b" more\n",
    "junk in the base64": NOTE[:-5] + b"!!!!" + NOTE[-5:],
    "bytes behind the padding": NOTE[:-1] + b"QUJD\n",
    "a carriage return": NOTE[:-1] + b"\r\n",
    "zeros": NOTE + b"\0\0\n",
    "a line separator": NOTE[:-1] + "\u2028\n".encode(),
    "a short signature": NOTE + "— ab AAAA\n".encode(),
    "a blank in a name": NOTE + "— a\u00a0b AAAAAAAA\n".encode(),
    "a line that is no signature": NOTE + b"hello\n",
    "an empty line within": TEXT + b"\nmore\n" + NOTE[len(TEXT) :],
    "no UTF-8": NOTE + b"\xff\n",
    "a wrong signature first": TEXT + b"\n" + WRONG + NOTE.partition(b"\n\n")[2],
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log with one entry."""
    for kind, data in (("0", hashlib.sha256(b"\0" + ENTRY).digest()), ("entries", b"\0\5" + ENTRY)):
        place = tmp_path / "log" / "tile" / kind / "000.p" / "1"
        place.parent.mkdir(parents=True)
        place.write_bytes(data)
    (tmp_path / "log" / "checkpoint").write_bytes(NOTE)
    return tmp_path / "log"


def proved(folder: Path, proof: bytes) -> tuple[int, str]:
    (folder / "proof").write_bytes(proof)
    (folder / "entry").write_bytes(ENTRY)
    return verified(*KEY, "--proof", folder / "proof", "--entry", folder / "entry")


@pytest.mark.parametrize(
    "note",
    [
        NOTE,
        NOTE + WITNESS.line(TEXT, 9).encode(),
        NOTE + NOTE.partition(b"\n\n")[2],
        NOTE + WRONG,  # the first signature of a key counts
    ],
    ids=["alone", "witnessed", "twice", "first"],
)
def test_a_good_note_is_taken(log: Path, note: bytes) -> None:
    (log / "checkpoint").write_bytes(note)

    assert verified(log, *KEY) == (0, "good: log.example/x, 1 entries\n")


@pytest.mark.parametrize(
    "note",
    MALFORMED.values(),
    ids=MALFORMED,
)
def test_a_note_that_other_tools_refuse_is_refused(log: Path, note: bytes) -> None:
    (log / "checkpoint").write_bytes(note)

    code, said = verified(log, *KEY)

    assert (code, said[:4], said.count("\n")) == (1, "BAD:", 1)


def test_a_good_proof_is_taken(tmp_path: Path) -> None:
    assert proved(tmp_path, PROOF)[0] == 0
    assert proved(tmp_path, PROOF.replace(b"index", b"extra AAAA\nindex"))[0] == 0


@pytest.mark.parametrize(
    "head",
    ["index 00", "index +0", "index 0_0", "zzz index 0", "index \uff10", "index 0 ", "index 0\nextra AAAA", "extra !\nindex 0",
     "extra AAAA\nextra AAAA\nindex 0", "extra AAAA"],
)  # fmt: skip
def test_a_proof_of_another_form_is_refused(tmp_path: Path, head: str) -> None:
    assert proved(tmp_path, PROOF.replace(b"index 0", head.encode())) == (1, "BAD: this is no proof of a log\n")


def test_a_file_that_is_named_and_cannot_be_read_is_wrong_usage(log: Path, tmp_path: Path) -> None:
    proved(tmp_path, PROOF)
    proof, entry, nowhere = tmp_path / "proof", tmp_path / "entry", tmp_path / "nowhere"

    for missing in (nowhere, tmp_path):
        assert verified(*KEY, "--proof", missing, "--entry", entry) == (2, "")
        assert verified(*KEY, "--proof", proof, "--entry", missing) == (2, "")
        assert verified(*KEY, log, "--checkpoint", missing) == (2, "")


@pytest.mark.parametrize("key", ["abc", f"{LOG.verifier}!", str(LOG.verifier).replace("+", "+0", 1), "a+b+é"])
def test_a_key_that_is_none_is_wrong_usage(log: Path, key: str) -> None:
    assert verified(log, "--key", key) == (2, "")
