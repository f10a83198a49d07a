"""E13, E15, E18: marks on every page, names in any script, and the same bytes every time."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pikepdf
import pypdfium2

from benchmarks.pdf_engine import ours, rebuild
from benchmarks.pdf_engine.clock import Work, each
from benchmarks.pdf_engine.ours import KEYS, SPEC, Prepared, readers
from benchmarks.pdf_engine.plan import Plan
from benchmarks.pdf_engine.rows import Row, counted, within
from drm.pdf.names import normalise_name
from drm.pdf.tail.personalise import personalise
from drm.pdf.tail.values import master_to
from drm.pdf.values import CopySpec

NASTY = 300
PIECES = (
    "(", ")", "\\", ") Tj ET Q", "<<>>", "%", "\n", "\x00", "\t", "\u200b", "\u202e", "\u2066", "\ufeff", "\u00ad", "e\u0301\u0323",
    "ﬁ", "Ǆ", "ß", "İ", "Ελένη", "Ђорђе", "Ñ", "王小明", "𠮷野", "ひらがな", "カタカナ", "김민수", "한", "َمحمد", "שלום", "😀", "👩\u200d👩", "𝒜",
    "\ue000", "\U0010ffff", "\u0e01\u0e33", "नमस्ते", "'", '"', "&amp;", "{x}", "%s", "..", "/", "~", "\u3000", "﷽", "①", "Ω", "…", "—",
)  # fmt: skip


def rows(plan: Plan) -> list[Row]:
    """All of them."""
    return [*_marks(plan), *_chinese(plan), *_nasty(plan), _rebuilt(plan)]


def _marks(plan: Plan) -> list[Row]:
    """E13: what a stamp of its own on each page costs more than one for all pages."""
    found = []
    for pages in (14,) if plan.smoke else (50, 350):
        source = plan.article(pages)
        one, own = plan.master(source), ours.prepared(source, plan.folder, per_page=True)
        one.asking = readers()
        marks = [_mark(page) for page in range(pages)]

        def marked(own: Prepared = own, marks: list[bytes] = marks) -> object:
            return personalise(own.master, next(own.asking), KEYS, marks=marks)

        works: dict[str, Work] = {"own": marked, "one": one.tail}
        plan.clock.by_turns(works, 1, 20)
        taken = plan.clock.by_turns(works, plan.rounds, 10)
        each_page = (taken["own"] - taken["one"]) / pages
        note = "more than the tail with one stamp for all pages; the operators of the marks are given"
        found.append(
            within("E13", f"distinct marks, AES-256, a page of {pages}", each_page, 30e-6, plan.reference, note)
        )
    return found


def _mark(page: int) -> bytes:
    boxes = (b"%d %d 1 1 re" % ((page * 7919 + n * 104729) % 60000, (page * 31 + n * 7717) % 60000) for n in range(16))
    return b"q .003 0 0 .003 0 0 cm " + b" ".join(boxes) + b" f Q"


def _chinese(plan: Plan) -> list[Row]:
    """E15: what 24 Han characters in a name add, each copy with another choice of them, outlines warm."""
    ready = plan.master(plan.article(14))
    latin, han = readers(), readers(chinese=True)
    works = {
        "latin": lambda: personalise(ready.master, replace(next(latin), reader="Maeve Byrne"), KEYS),
        "han": lambda: personalise(ready.master, next(han), KEYS),
    }
    for work in works.values():
        each(work, 300)
    taken = plan.clock.by_turns(works, plan.rounds, 50)
    more = taken["han"] - taken["latin"]
    read = _read_back(plan, ready, next(han))
    return [
        within("E15", "24 Han characters add to a tail", more, 0.5e-3, plan.reference, "over an ASCII name"),
        counted("E15", "readers that do not give the 24 characters back exactly, of pdfium and pdftotext", read, 0),
    ]


def _read_back(plan: Plan, ready: Prepared, spec: CopySpec) -> int:
    plan.out.write_bytes(ready.path.read_bytes() + personalise(ready.master, spec, KEYS).data)
    with pypdfium2.PdfDocument(plan.out) as document:
        texts = [document[1].get_textpage().get_text_bounded()]
    try:
        command = ["pdftotext", "-f", "2", "-l", "2", str(plan.out), "-"]
        texts.append(subprocess.run(command, capture_output=True, check=True).stdout.decode())
    except FileNotFoundError:
        texts.append("")
    return sum(_bare(spec.reader or "") not in _bare(text) for text in texts)


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).split())


def nasty() -> Iterator[str]:
    """Names put together from what breaks content streams, fonts and reading order."""
    chance = random.Random(15)
    yield from ("", " ", "\u200b", "x" * 5000, *PIECES)
    while True:
        yield " ".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 7)))


def _nasty(plan: Plan) -> list[Row]:
    """E15: each nasty name stands on the copy as it is, or its fallback does, and the copy opens."""
    path = plan.folder / "blank.pdf"
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(595, 842))
        pdf.save(path)
    ready, wrong, fallen = plan.master(path), [], 0
    base, count = ready.path.read_bytes(), 60 if plan.smoke else NASTY
    for number, name in enumerate(islice(nasty(), count)):
        tail = personalise(ready.master, replace(SPEC, reader=name, delivery=f"RL-{number:04}-0000"), KEYS)
        shown = tail.shown_name if tail.name_fallback else normalise_name(name)
        fallen += tail.name_fallback
        plan.out.write_bytes(base + tail.data)
        with pikepdf.open(plan.out, attempt_recovery=False) as pdf, pypdfium2.PdfDocument(plan.out) as document:
            for page in pdf.pages:
                pikepdf.parse_content_stream(page)
            texts = [_bare(one.get_textpage().get_text_bounded()) for one in document]
        if not shown or any(_bare(shown) not in text for text in texts):
            wrong.append(repr(name))
    what = f"of {count} nasty names neither exact nor the fallback ({fallen} fell back)"
    return [counted("E15", what, len(wrong), 0, "", "; ".join(wrong[:5]))]


def _rebuilt(plan: Plan) -> Row:
    """E18: the same delivery built in fresh processes, each with its own hash seed."""
    ready = plan.master(plan.article(14))
    record = plan.folder / "record.json"
    record.write_text(json.dumps(master_to(ready.master)))
    count = 3 if plan.smoke else 100

    def one(_: int) -> str:
        command = [sys.executable, "-m", rebuild.__name__, str(ready.path), str(record)]
        return subprocess.run(command, capture_output=True, check=True, text=True, cwd=_root()).stdout.strip()

    with ThreadPoolExecutor(2) as pool:
        digests = set(pool.map(one, range(count)))
    note = "whole copies: a Latin name, a Chinese one, and one with a password"
    return counted("E18", f"different SHA-256 of {count} rebuilds in fresh processes", len(digests), 1, "", note)


def _root() -> Path:
    return Path(__file__).resolve().parents[2]
