"""The documents that are measured on, made by ourselves: articles of 1 to 350 pages. The same every time."""

from __future__ import annotations

import io
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import pikepdf
import reportlab
from PIL import Image, ImageChops
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from admin.sample.prose import SUBJECTS, paragraph

VERSION = 2
FONTS = Path(__file__).parents[2] / "drm" / "pdf" / "fonts"
FACES = {
    "NotoSans-Regular": FONTS / "NotoSans-Regular.ttf",
    "Bold": Path(reportlab.__file__).parent / "fonts" / "VeraBd.ttf",
    "Title": Path(reportlab.__file__).parent / "fonts" / "VeraBI.ttf",
}
"""The text has a font of ours; headings have fonts that reportlab brings along, for copies are lettered in one weight."""

WIDTH, HEIGHT = A4
MARGIN, LEADING = 56.0, 12.0


@dataclass(frozen=True)
class Article:
    """How an article is made up: lines of text in a column, a drawing on every n-th page, photographs of that many pixels."""

    pages: int
    lines: int
    drawing: int
    photographs: int
    pixels: int = 460


ARTICLES = {
    1: Article(1, 50, 1, 1, 740),
    14: Article(14, 52, 3, 7, 620),
    50: Article(50, 22, 51, 0),
    350: Article(350, 54, 4, 6),
}


def article(pages: int, folder: Path) -> Path:
    """The article of so many pages, in ``folder``, made where it is not there yet."""
    return kept(folder, f"article-{pages}.pdf", lambda path: _draw(ARTICLES[pages], path))


def kept(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """A file that is made once for each version of what makes it, whole or not at all."""
    folder = folder / f"v{VERSION}-{reportlab.Version}-{pikepdf.__version__}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        part = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            make(part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return path


def grain(size: tuple[int, int], chance: random.Random, strength: float) -> Image.Image:
    """Noise as a camera or a scanner adds it: normal about 128 with this deviation."""
    curve = NormalDist(128, strength)
    table = [min(255, max(0, round(curve.inv_cdf((level + 0.5) / 256)))) for level in range(256)]
    return Image.frombytes("L", size, chance.randbytes(size[0] * size[1])).point(table)


def _draw(wanted: Article, path: Path) -> None:
    for face, path_of_face in FACES.items():
        if face not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(face, str(path_of_face)))
    typed = io.BytesIO()
    canvas = Canvas(typed, pagesize=A4, invariant=1, pageCompression=1)
    canvas.setTitle("Tidal asymmetry in a shallow estuary")
    photographs = {1 + number * wanted.pages // max(1, wanted.photographs) for number in range(wanted.photographs)}
    for number in range(1, wanted.pages + 1):
        _page(canvas, wanted, number, number in photographs)
        canvas.showPage()
    canvas.save()
    _pack(typed, path)


def _pack(typed: io.BytesIO, path: Path) -> None:
    """As publishers' tools save today: object streams, everything deflated."""
    with pikepdf.open(typed) as pdf:
        mode = pikepdf.ObjectStreamMode.generate
        pdf.save(path, object_stream_mode=mode, compress_streams=True, deterministic_id=True)


def _page(canvas: Canvas, wanted: Article, number: int, photograph: bool) -> None:
    key = f"p{number}"
    canvas.bookmarkPage(key)
    if number % 5 == 1:
        canvas.addOutlineEntry(f"Section {number // 5 + 1}", key, 0)
    canvas.setFont("Bold", 8)
    canvas.drawString(MARGIN, HEIGHT - MARGIN + 8, "Journal of Shallow Waters 12(3)")
    canvas.drawRightString(WIDTH - MARGIN, HEIGHT - MARGIN + 8, str(200 + number))
    top = HEIGHT - MARGIN - 12
    if number == 1:
        canvas.setFont("Title", 17)
        canvas.drawString(MARGIN, top - 12, "Tidal asymmetry in a shallow estuary")
        top -= 40
    if number % wanted.drawing == 0:
        top = _drawing(canvas, number, top)
    if photograph:
        top = _photograph(canvas, wanted.pixels, number, top)
    _columns(canvas, wanted, number, top)
    _links(canvas, number)


def _columns(canvas: Canvas, wanted: Article, number: int, top: float) -> None:
    topic = sorted(SUBJECTS)[number % len(SUBJECTS)]
    for column in range(2):
        text = canvas.beginText(MARGIN + column * 245, top)
        text.setFont("NotoSans-Regular", 8.5, LEADING)
        words = iter(paragraph(topic, f"{number}:{column}", 40).split())
        chance = random.Random(f"{number}:{column}")
        for _ in range(min(wanted.lines, int((top - MARGIN) / LEADING))):
            length = 0
            while length < 46:
                word = next(words, "so") + " "
                length += len(word)
                text.setCharSpace(chance.uniform(-0.05, 0.05))  # as typesetters fit a line into its column
                text.textOut(word)
            text.textLine()
        canvas.drawText(text)


def _links(canvas: Canvas, number: int) -> None:
    """References lead to other places of the article and to a publisher."""
    for place in range(3):
        canvas.linkRect("", f"p{1 + place * number // 3}", (MARGIN, 100 + 40 * place, MARGIN + 20, 110 + 40 * place))
    canvas.linkURL(f"https://doi.org/10.5555/{number}", (MARGIN, 60, MARGIN + 90, 70))


def _drawing(canvas: Canvas, number: int, top: float) -> float:
    chance = random.Random(number)
    base, wide = top - 150, WIDTH - 2 * MARGIN
    canvas.rect(MARGIN, base, wide, 140)
    for shade in (0.1, 0.4, 0.7):
        path, y = canvas.beginPath(), base + 70
        path.moveTo(MARGIN, y)
        for step in range(1, 201):
            y = min(base + 136, max(base + 4, y + chance.uniform(-9, 9)))
            path.lineTo(MARGIN + wide * step / 200, y)
        canvas.setStrokeGray(shade)
        canvas.drawPath(path)
    canvas.setStrokeGray(0)
    return base - 20


def _photograph(canvas: Canvas, pixels: int, number: int, top: float) -> float:
    chance = random.Random(f"photograph {number}")
    size = (pixels, pixels)
    bands = [Image.linear_gradient("L").resize(size).rotate(90 * turn) for turn in range(3)]
    picture = Image.merge("RGB", [ImageChops.add(band, grain(size, chance, 12), 1, -128) for band in bands])
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=85)
    canvas.drawImage(ImageReader(io.BytesIO(packed.getvalue())), MARGIN + 120, top - 250, 240, 240)
    return top - 270
