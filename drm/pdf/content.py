"""Page content made safe to draw over: what a page leaves open is closed, and its resources become its own.

A page whose content stops inside a string or an inline image cannot be closed from outside; it is moved into a form
XObject, where its lexical end is its end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pikepdf
from pikepdf import Array, Dictionary, Name

from drm.pdf.geometry import view_of
from drm.pdf.values import PdfRefused

WHITE = rb"\x00\t\n\x0c\r "
DELIMITER = rb"\[\]<>{}()/%"
# Possessive, so that nothing is tried twice: a bracket that never closes would else take exponential time.
_INNER = rb"\((?:[^()\\]++|\\[\s\S])*+\)"
_MIDDLE = rb"\((?:[^()\\]++|\\[\s\S]|" + _INNER + rb")*+\)"
_STRING = rb"\((?:[^()\\]++|\\[\s\S]|" + _MIDDLE + rb")*+\)|<[0-9A-Fa-f%s]*+>" % WHITE
NO_OPERATORS = re.compile(rb"\[(?:[^\[\]()<>%]++|" + _STRING + rb")*+\]|" + _STRING + rb"|%[^\r\n]*+")
"""Comments, strings with brackets nested up to three deep, and arrays of strings; deeper ones are walked by hand."""

APART = bytes.maketrans(b"]<>{}\0\x0b", b"      x")
"""Makes what ends tokens a space, and the vertical tab, at which only Python divides, a letter."""

STEPS = frozenset({b"q", b"Q", b"BT", b"ET", b"BMC", b"BDC", b"EMC"})
TOKEN = re.compile(
    rb"%%[^\r\n]*|\(|<[0-9A-Fa-f%s]*>|<<|>>|[\[\]{}]|/[^%s%s]*|[^%s%s]+" % (WHITE, WHITE, DELIMITER, WHITE, DELIMITER)
)
FILTERS = frozenset({"/FlateDecode", "/LZWDecode", "/RunLengthDecode", "/ASCII85Decode", "/ASCIIHexDecode"})
IMAGE_DATA_END = re.compile(rb"(?<=[%s])EI(?![^%s%s])" % (WHITE, WHITE, DELIMITER))
INLINE_IMAGE = re.compile(rb"(?<![^%s])BI(?![^%s%s])" % (WHITE, WHITE, DELIMITER))


@dataclass(frozen=True)
class Balance:
    """What content leaves behind: closings without an opening, and what is still open at its end.

    ``broken`` says that it stops inside a string or an inline image.
    """

    missing_saves: int = 0
    open_saves: int = 0
    open_text: bool = False
    open_marks: int = 0
    broken: bool = False


def balance(content: bytes) -> Balance:
    """Counts q/Q, BT/ET and marked content of a content stream, whatever strings, comments and images hold."""
    found = tokens(content)
    return _walked(content) if found is None else balance_of(found)


def tokens(content: bytes) -> list[bytes] | None:
    """The operators, numbers and names of a content stream in their order, without strings, comments and arrays.

    None where a look at the whole is not certain to be right: with inline images, and with brackets that do not match.
    """
    if b"BI" in content and INLINE_IMAGE.search(content) is not None:
        return None
    bare = NO_OPERATORS.sub(b" ", content)
    if b"(" in bare or b")" in bare:
        return None
    return bare.replace(b"/", b" /").replace(b"[", b" [").translate(APART).split()


def balance_of(found: list[bytes]) -> Balance:
    """The balance of content of which these are the tokens."""
    return _counted([token for token in found if token in STEPS])


def _counted(steps: list[bytes], broken: bool = False) -> Balance:
    depth = lowest = marks = 0
    in_text = False
    for step in steps:
        if step == b"q":
            depth += 1
        elif step == b"Q":
            depth -= 1
            lowest = min(lowest, depth)
        elif step in {b"BT", b"ET"}:
            in_text = step == b"BT"
        else:
            marks = max(0, marks - 1) if step == b"EMC" else marks + 1
    return Balance(-lowest, depth - lowest, in_text, marks, broken)


def _walked(content: bytes) -> Balance:
    """The slow and certain way, token by token."""
    steps: list[bytes] = []
    position, in_image = 0, False
    while (match := TOKEN.search(content, position)) is not None:
        token, position = match[0], match.end()
        if token == b"(":
            position = _string_end(content, match.start())
            if position < 0:
                return _counted(steps, broken=True)
        elif token == b"BI":
            in_image = True
        elif token == b"ID" and in_image:
            end = _image_end(content, position + 1)
            if end < 0:
                return _counted(steps, broken=True)
            position, in_image = end, False
        elif token in STEPS:
            steps.append(token)
    return _counted(steps, broken=in_image)


def _string_end(content: bytes, start: int) -> int:
    depth, position = 0, start
    while position < len(content):
        byte = content[position]
        if byte == 0x5C:
            position += 1
        elif byte == 0x28:
            depth += 1
        elif byte == 0x29:
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    return -1


def _image_end(content: bytes, start: int) -> int:
    """Behind the EI that is followed by something that reads as content, not by more image data; -1 for none."""
    for match in IMAGE_DATA_END.finditer(content, start):
        following = content[match.end() : match.end() + 24]
        if all(byte in b"\t\n\x0c\r" or 0x20 <= byte < 0x7F for byte in following):
            return match.end()
    return -1


def draw_over(
    pdf: pikepdf.Pdf,
    page: pikepdf.Page,
    form: pikepdf.Object,
    operators: bytes,
    key: str,
    shared: dict[bytes, pikepdf.Object] | None = None,
    state: Balance | None = None,
) -> None:
    """Paints ``operators`` above everything on the page, in the page's default coordinates.

    In ``operators`` the placeholder ``%s`` stands for the name under which ``form`` becomes a resource of this page
    (``key``, or ``key`` with a number where that is taken). Pages drawn over with the same ``shared`` use one stream
    for equal operators, which saves two streams a page. ``state`` is what the page's content leaves behind, where that is
    known already.
    """
    streams = _streams(page.obj)
    state = state or balance(content_of(page.obj))
    resources = _own_resources(pdf, page)
    if state.broken:
        inner = _as_form(pdf, page, content_of(page.obj), resources)
        resources = Dictionary(XObject=Dictionary(RlPage=inner))
        streams, state = [pdf.make_stream(b"/RlPage Do\n")], Balance()
    name = _add_form(resources, form, key)
    page.obj.Resources = resources
    before = b"q\n" * (state.missing_saves + 1)
    closing = (b"ET\n" if state.open_text else b"") + b"EMC\n" * state.open_marks + b"Q\n" * (state.open_saves + 1)
    after = b"\n" + closing + operators % name.encode()
    page.obj.Contents = Array([_ends(pdf, before, shared), *streams, _ends(pdf, after, shared)])


def _ends(pdf: pikepdf.Pdf, data: bytes, shared: dict[bytes, pikepdf.Object] | None) -> pikepdf.Object:
    if shared is None:
        return pdf.make_stream(data)
    if data not in shared:
        shared[data] = pdf.make_stream(data)
    return shared[data]


def content_of(page: pikepdf.Object) -> bytes:
    """The whole content of a page, unpacked; PdfRefused where that takes more than it may."""
    return b"\n".join(_readable(stream) for stream in _streams(page))


def _streams(page: pikepdf.Object) -> list[pikepdf.Object]:
    """The content streams of a page; holes and things that are no streams are left out."""
    contents = page.get("/Contents")
    found = list(contents) if isinstance(contents, pikepdf.Array) else [contents]
    return [stream for stream in found if isinstance(stream, pikepdf.Stream)]


def _readable(stream: pikepdf.Object) -> bytes:
    """A content stream unpacked. What is only damaged reads as empty, as viewers show what they can of it.

    What unpacks to more than it may is refused: the copy would do to the reader's program what it does to ours.
    """
    try:
        return stream.read_bytes()
    except pikepdf.PdfError as error:
        words = str(error)
        if "limit" in words:
            raise PdfRefused("bomb", "Unpacking a page takes more than it may.") from None
        if "unfilterable" in words:
            raise PdfRefused(*_why_unfilterable(stream)) from None
        return b""


def _why_unfilterable(stream: pikepdf.Object) -> tuple[str, str]:
    names = stream.get("/Filter", Array())
    filters = [str(name) for name in names] if isinstance(names, pikepdf.Array) else [str(names)]
    if set(filters) <= FILTERS:
        return "bomb", "Unpacking a page takes more than it may."
    return "unsupported", "A page is packed in a way that no program reads."


def _own_resources(pdf: pikepdf.Pdf, page: pikepdf.Page) -> Dictionary:
    """A copy, one level deep, of the resources that hold for this page; the entries stay shared."""
    inherited = resources_of(page)
    resources = Dictionary()
    if isinstance(inherited, pikepdf.Dictionary):
        _take_over(resources, inherited)
    forms = resources.get("/XObject")
    resources.XObject = Dictionary()
    if isinstance(forms, pikepdf.Dictionary):
        _take_over(resources.XObject, forms)
    return resources


def resources_of(page: pikepdf.Page) -> pikepdf.Object:
    """The resources that hold for a page, its own or inherited; an empty dictionary where there are none."""
    return page.resources if "/Resources" in page.obj or _inherits(page.obj) else Dictionary()


def _take_over(into: Dictionary, entries: Dictionary) -> None:
    for key, value in entries.items():
        if value is not None:  # a name for an object that is not in the file
            into[key] = value


def _inherits(page: pikepdf.Object) -> bool:
    node, depth = page.get("/Parent"), 0
    while isinstance(node, pikepdf.Dictionary) and depth < 64:
        if "/Resources" in node:
            return True
        node, depth = node.get("/Parent"), depth + 1
    return False


def _add_form(resources: Dictionary, form: pikepdf.Object, key: str) -> str:
    name, number = f"/{key}", 0
    while name in resources.XObject:
        number += 1
        name = f"/{key}x{number}"
    resources.XObject[name] = form
    return name


def _as_form(pdf: pikepdf.Pdf, page: pikepdf.Page, content: bytes, resources: Dictionary) -> pikepdf.Object:
    form = pdf.make_stream(content)
    form.Type, form.Subtype = Name.XObject, Name.Form
    view = view_of(page.obj)
    form.BBox, form.Resources = Array([view.left, view.bottom, view.right, view.top]), resources
    return form
