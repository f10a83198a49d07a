"""Turns an untrusted file into a master. Runs inside the sandbox; what it returns is plain values."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pikepdf
from pikepdf import Array, Dictionary, Name

from drm.pdf.content import draw_over
from drm.pdf.copying import clean
from drm.pdf.cover import cover_size
from drm.pdf.facts import claims_pdfa
from drm.pdf.geometry import View, mended_view
from drm.pdf.glyphs import AnySubset
from drm.pdf.hashing import sha256_of
from drm.pdf.labels import resolve_page_numbers, shift_labels
from drm.pdf.looking import Looker
from drm.pdf.opening import open_source
from drm.pdf.packing import SMALL, pack_better
from drm.pdf.policy import Policy
from drm.pdf.saving import save_clear
from drm.pdf.sealing import Seal
from drm.pdf.stamp import FORM_NAME, StampForm, graphics_states, placing
from drm.pdf.structure import add_to_structure, is_tagged
from drm.pdf.tail.cover_parts import SKELETON
from drm.pdf.tail.cutting import cut_master
from drm.pdf.tail.forms import Slots, choose_forms
from drm.pdf.tail.index import read_index, read_object
from drm.pdf.tail.typical import master_fonts
from drm.pdf.values import CopySpec, Limits, PdfRefused

PARTS = "/RlParts"
PARTS_ENTRY = re.compile(rb" /RlParts \[([ \dR]*)\]")
PLAIN_VERSION, ENCRYPTED_VERSION = "1.7", ("1.7", 8)
"""Encryption of revision 6 came with extension level 8 of PDF 1.7 (ISO 32000-2, Annex I)."""

COVER_STREAMS = 2


@dataclass(frozen=True)
class PrepareTask:
    """What to prepare: a file, for copies like ``typical``; ``out`` is the file to write."""

    source: Path
    out: Path
    typical: CopySpec
    password: str
    encrypted: bool
    classic: bool
    per_page: bool
    policy: Policy = field(default_factory=Policy)


@dataclass
class _Parts:
    """The objects that the tail supplies, and the fonts that it draws with."""

    resources: pikepdf.Object
    metadata: pikepdf.Object
    states: pikepdf.Object
    cover: list[pikepdf.Object]
    forms: list[pikepdf.Object]
    fonts: list[pikepdf.Object]
    tagged: bool = False

    def all(self) -> list[pikepdf.Object]:
        return [self.resources, self.metadata, self.states, *self.cover, *self.forms, *self.fonts]


def prepare_master(task: PrepareTask, limits: Limits) -> dict[str, Any]:
    """Write the master to ``task.out``; the fields of its record, with the file key in clear, for the caller to wrap."""
    opened = open_source(task.source, limits, task.password or None)
    pdf = opened.pdf
    if claims_pdfa(pdf) and task.policy.pdfa == "keep":
        raise PdfRefused("unsupported", "This engine cannot keep PDF/A; the other one can.")
    repaired, removed = clean(opened, task.policy, encrypted=task.encrypted)
    if task.source.stat().st_size <= SMALL:
        pack_better(pdf)
    views = [mended_view(page.obj) for page in pdf.pages]
    looker = Looker(list(pdf.pages), views, limits.decoded_total_bytes)
    slots = choose_forms(views, task.typical, task.source, task.password, looker.boxes, per_page=task.per_page)
    cover = cover_size(views[0].width, views[0].height)
    subsets = master_fonts(task.typical, [*slots.forms], cover, task.source.stat().st_size)
    parts = _add_parts(pdf, slots, views, looker, subsets)
    _flatten_catalogue(pdf, parts)
    with tempfile.TemporaryFile(dir=task.out.parent) as saved:
        version = ENCRYPTED_VERSION if task.encrypted else PLAIN_VERSION
        # In clear: what shall be encrypted is encrypted on the way into the master.
        save_clear(pdf, saved, version, folder=task.out.parent, packed=not task.classic)
        pdf.close()
        cut = _cut(saved, task, len(parts.forms))
    return {
        **cut,
        "forms": [asdict(slot) for slot in slots.slots],
        "fonts": [{"name": subset.font.name, "texts": subset.texts} for subset in subsets],
        "cover_size": cover_size(views[0].width, views[0].height),
        "tagged": parts.tagged,
        "pages": len(views),
        "per_page": task.per_page,
        "overlap": slots.overlap,
        "removed": list(removed),
        "repaired": repaired,
        "source_sha256": sha256_of(task.source),
    }


def _add_parts(
    pdf: pikepdf.Pdf, slots: Slots, views: Sequence[View], looker: Looker, subsets: Iterable[AnySubset]
) -> _Parts:
    """Put the placeholders in their places: a form over each page, and the cover."""
    resources = pdf.make_indirect(Dictionary(Font=Dictionary()))
    metadata = pdf.make_stream(b"\n")
    metadata.Type, metadata.Subtype = Name.Metadata, Name.XML
    streams: list[pikepdf.Object] = [pdf.make_stream(b"% cover") for _ in range(COVER_STREAMS)]
    forms = [_placeholder(pdf, form, resources) for form in slots.forms]
    parts = _Parts(
        resources,
        metadata,
        pdf.make_indirect(graphics_states()),
        streams,
        forms,
        [subset.embed(pdf) for subset in subsets],
    )
    shared: dict[bytes, pikepdf.Object] = {}
    for index, (page, view, slot) in enumerate(zip(list(pdf.pages), views, slots.by_page, strict=True)):
        operators = placing(view, slots.forms[slot])
        draw_over(pdf, page, forms[slot], operators, FORM_NAME, shared, looker.balance(index))
    resolve_page_numbers(pdf)
    parts.tagged = is_tagged(pdf)
    pdf.pages.insert(0, _cover_page(pdf, views[0], streams, resources))
    if parts.tagged:
        add_to_structure(pdf, pdf.pages[0].obj, [role for _, role in SKELETON], slots.language)
    shift_labels(pdf)
    return parts


def _cover_page(
    pdf: pikepdf.Pdf, first: View, streams: Sequence[pikepdf.Object], resources: pikepdf.Object
) -> pikepdf.Page:
    box = [0, 0, *(round(side, 2) for side in cover_size(first.width, first.height))]
    page = Dictionary(Type=Name.Page, MediaBox=Array(box), CropBox=Array(box), Rotate=0)
    page.Contents, page.Resources = Array(streams), resources
    return pikepdf.Page(pdf.make_indirect(page))


def _placeholder(pdf: pikepdf.Pdf, form: StampForm, resources: pikepdf.Object) -> pikepdf.Object:
    stream = pdf.make_stream(b"% stamp")
    stream.Type, stream.Subtype = Name.XObject, Name.Form
    stream.BBox, stream.Resources = Array([0, 0, form.width, form.height]), resources
    return stream


def _flatten_catalogue(pdf: pikepdf.Pdf, parts: _Parts) -> None:
    """Leave the catalogue nothing but names, numbers and references, so that its bytes are the same in every copy.

    Strings would have to be encrypted; they and all that may hold them become objects of the body. What extensions of PDF a
    source uses may hold some, and qpdf takes that into the catalogue again: no reader needs it, so it goes.
    """
    root = pdf.Root
    if "/Extensions" in root:
        del root["/Extensions"]
    root.Metadata = parts.metadata
    if "/Info" in pdf.trailer:
        del pdf.trailer["/Info"]
    pdf.trailer.Info = pdf.make_indirect(Dictionary(Producer=pikepdf.String("x")))
    for key in list(root.keys()):
        value = root[key]
        if isinstance(value, Array | Dictionary | pikepdf.String) and not value.is_indirect:
            root[key] = pdf.make_indirect(value)
    root[PARTS] = Array(parts.all())


def _cut(saved: BinaryIO, task: PrepareTask, count: int) -> dict[str, Any]:
    """Find the numbers that qpdf gave to the tail's objects, and write the master without them."""
    file_key = secrets.token_bytes(32) if task.encrypted else b""
    index = read_index(saved, os.fstat(saved.fileno()).st_size)
    catalogue, numbers = _without_parts(read_object(saved, index, index.root))
    resources, metadata, states, *rest = numbers
    cover, forms, fonts = rest[:COVER_STREAMS], rest[COVER_STREAMS:][:count], rest[COVER_STREAMS + count :]
    encrypt = len(index.entries) if task.encrypted else 0
    tails = {index.root, index.info, encrypt, resources, metadata, *cover, *forms} - {0}
    cut = cut_master(saved, index, task.out, tails, index.root, Seal(file_key) if file_key else None)
    return {
        "id": cut.sha256,
        "layout": "classic" if task.classic else "object-streams",
        "encrypted": task.encrypted,
        "base_len": cut.length,
        "prev": cut.prev,
        "size": cut.size,
        "catalogue": catalogue.hex(),
        "root": index.root,
        "info": index.info,
        "metadata": metadata,
        "encrypt": encrypt,
        "resources": resources,
        "states": states,
        "cover": cover,
        "form_numbers": forms,
        "font_numbers": fonts,
        "first_id": index.first_id,
        "file_key": file_key.hex(),
    }


def _without_parts(catalogue: bytes) -> tuple[bytes, list[int]]:
    """The catalogue as copies have it, and the numbers of the tail's objects, which it named for us."""
    found = PARTS_ENTRY.search(catalogue)
    if found is None:
        raise ValueError("the saved file does not name the parts of the tail")
    numbers = [int(number) for number in found[1].split()[::3]]
    bare = catalogue[: found.start()] + catalogue[found.end() :]
    if b"(" in bare or b"<" in bare.replace(b"<<", b""):
        raise PdfRefused(
            "output-invalid", "The prepared file holds text in its catalogue, which would not be encrypted."
        )
    return bare, numbers
