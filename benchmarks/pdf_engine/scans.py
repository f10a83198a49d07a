"""A long scan: pages that are pictures only, as large as real ones and as hard to compress."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageChops, ImageDraw

from benchmarks.pdf_engine.documents import grain, kept

SIZE = (1240, 1754)
PAGES, HUGE_PAGES = 300, 2400
SHEETS, GRAIN, QUALITY = 4, 9.4, 60


def scan(pages: int, folder: Path) -> Path:
    """A scan of so many pages, about 0.45 MB each."""
    return kept(folder, f"scan-{pages}.pdf", lambda path: _make(pages, path))


def _make(pages: int, path: Path) -> None:
    chance = random.Random(1)
    dirt = [grain(SIZE, chance, GRAIN) for _ in range(SHEETS)]
    pdf = pikepdf.new()
    data = b""
    for number in range(pages):
        # A file of a gigabyte may repeat its pages: each is stored again, and nothing looks for likeness.
        data = _sheet(number, dirt, chance) if number < PAGES else data
        _add_page(pdf, data)
    pdf.save(path, deterministic_id=True)


def _sheet(number: int, dirt: list[Image.Image], chance: random.Random) -> bytes:
    sheet = Image.new("L", SIZE, 236)
    draw = ImageDraw.Draw(sheet)
    for y in range(100, SIZE[1] - 100, 26):
        draw.text((90, y), " ".join(f"scan{chance.randrange(10**6)}" for _ in range(16)), fill=20)
    dirty = ImageChops.offset(dirt[number % SHEETS], number * 37, number * 11)
    packed = io.BytesIO()
    ImageChops.add(sheet, dirty, 1, -128).save(packed, "JPEG", quality=QUALITY)
    return packed.getvalue()


def _add_page(pdf: pikepdf.Pdf, data: bytes) -> None:
    image = pdf.make_stream(data)
    image.Type, image.Subtype, image.ColorSpace = Name.XObject, Name.Image, Name.DeviceGray
    image.Width, image.Height = SIZE
    image.BitsPerComponent, image.Filter = 8, Name.DCTDecode
    page = Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, 595, 842]),
        Contents=pdf.make_stream(b"q 595 0 0 842 0 0 cm /I Do Q"),
        Resources=Dictionary(XObject=Dictionary(I=image)),
    )
    pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
