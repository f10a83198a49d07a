"""Embedding: a TrueType subset with just the glyphs of one copy, as a Type 0 font whose text can be read back.

Every cluster gets a code of its own, even where two characters share a glyph, so ToUnicode is exact. A base with
combining marks that Unicode has no precomposed character for becomes one composite glyph under one code.
"""

from __future__ import annotations

import functools
import hashlib
import struct
import unicodedata
import zlib

import pikepdf
from pikepdf import Array, Dictionary, Name

from drm.pdf.fonts import ABOVE, CJK, Face, FontFile

ARGS_ARE_WORDS, ARGS_ARE_OFFSETS, HAS_SCALE, MORE, HAS_SCALE_XY, HAS_MATRIX = 0x1, 0x2, 0x8, 0x20, 0x40, 0x80
MARK_GAP = 0.06
"""White between a base and a mark that had to be moved off it, in em."""

THICKENING = 0.028
"""Width in em of the outline that makes Chinese characters bold."""

TO_UNICODE = b"""/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
%sendcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


class Subset:
    """The part of one font that a copy uses. Codes are glyph numbers of the subset."""

    def __init__(self, font: FontFile) -> None:
        self.font = font
        self._outlines: list[bytes] = []
        self._metrics: list[tuple[int, int]] = []
        self._codes: dict[str, int] = {}
        self._parts: dict[int, int] = {}
        self._add(0)

    def copy(self) -> Subset:
        """A subset with the same codes, which goes on by itself."""
        other = Subset(self.font)
        other._outlines, other._metrics = self._outlines[:], self._metrics[:]
        other._codes, other._parts = dict(self._codes), dict(self._parts)
        return other

    def code(self, cluster: str) -> int:
        """The code that draws this cluster, which the font must have."""
        found = self._codes.get(cluster)
        if found is None:
            found = self._add(self.font.glyph(cluster)) if len(cluster) == 1 else self._compose(cluster)
            self._codes[cluster] = found
        return found

    def _add(self, glyph: int) -> int:
        code = len(self._outlines)
        self._outlines.append(b"")
        self._metrics.append((self.font.advance(glyph), self.font.side_bearing(glyph)))
        self._outlines[code] = self._renumbered(self.font.outline(glyph))
        return code

    def _part(self, glyph: int) -> int:
        if glyph not in self._parts:
            self._parts[glyph] = self._add(glyph)
        return self._parts[glyph]

    def _renumbered(self, outline: bytes) -> bytes:
        """A composite glyph with the numbers of its components in this subset; others as they are."""
        if len(outline) < 10 or outline[0] < 0x80:
            return outline
        data, offset, flags = bytearray(outline), 10, MORE
        while flags & MORE:
            flags, glyph = struct.unpack_from(">2H", data, offset)
            struct.pack_into(">H", data, offset + 2, self._part(glyph))
            offset += 8 if flags & ARGS_ARE_WORDS else 6
            offset += 2 * bool(flags & HAS_SCALE) + 4 * bool(flags & HAS_SCALE_XY) + 8 * bool(flags & HAS_MATRIX)
        return bytes(data)

    def _compose(self, cluster: str) -> int:
        """A glyph of the base with its marks centred over or under it."""
        base = self.font.glyph(cluster[0])
        box = self.font.glyph_bounds(base) or (0, 0, self.font.advance(base), 0)
        left, bottom, right, top = box
        parts = [(self._part(base), 0, 0)]
        for character in cluster[1:]:
            glyph = self.font.glyph(character)
            mark = self.font.glyph_bounds(glyph)
            if mark is None:
                continue
            across = round((left + right - mark[0] - mark[2]) / 2)
            gap = round(MARK_GAP * self.font.units_per_em)
            if unicodedata.combining(character) == ABOVE:
                up = max(0, top + gap - mark[1])
                top = mark[3] + up
            else:
                up = min(0, bottom - gap - mark[3])
                bottom = mark[1] + up
            left, right = min(left, mark[0] + across), max(right, mark[2] + across)
            parts.append((self._part(glyph), across, up))
        data = struct.pack(">5h", -1, left, bottom, right, top)
        for index, (part, across, up) in enumerate(parts):
            more = MORE if index + 1 < len(parts) else 0
            data += struct.pack(">2H2h", ARGS_ARE_WORDS | ARGS_ARE_OFFSETS | more, part, across, up)
        self._outlines.append(data)
        self._metrics.append((self.font.advance(base), left))
        return len(self._outlines) - 1

    def widths(self) -> list[int]:
        """How far each code moves the pen, in thousandths of an em."""
        scale = 1000 / self.font.units_per_em
        return [round(advance * scale) for advance, _ in self._metrics]

    @property
    def texts(self) -> tuple[str, ...]:
        """The text of each code; "" for the missing glyph and for parts of other glyphs."""
        found = [""] * len(self._outlines)
        for cluster, code in self._codes.items():
            found[code] = cluster
        return tuple(found)

    def embed(self, pdf: pikepdf.Pdf) -> pikepdf.Object:
        """The Type 0 font of this subset as a new object of the document."""
        scale = 1000 / self.font.units_per_em
        name = Name(f"/{self.tag()}+{self.font.name}")
        data = self.file()
        file = _stream(pdf, data, Length1=len(data))
        descriptor = Dictionary(
            Type=Name.FontDescriptor,
            FontName=name,
            Flags=4,
            FontBBox=Array([round(value * scale) for value in self.font.bounds]),
            ItalicAngle=0,
            Ascent=round(self.font.ascent * scale),
            Descent=round(self.font.descent * scale),
            CapHeight=714,
            StemV=80,
            FontFile2=file,
        )
        descendant = Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType2,
            BaseFont=name,
            CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
            FontDescriptor=pdf.make_indirect(descriptor),
            DW=1000,
            W=Array([0, Array(self.widths())]),
            CIDToGIDMap=Name.Identity,
        )
        font = Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=name,
            Encoding=Name("/Identity-H"),
            DescendantFonts=Array([pdf.make_indirect(descendant)]),
            ToUnicode=_stream(pdf, self.to_unicode()),
        )
        return pdf.make_indirect(font)

    def tag(self) -> str:
        """Six letters that tell this subset from others (ISO 32000-2, 9.9.2)."""
        digest = hashlib.sha256("".join(self._codes).encode()).digest()
        return "".join(chr(ord("A") + byte % 26) for byte in digest[:6])

    def to_unicode(self) -> bytes:
        """The CMap that gives each code its text."""
        lines = [b"<%04X> <%s>\n" % (code, _utf16(cluster)) for cluster, code in self._codes.items()]
        blocks = [lines[start : start + 100] for start in range(0, len(lines), 100)]
        return TO_UNICODE % b"".join(
            b"%d beginbfchar\n%sendbfchar\n" % (len(block), b"".join(block)) for block in blocks
        )

    def file(self) -> bytes:
        """The TrueType file of this subset."""
        offsets, glyf = [0], bytearray()
        for outline in self._outlines:
            glyf += outline + bytes(-len(outline) % 4)
            offsets.append(len(glyf))
        count = len(self._outlines)
        head, hhea, maxp = (bytearray(self.font.table(tag)) for tag in (b"head", b"hhea", b"maxp"))
        struct.pack_into(">L", head, 8, 0)
        struct.pack_into(">h", head, 50, 1)
        struct.pack_into(">H", hhea, 34, count)
        struct.pack_into(">H", maxp, 4, count)
        struct.pack_into(">4H", maxp, 6, 2000, 200, 4000, 400)
        struct.pack_into(">2H", maxp, 28, 16, 4)
        tables = {
            b"glyf": bytes(glyf),
            b"head": bytes(head),
            b"hhea": bytes(hhea),
            b"hmtx": b"".join(struct.pack(">Hh", *metric) for metric in self._metrics),
            b"loca": struct.pack(f">{count + 1}L", *offsets),
            b"maxp": bytes(maxp),
        }
        return _sfnt(tables)


def _sfnt(tables: dict[bytes, bytes]) -> bytes:
    """A TrueType file of these tables (OpenType 1.9, "Organization of an OpenType font")."""
    power = len(tables).bit_length() - 1
    header = struct.pack(">L4H", 0x00010000, len(tables), 16 << power, power, 16 * len(tables) - (16 << power))
    directory, body, offset = bytearray(header), bytearray(), 12 + 16 * len(tables)
    for tag, data in sorted(tables.items()):
        padded = data + bytes(-len(data) % 4)
        checksum = sum(struct.unpack(f">{len(padded) // 4}L", padded)) & 0xFFFFFFFF
        directory += struct.pack(">4s3L", tag, checksum, offset + len(body), len(data))
        body += padded
    return bytes(directory + body)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be").hex().upper().encode()


def _stream(pdf: pikepdf.Pdf, data: bytes, **entries: int) -> pikepdf.Object:
    return pikepdf.Stream(pdf, zlib.compress(data), Filter=Name.FlateDecode, **entries)


@functools.lru_cache(maxsize=4096)
def em_width(text: str, face: Face) -> float:
    """The width of a text in em. Raises MissingGlyph."""
    width = 0.0
    for font, found in face.runs(text):
        width += sum(font.advance(font.glyph(cluster[0])) for cluster in found) / font.units_per_em
    return width


class Lettering:
    """All text of one copy: measures it, writes its operators and gathers the fonts that it needs."""

    def __init__(self) -> None:
        self._subsets: dict[str, Subset] = {}

    def _subset(self, font: FontFile) -> Subset:
        if font.name not in self._subsets:
            self._subsets[font.name] = Subset(font)
        return self._subsets[font.name]

    def width(self, text: str, face: Face, size: float) -> float:
        """How wide the text is at this size. Raises MissingGlyph."""
        return size * em_width(text, face)

    def show(self, text: str, face: Face, size: float, x: float, y: float) -> bytes:
        """The operators that write the text from (x, y), in the current fill and stroke colours.

        Strings are hexadecimal, so nothing in them can act.
        """
        parts = []
        for font, found in face.runs(text):
            subset = self._subset(font)
            codes = b"".join(b"%04X" % subset.code(cluster) for cluster in found)
            weight = b"2 Tr %s w " % number(THICKENING * size) if face.bold and font.name == CJK else b"0 Tr "
            parts.append(weight + b"/%s %s Tf <%s> Tj" % (self._name(font), number(size), codes))
        return b"BT 1 0 0 1 %s %s Tm %s ET\n" % (number(x), number(y), b" ".join(parts))

    def _name(self, font: FontFile) -> bytes:
        return b"RL" + font.name.replace("-", "").encode()

    def fonts(self, pdf: pikepdf.Pdf) -> Dictionary:
        """The /Font resources for everything shown so far; call it after the last ``show``."""
        fonts = Dictionary()
        for subset in self._subsets.values():
            fonts[f"/{self._name(subset.font).decode()}"] = subset.embed(pdf)
        return fonts


@functools.lru_cache(maxsize=16384)
def number(value: float) -> bytes:
    """A number as content streams have it: at most four decimals, never an exponent."""
    if value == int(value):
        return b"%d" % value
    text = (b"%.4f" % value).rstrip(b"0").rstrip(b".")
    return b"0" if text == b"-0" else text
