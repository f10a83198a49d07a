"""Small sound files with something changed in them: tokens swapped, numbers lied about, objects doubled, bytes flipped, ends cut."""

from __future__ import annotations

import io
import random
import re
import zlib
from collections.abc import Callable

import pikepdf

from tests.hostile.catalogue import HOSTILE
from tests.hostile.drafts import cross_stream, objects, paper

TOKEN = re.compile(
    rb"/[A-Za-z0-9#]+|\d+ \d+ R|-?\d+(?:\.\d+)?|<<|>>|[\[\]()]|stream|endstream|endobj|obj|true|false|null"
)
NUMBER = re.compile(rb"\d+")
OBJECT = re.compile(rb"\d+ 0 obj\n.*?endobj\n", re.S)
WORDS = (
    b"null",
    b"7",
    b"-1",
    b"99999999999",
    b"/Type",
    b"/Kids",
    b"[",
    b"]",
    b"<<",
    b">>",
    b"(",
    b")",
    b"1 0 R",
    b"3 0 R",
    b"99 0 R",
    b"stream",
    b"%",
    b"#",
    b"\0",
)
NUMBERS = (b"0", b"1", b"-1", b"2147483647", b"2147483648", b"4294967296", b"9" * 30, b"0.5", b"1e9")


def sources() -> list[bytes]:
    """What is changed: plain and packed files, and those of the catalogue that most code looks at."""
    bodies = objects()
    inside = {number: bodies.pop(number) for number in (1, 2, 3, 4, 7)}
    chosen = [
        one.make()
        for one in HOSTILE
        if one.kind
        in {"hidden content", "action", "tags", "bookmarks", "notes", "page labels", "layers", "fonts", "encryption"}
    ]
    return [paper(), cross_stream(bodies, inside=inside), _unpacked(paper()), *chosen]


def _unpacked(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.save(buffer, qdf=True, static_id=True)
    return buffer.getvalue()


def _token(chance: random.Random, data: bytes) -> bytes:
    found = list(TOKEN.finditer(data))
    if not found:
        return data
    one, other = chance.choice(found), chance.choice(found)
    return data[: one.start()] + chance.choice([other[0], chance.choice(WORDS), b""]) + data[one.end() :]


def _number(chance: random.Random, data: bytes) -> bytes:
    found = list(NUMBER.finditer(data))
    if not found:
        return data
    one = chance.choice(found)
    value = chance.choice([chance.choice(NUMBERS), str(int(one[0]) + chance.choice([-1, 1, 2, 10])).encode()])
    return data[: one.start()] + value + data[one.end() :]


def _cut(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _drop(chance: random.Random, data: bytes) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + data[place + chance.randint(1, 60) :]


def _double(chance: random.Random, data: bytes) -> bytes:
    found = OBJECT.findall(data)
    if not found:
        return data + data[-200:]
    body: bytes = chance.choice(found)
    number = chance.choice(found).split(b" ", 1)[0]
    return data + (number + b" " + body.split(b" ", 1)[1] if chance.random() < 0.5 else body)


def _flip(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _swap(chance: random.Random, data: bytes) -> bytes:
    found = OBJECT.findall(data)
    if len(found) < 2:
        return data
    one, other = chance.sample(found, 2)
    return data.replace(one, b"\1", 1).replace(other, one, 1).replace(b"\1", other, 1)


def _content(chance: random.Random, data: bytes) -> bytes:
    """Change what is packed in a stream, and pack it again."""
    for match in re.finditer(rb"stream\n(x\xda.*?)\nendstream", data, re.S):
        try:
            inner = zlib.decompress(match[1])
        except zlib.error:
            continue
        return data[: match.start(1)] + zlib.compress(mutated(chance, inner), 9) + data[match.end(1) :]
    return _token(chance, data)


WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _token,
    _token,
    _number,
    _cut,
    _drop,
    _double,
    _flip,
    _swap,
    _content,
)


def mutated(chance: random.Random, data: bytes) -> bytes:
    """One to four changes. Equal states of ``chance`` give equal files."""
    for _ in range(chance.choice([1, 1, 2, 4])):
        data = chance.choice(WAYS)(chance, data)
    return data
