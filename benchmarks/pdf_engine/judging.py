"""What becomes of one real file: prepared, copied, and looked at with other eyes than the engine's own."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
from PIL import Image, ImageChops

from benchmarks.pdf_engine.ours import KEYS, SPEC, prepared
from benchmarks.pdf_engine.readers import complaints, opened_by
from benchmarks.pdf_engine.sandboxes import sandboxed_by
from drm.pdf import sandbox_tasks
from drm.pdf.tail.personalise import blank_tail
from drm.pdf.tail.values import Master
from drm.pdf.values import PdfRefused

SECONDS, COMPARED, PIXELS, MOST_SIDE = 60, 4, 400, 1600
ACTIVE = frozenset(
    {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/ResetForm", "/GoToR", "/GoToE", "/Rendition", "/Movie"}
    | {"/Sound", "/GoTo3DView", "/RichMediaExecute", "/SetOCGState", "/Hide"}
)
SEEN = ("annotation", "form", "xfa", "alternate", "external", "reference", "postscript", "opi", "structure")
"""Words for what sanitising or repairing changed that may have been visible: such pages cannot be compared."""


@dataclass
class Judgement:
    """``code`` is empty for a delivered file. ``changed`` is the largest share of samples that differ, None where nothing
    could be compared."""

    name: str
    code: str = ""
    source_bytes: int = 0
    copy_bytes: int = 0
    changed: float | None = None
    alone: list[str] = field(default_factory=list)
    readers: int = 0
    complaint: str = ""
    active: list[str] = field(default_factory=list)


def judge(source: Path) -> Judgement:
    """Judge one file; to be run in a child of its own, which the kernel ends when it takes too long."""
    signal.alarm(SECONDS)
    found = Judgement(source.name, source_bytes=source.stat().st_size)
    with tempfile.TemporaryDirectory() as name, sandboxed_by(sandbox_tasks.perform):
        folder = Path(name)
        try:
            ready = prepared(source, folder)
        except PdfRefused as refusal:
            found.code = refusal.code
            return found
        copy = folder / "copy.pdf"
        ready.copy(copy)
        found.copy_bytes = copy.stat().st_size
        alone = opened_by(ready.path)
        found.readers, found.alone = len(alone), [reader for reader, opens in alone.items() if opens]
        found.complaint = "" if complaints(source) else complaints(copy, ready.master.pages + 1)
        found.active = sorted(set(_active(copy)))
        if is_comparable(ready.master):
            blank = folder / "blank.pdf"
            blank.write_bytes(ready.path.read_bytes() + blank_tail(ready.master, SPEC, KEYS))
            found.changed = _changed(source, blank)
    return found


def is_comparable(master: Master) -> bool:
    """Whether nothing was removed or repaired that may have been seen."""
    return not any(word in kind.lower() for kind in (*master.removed, *master.repaired) for word in SEEN)


def _active(path: Path) -> Iterator[str]:
    with pikepdf.open(path) as pdf:
        for held in pdf.objects:
            yield from _walk(held, 0)


def _walk(value: Any, depth: int) -> Iterator[str]:
    """Actions in a value and in whatever lies directly in it; what it refers to is another object of the file."""
    if depth > 64 or not isinstance(value, pikepdf.Object) or (depth and value.is_indirect):
        return
    if isinstance(value, pikepdf.Array):
        for one in value:
            yield from _walk(one, depth + 1)
    elif isinstance(value, pikepdf.Dictionary | pikepdf.Stream):
        kind = str(value.get("/S", ""))
        if kind in ACTIVE and str(value.get("/Type", "/Action")) == "/Action":
            yield kind
        for name in ("/JS", "/AA"):
            if name in value:
                yield name
        for key in list(value.keys()):
            yield from _walk(value.get(key), depth + 1)


def _changed(source: Path, blank: Path) -> float | None:
    try:
        before, after = pypdfium2.PdfDocument(source), pypdfium2.PdfDocument(blank)
    except pypdfium2.PdfiumError:
        return None
    shares = []
    for number in range(min(COMPARED, len(before), len(after) - 1)):
        try:
            pair = _drawn(before[number]), _drawn(after[number + 1])
        except (pypdfium2.PdfiumError, ValueError):
            continue
        if pair[0].size != pair[1].size:
            return 1.0
        same = ImageChops.difference(*pair).histogram()
        total = pair[0].width * pair[0].height * len(pair[0].getbands())
        shares.append(1 - sum(same[0::256]) / total)
    return max(shares, default=None)


def _drawn(page: pypdfium2.PdfPage) -> Image.Image:
    width, height = page.get_size()
    scale = min(PIXELS / max(1.0, width), MOST_SIDE / max(1.0, height))
    picture: Image.Image = page.render(scale=scale, may_draw_forms=False).to_pil()
    return picture.convert("RGB")
