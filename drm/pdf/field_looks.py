"""Gives form fields that need one the appearance of their value: by the PDF library where that can write it, else in our fonts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pikepdf
from pikepdf import AcroForm, Annotation, Array, Dictionary, Name, Object

from drm.pdf.field_lines import FONT, USUAL_SIZE, lines_look, lines_of
from drm.pdf.fonts import REGULAR, clusters
from drm.pdf.geometry import box_of
from drm.pdf.glyphs import Lettering, number
from drm.pdf.names import clean_text, is_drawable

MULTILINE, PASSWORD, COMBO = 1 << 12, 1 << 13, 1 << 17
COLOUR = re.compile(rb"(?:^|[\s\]])((?:[-+]?(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)\s++){1,4}+(?:g|rg|k))(?=\s|$)")
ENCODINGS = {"/WinAnsiEncoding": "cp1252", "/MacRomanEncoding": "mac_roman"}
PAINTS = re.compile(rb"(?<![^\s)>\]])(?:Tj|TJ|'|\"|Do|EI|sh)(?![^\s\[<(/])")
LEAST_SIZE, EDGE, LEADING = 4.0, 2.0, 1.25
SHARE_OF_HEIGHT, BASE = 0.65, 0.24
"""Of a line's height the size of letters that fit, and of their size the depth below their line."""

LONGEST = 20_000
"""Characters of a value that are drawn."""


class FieldLooks:
    """Draws the fields of one form; ``unshown`` counts those of which not every letter could be drawn.

    All that it draws itself shares fonts, which ``finish`` puts into the document.
    """

    def __init__(self, pdf: pikepdf.Pdf, form: AcroForm | None) -> None:
        self._pdf, self._form = pdf, form
        self._lettering = Lettering()
        self._fonts: Object | None = None
        self.unshown = 0

    def give(self, widget: Object, look: Object | None) -> None:
        """Draw a text or choice field that has no appearance, or whose form says that appearances are out of date.

        ``look`` is the appearance that it has. Several lines that have one keep it, since the library's is poor, and so does a
        value that the field's font does not hold letter for letter. A password is not to be seen.
        """
        if self._form is None:
            return
        try:
            self._give(self._form, widget, look)
        except (RuntimeError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, pikepdf.PdfError):
            return  # a field that cannot be drawn looks as it did

    def _give(self, form: AcroForm, widget: Object, look: Object | None) -> None:
        annotation = Annotation(widget)
        field = form.get_field_for_annotation(annotation)
        if field.is_null or not (field.is_text or field.is_choice) or not isinstance(value_of(widget), pikepdf.String):
            return
        several = field.is_text and bool(field.flags & MULTILINE)
        if field.is_text and field.flags & PASSWORD:
            return
        if look is not None and (not form.needs_appearances or several):
            return
        fonts, default = field.default_resources.get("/Font", Dictionary()), field.default_appearance
        value = field.value_as_string
        shown = _displayed(field, value)
        beside = field.choices if field.is_choice and not field.flags & COMBO else []
        if shown == value and all(_is_written(text, default, fonts) for text in (value, *beside)):
            lines = lines_look(self._pdf, widget.Rect, value, default, fonts) if several else None
            if lines is None:
                field.generate_appearance(annotation)
            else:
                widget.AP = Dictionary(N=lines)
        elif look is None or not _paints(look):
            widget.AP = Dictionary(N=self._drawn(widget.Rect, shown, default, field.quadding, several))

    def _drawn(self, rectangle: Object, text: str, default: bytes, quadding: int, several: bool) -> Object:
        """An appearance in our fonts, of which the copy keeps the letters that it needs."""
        box = box_of(rectangle)
        if box is None:
            raise ValueError("a field without a place")
        width, height = box[2] - box[0], box[3] - box[1]
        rows, whole = _drawable(text[:LONGEST] if several else " ".join(text[:LONGEST].split()))
        self.unshown += not whole or len(text) > LONGEST
        size = _size(default, height, several)
        if several:
            rows = [part for row in rows for part in lines_of(self._lettering, row, size, width - 2 * EDGE)]
        elif not _given_size(default):
            wide = self._lettering.width(rows[0], REGULAR, size) if rows else 0.0
            size = max(LEAST_SIZE, min(size, size * (width - 2 * EDGE) / wide)) if wide else size
        top = height - EDGE - size if several else (height - size) / 2 + BASE * size
        lines = list[bytes]()
        for index, row in enumerate(rows):
            spare = width - 2 * EDGE - self._lettering.width(row, REGULAR, size)
            x = EDGE + max(0.0, spare) * {1: 0.5, 2: 1.0}.get(quadding, 0.0)
            lines.append(self._lettering.show(row, REGULAR, size, x, top - index * LEADING * size))
        frame = tuple(map(number, (width, height)))
        colour = COLOUR.findall(default)
        content = (b"/Tx BMC q 0 0 %b %b re W n " % frame) + (colour[-1] if colour else b"0 g") + b" "
        look = self._pdf.make_stream(content + b"".join(lines) + b"Q EMC")
        look.Type, look.Subtype, look.BBox = Name.XObject, Name.Form, Array([0, 0, round(width, 3), round(height, 3)])
        if self._fonts is None:
            self._fonts = self._pdf.make_indirect(Dictionary())
        look.Resources = Dictionary(Font=self._fonts)
        return look

    def finish(self) -> None:
        """Put the fonts of everything drawn into the document; call it once, when all is drawn."""
        if self._fonts is not None:
            for name, font in self._lettering.fonts(self._pdf).items():
                self._fonts[name] = font


def value_of(field: Object) -> Object | None:
    """The value of a field, its own or its parents'."""
    node: Object | None = field
    for _ in range(32):
        if not isinstance(node, Dictionary):
            return None
        if "/V" in node:
            return node.get("/V")
        node = node.get("/Parent")
    return None


def _displayed(field: pikepdf.AcroFormField, value: str) -> str:
    """What viewers show for a value: of a choice, the words beside it (ISO 32000-2, table 234)."""
    if field.is_choice:
        for export, words in _options(field.get_inheritable_field_value("/Opt")):
            if export == value:
                return words
    return value


def _options(options: object) -> Iterator[tuple[str, str]]:
    for one in options if isinstance(options, Array) else ():
        if isinstance(one, Array) and len(one) == 2:
            yield str(one[0]), str(one[1])


def _is_written(text: str, default: bytes, fonts: object) -> bool:
    """Whether the library, which knows fonts of single bytes in two encodings, writes every letter in the field's font.

    In fonts of any other encoding it takes the letters of ASCII to be where they usually are.
    """
    found = FONT.search(default)
    font = fonts.get(f"/{found[1].decode('latin-1')}") if found and isinstance(fonts, Dictionary) else None
    encoding = font.get("/Encoding") if isinstance(font, Dictionary) else None
    known = ENCODINGS.get(str(encoding), "ascii") if isinstance(encoding, Name) else "ascii"
    if isinstance(font, Dictionary) and font.get("/Subtype") == Name.Type0:
        return False
    try:
        text.encode(known)
    except UnicodeEncodeError:
        return False
    return True


def _paints(look: Object) -> bool:
    """Whether an appearance shows any text or picture; that of a field nobody filled in may have no more than a ground."""
    try:
        return PAINTS.search(look.read_bytes()) is not None
    except pikepdf.PdfError:
        return True


def _drawable(text: str) -> tuple[list[str], bool]:
    """The lines of a text, a question mark for each letter that no font has, and whether there was none."""
    lines = [clean_text(line) for line in text.splitlines()]
    if all(map(is_drawable, lines)):
        return lines, True
    return ["".join(one if is_drawable(one) else "?" for one in clusters(line)) for line in lines], False


def _given_size(default: bytes) -> float:
    found = FONT.search(default)
    return abs(float(found[2])) if found else 0.0


def _size(default: bytes, height: float, several: bool) -> float:
    usual = USUAL_SIZE if several else min(USUAL_SIZE, SHARE_OF_HEIGHT * height)
    return max(_given_size(default) or usual, LEAST_SIZE)
