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
from drm.pdf.tail.crypt import encrypt_dictionary, permission_bits
from drm.pdf.tail.embedding import DEFLATED, write_font
from drm.pdf.tail.keys import MasterKeys, MasterSecret, derived, reader_lock
from drm.pdf.tail.lettering import TailLettering, font_tables
from drm.pdf.tail.stamping import Copy, draw_stamps
from drm.pdf.tail.values import ENGINE_VERSION, Master, Tail
from drm.pdf.tail.writing import TailWriter, clear, packed, seal_shared, sealing
from drm.pdf.values import CopySpec, PdfRefused
from drm.pdf.xmp import properties

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
    copy = Copy(master, spec, strings, footer_text(spec, strings), frame.lettering.copy())
    writer = _writer(master, spec, secret)
    writer.add(master.root, _terse(master.catalogue))
    outgrown = _write_forms(writer, copy, marks)
    shared, own = draw_cover(copy, frame)
    writer.shared_stream(master.cover[0], DEFLATED, shared)
    writer.stream(master.cover[1], DEFLATED, own)
    _write_resources(writer, copy)
    _write_metadata(writer, copy)
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
    copy = Copy(master, spec, strings, footer_text(spec, strings), TailLettering(font_tables(master.fonts)))
    writer = _writer(master, spec, secret)
    writer.add(master.root, master.catalogue)
    for form in master.forms:
        writer.stream(form.number, _form_entries(copy, form.width, form.height), packed(b"q Q"))
    for part in master.cover:
        writer.stream(part, DEFLATED, packed(b""))
    _write_resources(writer, copy)
    _write_metadata(writer, copy)
    return _finished(writer, copy, secret, None)


def _writer(master: Master, spec: CopySpec, secret: MasterSecret | None) -> TailWriter:
    if secret is None:
        return TailWriter(master.base_len, master.size, clear, clear)
    file_key, seed = secret.file_key, secret.seed
    own = sealing(file_key, seed, f"{master.id}|{spec.delivery}".encode())
    shared = functools.partial(seal_shared, file_key, seed, master.id)
    return TailWriter(master.base_len, master.size, own, shared)


@functools.lru_cache(maxsize=512)
def _terse(catalogue: bytes) -> bytes:
    """A dictionary without strings, less the blanks that nothing needs."""
    return BLANKS.sub(b"", catalogue)


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


def _write_metadata(writer: TailWriter, copy: Copy) -> None:
    """Title, DOI and delivery in Info and XMP; never the reader's name."""
    master, citation = copy.master, copy.spec.citation
    title = b""
    if citation.title:
        title = b"/Title" + writer.shared_string(master.info, _text_string(citation.title))
    writer.add(master.info, b"<<%s>>" % title)
    source = f"doi:{citation.doi}" if citation.doi else ""
    xmp = properties(f"{URN}{copy.spec.delivery}", citation.title, source)
    writer.stream(master.metadata, b"/Type/Metadata/Subtype/XML" + DEFLATED, packed(xmp.encode("utf-8", "replace")))


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
    trailer = b"/Root %d 0 R/Info %d 0 R/Prev %d/ID[<%s><%s>]" % (
        master.root,
        master.info,
        master.prev,
        master.first_id.hex().encode(),
        second.hex().encode(),
    )
    if secret is not None:
        trailer += b"/Encrypt %d 0 R" % master.encrypt
    return writer.finish_table(trailer) if master.layout == "classic" else writer.finish_stream(trailer)
