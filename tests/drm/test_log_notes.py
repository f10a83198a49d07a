"""Signed notes, checkpoints, cosignatures and proof files, with examples that others have published."""

from __future__ import annotations

import base64

import pytest

from drm.audit.checkpoints import Checkpoint, open_checkpoint, read_checkpoint
from drm.audit.notes import COSIGNED, PLAIN, BadNote, Signer, Verifier, read_note
from drm.audit.proofs import Proof, check_proof, read_proof, write_proof
from drm.audit.tree import entry_hash, node_hash

# The example of Go's package golang.org/x/mod/sumdb/note.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SAID = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    "\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
# The examples of C2SP's tlog-checkpoint and tlog-cosignature.
SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
).encode()
SIGNER = Signer("log.example/one", b"s" * 32)
WITNESS = Signer("witness.example/w", b"w" * 32, COSIGNED)
LEAVES = [entry_hash(b"one"), entry_hash(b"two")]
CHECKPOINT = Checkpoint(SIGNER.name, 2, node_hash(*LEAVES))
NOTE = CHECKPOINT.signed(SIGNER)


def test_a_published_note_verifies_under_its_published_key() -> None:
    verifier = Verifier.read(NEUMANN)

    assert str(verifier) == NEUMANN
    assert read_note(SAID).signed_by([verifier]) == {verifier: 0}
    with pytest.raises(BadNote, match="wrong"):
        read_note(SAID.replace(b"answer", b"Answer")).signed_by([verifier])


def test_the_key_of_a_known_log_has_the_key_id_that_it_is_published_with() -> None:
    text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"

    assert str(Verifier.read(text)) == text


def test_the_published_checkpoint_is_read_with_its_cosignature() -> None:
    note = read_note(SOFA)

    assert read_checkpoint(note) == Checkpoint(
        "example.com/behind-the-sofa", 20852163, base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    )
    assert [one.key_id.hex() for one in note.signatures] == ["033de0ae", "8d66cf3f"]
    # The second of the example: 1679315147.
    assert int.from_bytes(note.signatures[1].signature[:8], "big") == 1679315147
    assert len(note.signatures[1].signature) == 8 + 64


def test_a_checkpoint_is_three_lines_a_gap_and_a_signature() -> None:
    lines = NOTE.decode().split("\n")

    assert lines[:2] == ["log.example/one", "2"]
    assert lines[3] == ""
    assert lines[4].startswith("\u2014 log.example/one ")
    assert base64.b64decode(lines[4].split(" ")[2])[:4] == SIGNER.verifier.key_id
    assert open_checkpoint(NOTE, [SIGNER.verifier]).checkpoint == CHECKPOINT


def test_a_witness_signs_with_its_time() -> None:
    line = WITNESS.line(CHECKPOINT.text, 1679315147)

    seen = open_checkpoint(NOTE + line.encode(), [SIGNER.verifier], [WITNESS.verifier])

    assert seen.signers == {SIGNER.verifier: 0, WITNESS.verifier: 1679315147}
    later = WITNESS.line(CHECKPOINT.text, 1679315148).split(" ")[2]
    mixed = base64.b64encode(base64.b64decode(later)[:12] + base64.b64decode(line.split(" ")[2])[12:]).decode()
    with pytest.raises(BadNote):
        open_checkpoint(NOTE + f"\u2014 {WITNESS.name} {mixed}\n".encode(), [SIGNER.verifier], [WITNESS.verifier])


def test_unknown_signatures_are_ignored_and_sixteen_are_taken() -> None:
    more = "".join(Signer(f"other.example/{n}", bytes([n]) * 32).line(CHECKPOINT.text) for n in range(16))

    assert open_checkpoint(NOTE + more.encode(), [SIGNER.verifier]).signers == {SIGNER.verifier: 0}


@pytest.mark.parametrize(("count", "read"), [(99, True), (100, False)])
def test_a_note_may_have_a_hundred_signatures(count: int, read: bool) -> None:
    more = "".join(Signer(f"other.example/{n}", bytes([n]) * 32).line(CHECKPOINT.text) for n in range(count))

    if read:
        assert len(read_note(NOTE + more.encode()).signatures) == 100
        return
    with pytest.raises(BadNote, match="too many"):
        read_note(NOTE + more.encode())


@pytest.mark.parametrize("space", ["\u00a0", "\u0085", "\u1680", "\u2003", "\u2028", "\u202f", "\u3000"])
def test_a_key_whose_name_holds_a_space_of_any_kind_is_none(space: str) -> None:
    with pytest.raises(BadNote):
        read_note(NOTE + f"\u2014 some{space}name AAAAAAAA\n".encode())


def test_a_wrong_signature_of_a_known_key_refuses_the_whole_note() -> None:
    other = Signer(SIGNER.name, b"t" * 32)
    wrong = other.line(b"another text\n")

    with pytest.raises(BadNote, match="wrong"):
        open_checkpoint(NOTE + wrong.encode(), [SIGNER.verifier, other.verifier])


def test_a_log_cannot_sign_under_the_name_of_another() -> None:
    stolen = Checkpoint("log.example/two", 2, CHECKPOINT.root)

    with pytest.raises(BadNote, match="no known key"):
        open_checkpoint(stolen.signed(SIGNER), [SIGNER.verifier])
    with pytest.raises(BadNote, match="no known key"):
        open_checkpoint(NOTE, [Verifier(SIGNER.name, COSIGNED, SIGNER.verifier.public)])


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace(b"\n2\n", b"\n02\n"),
        lambda note: note.replace(b"\n2\n", b"\n+2\n"),
        lambda note: note.replace(b"\n2\n", "\n\u0662\n".encode()),
        lambda note: note.replace(b"\n\n", b"\n"),
        lambda note: note.replace("\u2014".encode(), b"-"),
        lambda note: note[:-1],
        lambda note: note + b"\n",
        lambda note: note.replace(b"\n2\n", b"\n2\r\n"),
        lambda note: note + b"\xff\n",
        lambda note: note + "\u2014 name \u00e9\n".encode(),
        lambda note: b"",
        lambda note: note + b"x" * 70_000,
    ],
)
def test_what_is_not_in_the_form_is_refused(change: object) -> None:
    assert callable(change)

    with pytest.raises(BadNote):
        open_checkpoint(change(NOTE), [SIGNER.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+AAAA",
        NEUMANN.replace("c74f", "c74e"),
        NEUMANN.replace("ARpc", "ARpd"),
        "a b+1+2",
        "n+1+\u00e9",
    ],
)
def test_what_is_no_published_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="key"):
        Verifier.read(text)


def test_a_proof_file_proves_its_entry_and_no_other() -> None:
    data = write_proof(Proof(1, (LEAVES[0],), NOTE, b"two"))

    assert data.decode().split("\n")[:3] == ["c2sp.org/tlog-proof@v1", "extra dHdv", "index 1"]
    assert check_proof(read_proof(data), b"two", [SIGNER.verifier]).checkpoint == CHECKPOINT
    with pytest.raises(BadNote, match="not in this log"):
        check_proof(read_proof(data), b"three", [SIGNER.verifier])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("proof@v1", "proof@v2"),
        ("index 1", "index 01"),
        ("index 1", "index -1"),
        ("index 1", "place 1"),
        ("dHdv", "!"),
        ("dHdv", "\u00e9"),
        ("\n\n", "\n"),
    ],
)
def test_a_proof_file_in_another_form_is_refused(old: str, new: str) -> None:
    data = write_proof(Proof(1, (LEAVES[0],), NOTE, b"two")).decode()

    with pytest.raises(BadNote):
        check_proof(read_proof(data.replace(old, new, 1).encode()), b"two", [SIGNER.verifier])


def test_keys_do_not_show_themselves() -> None:
    assert "s" * 32 not in repr(SIGNER)
    assert b"s" * 32 not in repr(SIGNER).encode()
    assert SIGNER.kind == PLAIN
