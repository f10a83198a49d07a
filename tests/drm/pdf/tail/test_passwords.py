"""Passwords and permissions of tails against qpdf's own: same hashes, same keys, same bits."""

from __future__ import annotations

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from drm.pdf.tail.crypt import hash_password, make_lock, permission_bits, wrapped_file_key
from drm.pdf.values import Permissions
from tests.drm.pdf.tail.masters import Ready, ready
from tests.drm.pdf_drawing.samples import SPEC, document, text_at
from tests.services.commands import needed

PASSWORDS = [
    *("", "a", "open sesame", "0", " ", "password with spaces", "Passw0rd!", "()\\<>[]{}/%", "'\"`$"),
    *(
        "é",
        "Zoë Müller",
        "Ελένη",
        "Щёголев",
        "王小明",
        "𠮷田",
        "パスワード",
        "비밀번호",
        "x" * 32,
        "y" * 126,
        "z" * 127,
    ),
]


@pytest.mark.parametrize("password", PASSWORDS)
def test_hashes_are_those_of_a_file_that_qpdf_encrypted(password: str) -> None:
    buffer, given = io.BytesIO(), password.encode()
    owner = f"owner {password}"[:60]
    document().save(buffer, encryption=pikepdf.Encryption(user=password, owner=owner, R=6))
    pdf = pikepdf.open(buffer, password=owner)
    theirs = pdf.trailer.Encrypt
    user, owned = bytes(theirs.U), bytes(theirs.O)

    assert hash_password(given, user[32:40]) == user[:32]
    assert hash_password(owner.encode(), owned[32:40], user) == owned[:32]
    lock = make_lock(given, owner.encode(), user[32:48] + owned[32:48])
    assert (lock.user, lock.owner) == (user, owned)
    key = bytes(pdf.encryption.encryption_key)
    assert wrapped_file_key(lock, key) == (bytes(theirs.UE), bytes(theirs.OE))


def test_there_are_twenty_passwords() -> None:
    assert len(set(PASSWORDS)) == 20


@pytest.mark.parametrize("print_", ["none", "low", "full"])
@pytest.mark.parametrize("copy_text", [True, False])
def test_permissions_read_back_as_the_agreement_has_them(tmp_path: Path, print_: str, copy_text: bool) -> None:
    permissions = Permissions(print=print_, copy_text=copy_text)  # type: ignore[arg-type]  # one of the three
    data = ready(tmp_path, document(text_at(72, 700, "One"))).copy(replace(SPEC, permissions=permissions))

    allowed = pikepdf.open(io.BytesIO(data)).allow
    assert (allowed.print_lowres, allowed.print_highres) == (print_ != "none", print_ == "full")
    assert (allowed.extract, allowed.accessibility, allowed.modify_annotation) == (copy_text, True, True)
    assert (allowed.modify_assembly, allowed.modify_form, allowed.modify_other) == (False, False, False)
    assert (
        pypdfium2.raw.FPDF_GetDocPermissions(pypdfium2.PdfDocument(data)) == permission_bits(permissions) & 0xFFFFFFFF
    )


@pytest.fixture
def one(tmp_path: Path) -> Ready:
    return ready(tmp_path)


@pytest.mark.parametrize("password", ["her own", "王小明的密码", "w" * 127])
def test_a_readers_password_opens_the_copy_in_two_libraries_and_nothing_else_does(one: Ready, password: str) -> None:
    data = one.copy(password=password)

    for wrong in ("", "another"):
        with pytest.raises(pikepdf.PasswordError):
            pikepdf.open(io.BytesIO(data), password=wrong)
        with pytest.raises(pypdfium2.PdfiumError):
            pypdfium2.PdfDocument(data, password=wrong)
    assert len(pikepdf.open(io.BytesIO(data), password=password).pages) == 3
    assert "Niamh Okonkwo" in pypdfium2.PdfDocument(data, password=password)[1].get_textpage().get_text_bounded()


@pytest.mark.service
@pytest.mark.parametrize("password", PASSWORDS)
def test_a_lock_opens_with_either_password_in_three_readers(tmp_path: Path, password: str) -> None:
    """A file that qpdf encrypted, with our lock and our wrapped file key in place of its own."""
    needed("pdftotext", "poppler-utils")
    owner = f"owner of {password}"[:100]
    path = tmp_path / "locked.pdf"
    document(text_at(72, 700, "Estuary")).save(path, encryption=pikepdf.Encryption(user="u", owner="o", R=6))
    with pikepdf.open(path, password="o") as pdf:
        theirs, key = pdf.trailer.Encrypt, bytes(pdf.encryption.encryption_key)
        old = [bytes(theirs[name]) for name in ("/U", "/O", "/UE", "/OE")]
    lock = make_lock(password.encode(), owner.encode(), bytes(range(32)))
    data = path.read_bytes()
    for before, after in zip(old, (lock.user, lock.owner, *wrapped_file_key(lock, key)), strict=True):
        assert data.count(before.hex().encode()) == 1
        data = data.replace(before.hex().encode(), after.hex().encode())
    path.write_bytes(data)

    for word in (password, owner):
        assert len(pikepdf.open(path, password=word).pages) == 1
        assert "Estuary" in pypdfium2.PdfDocument(path, password=word)[0].get_textpage().get_text_bounded()
    if len(owner.encode()) > 32 or len(password.encode()) > 32:
        return  # the command of poppler takes no more
    for option, word in (("-upw", password), ("-opw", owner)):
        command = ["pdftotext", option, word, str(path), "-"]
        assert "Estuary" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_another_readers_password_opens_nothing(one: Ready) -> None:
    hers = one.copy(password="hers")

    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(hers), password="his")


def test_copies_of_one_reader_with_one_password_cannot_be_linked_by_their_hashes(one: Ready) -> None:
    first = one.copy(SPEC, "hers")
    second = one.copy(replace(SPEC, delivery="RL-9999-0000"), "hers")

    opened = [pikepdf.open(io.BytesIO(data), password="hers") for data in (first, second)]
    assert bytes(opened[0].trailer.Encrypt.U) != bytes(opened[1].trailer.Encrypt.U)


@pytest.mark.service  # so that a build which should have the command fails where it is missing
@pytest.mark.parametrize("print_", ["none", "low", "full"])
@pytest.mark.parametrize("copy_text", [True, False])
def test_qpdf_shows_the_permissions_that_were_asked_for(
    one: Ready, tmp_path: Path, print_: str, copy_text: bool
) -> None:
    permissions = Permissions(print=print_, copy_text=copy_text)  # type: ignore[arg-type]  # one of the three
    (tmp_path / "copy.pdf").write_bytes(one.copy(replace(SPEC, permissions=permissions)))
    needed("qpdf", "qpdf")
    done = subprocess.run(
        ["qpdf", "--show-encryption", tmp_path / "copy.pdf"], capture_output=True, text=True, check=True
    )

    shown = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    words = {True: "allowed", False: "not allowed"}
    assert shown["print low resolution"] == words[print_ != "none"]
    assert shown["print high resolution"] == words[print_ == "full"]
    assert shown["extract for any purpose"] == words[copy_text]
    assert shown["extract for accessibility"] == "allowed"


@pytest.mark.service
@pytest.mark.parametrize("password", ["her own", "王小明的密码", "w" * 32])  # the command takes no more than 32 bytes
def test_poppler_opens_a_copy_with_the_readers_password_only(one: Ready, tmp_path: Path, password: str) -> None:
    (tmp_path / "copy.pdf").write_bytes(one.copy(password=password))

    def read(word: str) -> str:
        command = ["pdftotext", "-upw", word, str(tmp_path / "copy.pdf"), "-"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    needed("pdftotext", "poppler-utils")
    opened, wrong = read(password), read("another")

    assert "Niamh Okonkwo" in opened
    assert wrong == ""
