"""Lays the invented works out as PDFs: two columns, figures, a scan, a turned table, a book."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pypdfium2
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

from admin.sample.prose import paragraph
from admin.sample.works import Work

WIDTH, HEIGHT = A4
MARGIN, GUTTER = 56.0, 18.0
COLUMN = (WIDTH - 2 * MARGIN - GUTTER) / 2
CHINESE_FONT = "SampleHan"


def draw(work: Work, path: Path, chinese_font: Path) -> None:
    """Write the work's PDF. The same work gives the same bytes."""
    if work.language == "zh" and CHINESE_FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(CHINESE_FONT, str(chinese_font)))
    if work.shape == "scan":
        _scan(work, path)
        return
    canvas = _canvas(str(path), work)
    for number in range(1, work.count + 1):
        _page(canvas, work, number)
        canvas.showPage()
    canvas.save()


def _canvas(target: object, work: Work) -> Canvas:
    canvas = Canvas(target, pagesize=A4, invariant=1, pageCompression=1)
    canvas.setTitle(work.title)
    canvas.setAuthor(work.authors)
    canvas.setSubject(work.doi)
    return canvas


def _style(work: Work, size: float, bold: bool = False) -> ParagraphStyle:
    if work.language == "zh":
        return ParagraphStyle(
            "zh", fontName=CHINESE_FONT, fontSize=size, leading=size * 1.6, wordWrap="CJK", firstLineIndent=0
        )
    return ParagraphStyle(
        "en",
        fontName="Times-Bold" if bold else "Times-Roman",
        fontSize=size,
        leading=size * 1.28,
        alignment=0 if bold else 4,
    )


def _page(canvas: Canvas, work: Work, number: int) -> None:
    if work.shape == "turned":
        canvas.setPageRotation(90)
    if work.shape == "book" and number % 12 == 1:
        chapter = f"Chapter {number // 12 + 1}"
        canvas.bookmarkPage(f"c{number}")
        canvas.addOutlineEntry(chapter, f"c{number}", 0)
    _furniture(canvas, work, number)
    top = HEIGHT - MARGIN - 14
    if number == 1:
        top = _head(canvas, work, top)
    if work.shape == "turned":
        _table(canvas, work, number, top)
        return
    if number % 3 == 2:
        top = _figure(canvas, f"{work.doi}:{number}", number, top)
    for column in range(2):
        x, y, step = MARGIN + column * (COLUMN + GUTTER), top, 0
        while y > MARGIN + 70:
            text = Paragraph(paragraph(work.topic, f"{work.doi}:{number}:{column}:{step}"), _style(work, 9.5))
            _, high = text.wrap(COLUMN, 1000)
            if y - high < MARGIN + 20:
                break
            text.drawOn(canvas, x, y - high)
            y, step = y - high - 7, step + 1


def _furniture(canvas: Canvas, work: Work, number: int) -> None:
    font = CHINESE_FONT if work.language == "zh" else "Times-Italic"
    canvas.setFont(font, 8)
    first = int(work.pages.split("-")[0]) if work.pages else 1
    running = f"{work.container or work.title} {work.volume}({work.issue})" if work.volume else work.title
    canvas.drawString(MARGIN, HEIGHT - MARGIN + 8, running)
    canvas.drawRightString(WIDTH - MARGIN, HEIGHT - MARGIN + 8, str(first + number - 1))
    canvas.setLineWidth(0.4)
    canvas.line(MARGIN, HEIGHT - MARGIN + 3, WIDTH - MARGIN, HEIGHT - MARGIN + 3)


def _head(canvas: Canvas, work: Work, top: float) -> float:
    for text, size, bold in (
        (work.title, 17, True),
        (work.authors, 10.5, False),
        (f"https://doi.org/{work.doi}", 8.5, False),
    ):
        block = Paragraph(text, _style(work, size, bold))
        _, high = block.wrap(WIDTH - 2 * MARGIN, 400)
        block.drawOn(canvas, MARGIN, top - high)
        top -= high + 6
    canvas.linkURL(f"https://doi.org/{work.doi}", (MARGIN, top, MARGIN + 200, top + 14))
    abstract = Paragraph(
        ("摘要　" if work.language == "zh" else "<b>Abstract.</b> ") + paragraph(work.topic, work.doi, 4),
        _style(work, 9),
    )
    _, high = abstract.wrap(WIDTH - 2 * MARGIN - 40, 300)
    abstract.drawOn(canvas, MARGIN + 20, top - high - 4)
    return float(top - high - 22)


def _figure(canvas: Canvas, seed: str, number: int, top: float) -> float:
    chance = random.Random(seed)  # noqa: S311  # nosec - an invented curve, no secret
    high, wide = 150.0, WIDTH - 2 * MARGIN
    base = top - high
    canvas.setLineWidth(0.6)
    canvas.rect(MARGIN, base, wide, high)
    for shade in (0.15, 0.5):
        y = base + high / 2
        path = canvas.beginPath()
        path.moveTo(MARGIN, y)
        for step in range(1, 61):
            y = min(base + high - 6, max(base + 6, y + chance.uniform(-14, 14)))
            path.lineTo(MARGIN + wide * step / 60, y)
        canvas.setStrokeGray(shade)
        canvas.drawPath(path)
    canvas.setStrokeGray(0)
    canvas.setFont("Times-Italic", 8)
    canvas.drawString(MARGIN, base - 11, f"Fig. {number}. Observed (dark) and modelled (light) series.")
    return base - 26


def _table(canvas: Canvas, work: Work, number: int, top: float) -> None:
    chance = random.Random(f"{work.doi}:{number}")  # noqa: S311  # nosec - invented figures, no secret
    canvas.setFont("Times-Roman", 8)
    for row in range(36):
        y = top - 14 - row * 15
        canvas.drawString(MARGIN, y, str(1951 + (number - 1) * 12 + row))
        for month in range(12):
            canvas.drawRightString(MARGIN + 60 + month * 35, y, f"{chance.uniform(3, 480):.1f}")
        canvas.line(MARGIN, y - 4, WIDTH - MARGIN, y - 4)


def _scan(work: Work, path: Path) -> None:
    """Pages as pictures only, as an old photocopy would be."""
    typed = io.BytesIO()
    canvas = _canvas(typed, work)
    for number in range(1, work.count + 1):
        _page(canvas, work, number)
        canvas.showPage()
    canvas.save()
    document = pypdfium2.PdfDocument(typed.getvalue())
    scanned = _canvas(str(path), work)
    for page in document:
        picture = page.render(scale=1.6, grayscale=True).to_pil()
        packed = io.BytesIO()
        picture.save(packed, "JPEG", quality=55)
        scanned.drawImage(ImageReader(io.BytesIO(packed.getvalue())), 0, 0, WIDTH, HEIGHT)
        scanned.showPage()
    scanned.save()
    document.close()
