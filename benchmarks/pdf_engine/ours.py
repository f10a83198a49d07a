"""Our own engine as the benchmarks call it: only through its public names, with copies as the service makes them."""

from __future__ import annotations

import itertools
import json
import os
import random
import sqlite3
import string
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf

from drm.pdf.copying import write_copy
from drm.pdf.tail.keys import MasterKeys
from drm.pdf.tail.personalise import personalise
from drm.pdf.tail.prepare import Wish, prepare
from drm.pdf.tail.preparing import PrepareTask, prepare_master
from drm.pdf.tail.serving import assemble, materialise
from drm.pdf.tail.typical import typical_copy
from drm.pdf.tail.values import Master, Tail, master_from, master_to
from drm.pdf.values import CopySpec, CoverCitation, Limits
from drm.tokens import KeyRing

CHECK = "https://library.example/check/"
KEYS = MasterKeys(KeyRing({"k1": bytes(range(32))}))
LIMITS = Limits()
SPEC = CopySpec(
    delivery="RL-2345-6789",
    library="Harbour University Library",
    issued_on=date(2026, 11, 24),
    reader="Maeve Byrne",
    citation=CoverCitation(
        "Tidal asymmetry in a shallow estuary",
        "M. Byrne, A. Lindqvist",
        "Journal of Shallow Waters 12(3)",
        "10.5555/jsw.12.3",
    ),
    agreement="harbour-2026",
    terms=("One copy for your own study or research.", "Do not pass it on."),
    notices=("© 2026 the authors.",),
    legends=("No further copies.",),
    expires="24 December 2026",
    check_url=f"{CHECK}7K2M9Q4D1X",
)
"""A copy with everything that the service puts on one, the code to scan included."""

FIRST = (
    "Maeve",
    "Niamh",
    "Tom",
    "Alexandra",
    "Ana",
    "Ivana",
    "Peter",
    "Ingrid",
    "Samuel",
    "Marta",
    "Li",
    "Grace",
    "Hugo",
)
SYLLABLES = (
    "ber",
    "nor",
    "lind",
    "kow",
    "al",
    "ski",
    "man",
    "ra",
    "ton",
    "ve",
    "sen",
    "mul",
    "fitz",
    "ger",
    "oko",
    "ne",
    "gar",
    "dal",
)
ACCENTS = str.maketrans("aeiouscnl", "áéíöüščñł")
_calls = itertools.count(1)
IN_LINE = 2_000
"""Readers that are made up beforehand; no benchmark times more copies of one document."""
ACCENTED = 0.3
"""Share of Latin names that have a letter outside ASCII."""
HAN = (
    "王小明李伟张芳刘洋陈静杨磊黄敏赵军周勇吴丽徐强孙艳马超朱红胡平郭鹏何林高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余苏叶吕"
    "魏蒋田杜丁沈姜范江傅钟卢汪戴崔任陆廖姚方金邱夏谭韦贾邹石熊孟秦阎薛侯雷白龙段郝孔邵史毛常万顾赖武康贺严尹钱施牛洪龚"
)


def readers(chinese: bool = False) -> Iterator[CopySpec]:
    """Copies for ever other readers, at each call others: no name, delivery number or code to scan is met again.

    Those that a benchmark times are made up before the first is served: making up names is no work of the engine's.
    """
    asking = passers_by(chinese)
    return itertools.chain(list(itertools.islice(asking, IN_LINE)), asking)


def passers_by(chinese: bool = False) -> Iterator[CopySpec]:
    """The same readers, each made up when it is asked for."""
    call = next(_calls)
    chance = random.Random(call)
    for number in itertools.count():
        name = "".join(chance.choices(HAN, k=24)) if chinese else _latin(chance)
        url = f"{CHECK}{chance.getrandbits(40):010X}"
        yield replace(SPEC, delivery=f"RL-{call:04}-{number:04}", reader=name, check_url=url)


def _latin(chance: random.Random) -> str:
    name = "".join(chance.choices(SYLLABLES, k=3))
    name = name.translate(ACCENTS) if chance.random() < ACCENTED else name
    return f"{chance.choice(FIRST)} {chance.choice(string.ascii_uppercase)}. {name.title()}"


@dataclass
class Prepared:
    """A source with its master on disk, and readers who ask for it."""

    source: Path
    path: Path
    master: Master
    asking: Iterator[CopySpec]

    def tail(self) -> Tail:
        """The tail for the next reader."""
        return personalise(self.master, next(self.asking), KEYS)

    def copy(self, out: Path) -> None:
        """The whole copy for the next reader, on disk and synced."""
        materialise(self.path, self.tail(), out)

    def write(self, out: Path) -> None:
        """The same as the service writes it for a web server to send: not synced, because it can be made again."""
        tail = self.tail()
        assemble(self.path, tail.length - len(tail.data), tail.data, out)


def prepared(source: Path, folder: Path, per_page: bool = False) -> Prepared:
    """Prepare and prove a document as the service does."""
    path = folder / f"{source.stem}{'-pages' if per_page else ''}.master"
    master = prepare(source, path, KEYS, Wish(typical_copy(SPEC), per_page=per_page), LIMITS)
    return Prepared(source, path, master, passers_by())


def preparing(source: Path, folder: Path) -> dict[str, Any]:
    """The work of a prepare without its proof: open, sanitise, draw, save, cut. To be run in a child."""
    task = PrepareTask(source, folder / "master", typical_copy(SPEC), "", True, False, False)
    return prepare_master(task, LIMITS)


def rewriting(source: Path, out: Path) -> dict[str, Any]:
    """The work of a rewrite without its proof. To be run in a child."""
    return write_copy(source, out, SPEC, LIMITS, None, None)


def copied(source: Path, out: Path) -> None:
    """The floor: the kernel copies the source, and nobody looks at it."""
    reading = os.open(source, os.O_RDONLY)
    writing = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    left = os.fstat(reading).st_size
    while left:
        left -= os.copy_file_range(reading, writing, left)
    os.close(reading)
    os.close(writing)


def copied_durably(source: Path, out: Path) -> None:
    """The floor with what ours does for safety: the disk has it before we go on."""
    copied(source, out)
    handle = os.open(out, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


class Records:
    """Master records in SQLite, as a service would keep them."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self._connection.execute("CREATE TABLE IF NOT EXISTS master (id TEXT PRIMARY KEY, record TEXT NOT NULL)")

    def put(self, master: Master) -> None:
        """Keep a record."""
        row = (master.id, json.dumps(master_to(master)))
        self._connection.execute("INSERT OR REPLACE INTO master VALUES (?, ?)", row)
        self._connection.commit()

    def get(self, id: str) -> Master:
        """The record, read and parsed anew."""
        (text,) = self._connection.execute("SELECT record FROM master WHERE id = ?", (id,)).fetchone()
        return master_from(json.loads(text))


def page_count(path: Path) -> int:
    """The pages of a file."""
    with pikepdf.open(path) as pdf:
        return len(pdf.pages)
