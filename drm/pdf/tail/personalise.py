"""One reader's copy of a master, as the tail to append: no file is opened and no document parsed."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence

from drm.pdf.copying import URN
from drm.pdf.glyphs import number
from drm.pdf.policy import told_on_cover
from drm.pdf.stamp_text import footer_text, stamp_strings
from drm.pdf.tail.cover_parts import draw_cover, frame_for
from drm.pdf.tail.crypt import encrypt_dictionary, permission_bits, quoted
from drm.pdf.tail.embedding import DEFLATED, write_font
from drm.pdf.tail.keys import MasterKeys, MasterSecret, derived, reader_lock
from drm.pdf.tail.lettering import TailLettering, font_tables
from drm.pdf.tail.stamping import Copy, draw_stamps
from drm.pdf.tail.values import ENGINE_VERSION, Master, Tail
from drm.pdf.tail.writing import Block, TailWriter, clear, packed, packed_between, sealing
from drm.pdf.values import CopySpec, PdfRefused
from drm.pdf.xmp import attribute, properties

DEFAULT_MODE = re.compile(rb"/PageMode/UseNone(?=[/>])")
BLANKS = re.compile(rb" (?=[/<>\[\]])|(?<=[<>\[\]]) ")


def personalise(
    master: Master,
    spec: CopySpec,
    keys: MasterKeys,
    password: str | None = None,
    marks: Sequence[bytes] = (),
    streams: Mapping[int, bytes] | None = None,
) -> Tail:
    """The tail of one copy. The same arguments give the same bytes, on any machine and after any change of site keys.

    ``password`` is the one that shall open the copy. ``marks`` are operators for each article page, painted inside its
    stamp, for masters prepared with a form for every page. ``streams`` are whole content streams by object number, for
    masters whose text is part of the tail. PdfRefused: ``no-key``, ``glyph-missing``, and ``unsupported`` where the
    master cannot give what is asked.
    """
    if master.engine_version != ENGINE_VERSION:
        raise PdfRefused("unsupported", "The master is of an earlier release; the document has to be prepared again.")
    encrypted = spec.permissions.encrypt or bool(password)
    if encrypted != master.encrypted:
        wanted = "an encrypted" if encrypted else "a plain"
        raise PdfRefused("unsupported", f"The master was not prepared for {wanted} copy.")
    if marks and (not master.per_page or len(marks) != len(master.forms)):
        raise PdfRefused("unsupported", "The master was not prepared for a stamp of its own on every page.")
    secret = keys.open(master) if encrypted else None
    spec = told_on_cover(spec, master.repaired)
    strings = stamp_strings(spec)
    frame = frame_for(master, spec, strings)
    words = footer_text(spec, strings)
    copy = Copy(master, spec, strings, words, frame.lettering.copy(), frame.lettering, frame.moulds)
    writer = _writer(master, spec, secret)
    shared, own = draw_cover(copy, frame)
    numbers = (master.root, master.info, master.cover[0])
    writer.add_all(_shared_part(secret, master.id, numbers, master.catalogue, spec.citation.title, shared))
    outgrown = _write_forms(writer, copy, marks)
    writer.stream(master.cover[1], DEFLATED, own)
    _write_resources(writer, copy)
    _write_packet(writer, copy)
    for one, content in (streams or {}).items():
        writer.stream(one, DEFLATED, content)
    data = _finished(writer, copy, secret, password)
    overlap = tuple(range(1, master.pages + 1)) if outgrown else master.overlap
    return Tail(
        data,
        hashlib.sha256(data).hexdigest(),
        master.id,
        master.base_len + len(data),
        master.pages + 1,
        spec.delivery,
        encrypted,
        strings.name_shown,
        strings.name_fallback,
        overlap,
    )


def blank_tail(master: Master, spec: CopySpec, keys: MasterKeys) -> bytes:
    """A tail whose stamps paint nothing: what is left is the document itself, for comparing with its source."""
    secret = keys.open(master) if master.encrypted else None
    strings = stamp_strings(spec)
    lettering = TailLettering(font_tables(master.fonts))
    copy = Copy(master, spec, strings, footer_text(spec, strings), lettering, lettering, {})
    writer = _writer(master, spec, secret)
    numbers = (master.root, master.info, master.cover[0])
    writer.add_all(_shared_part(secret, master.id, numbers, master.catalogue, spec.citation.title, packed(b"")))
    for form in master.forms:
        writer.stream(form.number, _form_entries(copy, form.width, form.height), packed(b"q Q"))
    writer.stream(master.cover[1], DEFLATED, packed(b""))
    _write_resources(writer, copy)
    _write_packet(writer, copy)
    return _finished(writer, copy, secret, None)


def _writer(master: Master, spec: CopySpec, secret: MasterSecret | None) -> TailWriter:
    if secret is None:
        return TailWriter(master.base_len, master.size, clear)
    own = sealing(secret.file_key, secret.seed, f"{master.id}|{spec.delivery}".encode())
    return TailWriter(master.base_len, master.size, own)


@functools.lru_cache(maxsize=512)
def _shared_part(
    secret: MasterSecret | None,
    master_id: str,
    numbers: tuple[int, int, int],
    catalogue: bytes,
    title: str,
    cover: bytes,
) -> Block:
    """Root, Info with the title, and the first stream of the cover: what all copies under an agreement have alike.

    Encrypted, if at all, alike in all of them, as the master's body is.
    """
    root, info, stream = numbers
    seal = clear if secret is None else sealing(secret.file_key, secret.seed, f"{master_id}|shared".encode())
    writer = TailWriter(0, 0, seal)
    writer.add(root, _terse(catalogue))
    writer.add(info, b"<<%s>>" % (b"/Title" + quoted(seal(info, _text_string(title))) if title else b""))
    writer.stream(stream, DEFLATED, cover)
    return writer.block()


def _terse(catalogue: bytes) -> bytes:
    """A dictionary without strings, less the blanks that nothing needs and an entry that says what holds without it."""
    return DEFAULT_MODE.sub(b"", BLANKS.sub(b"", catalogue))


def _form_entries(copy: Copy, width: float, height: float) -> bytes:
    size = (number(width), number(height), copy.master.resources)
    return DEFLATED + b"/Subtype/Form/BBox[0 0 %s %s]/Resources %d 0 R" % size


def _write_forms(writer: TailWriter, copy: Copy, marks: Sequence[bytes]) -> bool:
    """The stamp forms. With a form for every page, each paints the stamp of its size and its own marks."""
    contents, outgrown = draw_stamps(copy)
    sizes: dict[bytes, int] = {}
    for index, (form, content) in enumerate(zip(copy.master.forms, contents, strict=True)):
        entries = _form_entries(copy, form.width, form.height)
        if not copy.master.per_page:
            writer.stream(form.number, entries, packed(content))
            continue
        if content not in sizes:
            sizes[content] = writer.stream(writer.number(), entries, packed(content))
        own = b"/Subtype/Form/BBox[0 0 %s %s]" % (number(form.width), number(form.height))
        own += b"/Resources<</XObject<</RlT %d 0 R>>>>" % sizes[content]
        writer.stream(form.number, own, b"/RlT Do\n" + (marks[index] if marks else b""))
    return outgrown


def _write_resources(writer: TailWriter, copy: Copy) -> None:
    """What all stamps and the cover draw with: the master's fonts, and subsets for what they lack."""
    fonts = [copy.lettering.entries]
    fonts += [b"/%s %d 0 R" % (name, write_font(writer, subset)) for name, subset in copy.lettering.subsets.items()]
    writer.add(copy.master.resources, b"<</ExtGState %d 0 R/Font<<%s>>>>" % (copy.master.states, b"".join(fonts)))


def _write_packet(writer: TailWriter, copy: Copy) -> None:
    """Title, DOI and delivery as XMP; never the reader's name."""
    citation = copy.spec.citation
    before, after = _packet(citation.title, f"doi:{citation.doi}" if citation.doi else "")
    own = attribute(copy.spec.delivery).encode("utf-8", "replace")
    writer.stream(copy.master.metadata, b"/Type/Metadata/Subtype/XML" + DEFLATED, packed_between(before, own, after))


@functools.lru_cache(maxsize=512)
def _packet(title: str, source: str) -> tuple[bytes, bytes]:
    """What stands in the metadata before and after the delivery, with which the last property ends."""
    before, urn, after = properties(URN, title, source).encode("utf-8", "replace").rpartition(URN.encode())
    return before + urn, after


def _text_string(text: str) -> bytes:
    """A text string (ISO 32000-2, 7.9.2.2): ASCII is the same in PDFDocEncoding, all else is UTF-16."""
    if text.isascii() and text.isprintable():
        return text.encode()
    return b"\xfe\xff" + text.encode("utf-16-be", "replace")


def _finished(writer: TailWriter, copy: Copy, secret: MasterSecret | None, password: str | None) -> bytes:
    master, delivery = copy.master, copy.spec.delivery
    if secret is not None:
        lock = reader_lock(secret, master, delivery, password)
        bits = permission_bits(copy.spec.permissions)
        random = derived(secret, master, delivery if password else "", "perms", 4)
        writer.add(master.encrypt, encrypt_dictionary(secret.file_key, lock, bits, random))
        second = derived(secret, master, delivery, "id", 16)
    else:
        second = hashlib.sha256(f"id|{master.id}|{delivery}".encode()).digest()[:16]
    trailer = b"/Root %d 0 R/Info %d 0 R/Prev %d/ID[%s%s]" % (
        master.root,
        master.info,
        master.prev,
        quoted(master.first_id),
        quoted(second),
    )
    if secret is not None:
        trailer += b"/Encrypt %d 0 R" % master.encrypt
    return writer.finish_table(trailer) if master.layout == "classic" else writer.finish_stream(trailer)
