"""Page content made safe to draw over: what a page leaves open is closed, and its resources become its own.

A page whose content stops inside a string, a list or an inline image cannot be closed from outside; it is moved into a form
XObject, where its lexical end is its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pikepdf
from pikepdf import Array, Dictionary, Name

from drm.pdf.geometry import DEEPEST, view_of
from drm.pdf.plain_content import DELIMITER, WHITE, has_inline_images, without_strings
from drm.pdf.structure import move_content
from drm.pdf.values import PdfRefused

# Possessive, so that nothing is tried twice: a bracket that never closes would else take exponential time.
_FLAT = rb"\([^()\\]*+\)"  # most strings, told at once
_INNER = rb"\((?:[^()\\]++|\\[\s\S])*+\)"
_MIDDLE = rb"\((?:[^()\\]++|\\[\s\S]|" + _INNER + rb")*+\)"
_STRING = rb"\((?:[^()\\]++|\\[\s\S]|" + _MIDDLE + rb")*+\)|<[0-9A-Fa-f%s]*+>" % WHITE
_ANYTHING = _FLAT + rb"|\[(?:[^\[\]()<>%]++|" + _FLAT + rb"|" + _STRING + rb")*+\]|" + _STRING + rb"|%[^\r\n]*+"
NO_OPERATORS = re.compile(_ANYTHING)
"""Comments, strings with brackets nested up to three deep, and arrays of strings; deeper ones are walked by hand."""

_SPACE = rb"[" + WHITE + rb"]"
_THEN = _SPACE + rb"*+Tj" + _SPACE + rb"++(?:[-+.0-9]++" + _SPACE + rb"++T[cwz]" + _SPACE + rb"++)?+" + _FLAT
NO_SINGLE_WORDS = re.compile(_FLAT + rb"(?:" + _THEN + rb"){1,500}(?=" + _SPACE + rb"*+Tj)|" + _ANYTHING)
"""The same; of strings shown one behind the other, with nothing between but other spacing, it leaves the last one's operator."""

MANY_WORDS = 50
"""Strings shown from which a page is taken to be of a typesetter who places each word."""

APART = bytes.maketrans(b"]<>{}\0\x0b", b"      x")
"""Makes what ends tokens a space, and the vertical tab, at which only Python divides, a letter."""

STEPS = frozenset({b"q", b"Q", b"BT", b"ET", b"BMC", b"BDC", b"EMC"})
TOKEN = re.compile(
    rb"%%[^\r\n]*|\(|<[0-9A-Fa-f%s]*>|<<|>>|[<\[\]{}]|/[^%s%s]*|[^%s%s]+" % (WHITE, WHITE, DELIMITER, WHITE, DELIMITER)
)
MOST_FILTERS = 4
MOST_CONTENT = 64 * 1024 * 1024
"""Bytes of one page's content, unpacked."""

RUN_LENGTH = frozenset({"/RunLengthDecode", "/RL"})
FILTERS = frozenset({"/FlateDecode", "/LZWDecode", "/RunLengthDecode", "/ASCII85Decode", "/ASCIIHexDecode"})
IMAGE_DATA_END = re.compile(rb"(?<=[%s])EI(?![^%s%s])" % (WHITE, WHITE, DELIMITER))
CLOSING = frozenset({b"]", b">>"})
CLOSED_BY = {b"[": b"]", b"<<": b">>"}
DOUBLE = (b"<<", b">>")
NO_BRACKETS = bytes(set(range(256)) - set(b"[]<>"))
MOST_NESTED = 8
IMAGE_END = re.compile(rb"[%s]*EI(?![^%s%s])" % (WHITE, WHITE, DELIMITER))
IMAGE_NUMBER = re.compile(rb"/(W|Width|H|Height|BPC|BitsPerComponent)[%s]+(\d{1,9})" % WHITE)
IMAGE_COLOURS = re.compile(rb"/(?:CS|ColorSpace)[%s]*\[?[%s]*/(\w+)" % (WHITE, WHITE))
IMAGE_MASK = re.compile(rb"/(?:IM|ImageMask)[%s]+true" % WHITE)
IMAGE_FILTER = re.compile(rb"/(?:F|Filter)[%s/\[]" % WHITE)
COLOURS = {b"G": 1, b"DeviceGray": 1, b"I": 1, b"Indexed": 1, b"RGB": 3, b"DeviceRGB": 3, b"CMYK": 4, b"DeviceCMYK": 4}


@dataclass(frozen=True)
class Balance:
    """What content leaves behind: closings without an opening, and what is still open at its end.

    ``broken`` says that it stops inside a string, a list, a dictionary or an inline image.
    """

    missing_saves: int = 0
    open_saves: int = 0
    open_text: bool = False
    open_marks: int = 0
    broken: bool = False


def balance(content: bytes) -> Balance:
    """Counts q/Q, BT/ET and marked content of a content stream, whatever strings, comments and images hold."""
    found = tokens(content)
    return walked_balance(content) if found is None else balance_of(found)


def tokens(content: bytes) -> list[bytes] | None:
    """The operators, numbers and names of a content stream in their order, without strings, comments and arrays.

    Of strings that are shown one behind the other only the last is shown here.

    None where a look at the whole is not certain to be right: with inline images, and with brackets of any kind that do not match.
    """
    plain = without_strings(content)
    return nested_tokens(content) if plain is None else _divided(plain)


def nested_tokens(content: bytes) -> list[bytes] | None:
    """The same of any content, strings with brackets in them and comments included."""
    bare = (NO_SINGLE_WORDS if content.count(b"Tj") > MANY_WORDS else NO_OPERATORS).sub(b" ", content)
    # Outside strings, if anywhere: before the first of them all strings were read as they should be.
    if has_inline_images(bare):
        return None
    return None if b"(" in bare or b")" in bare else _divided(bare)


def _divided(bare: bytes) -> list[bytes] | None:
    """The tokens of content without strings; None where brackets do not match."""
    bare = bare.replace(b"/", b" /")
    if b"<" in bare or b">" in bare or b"[" in bare or b"]" in bare:
        if not _match(bare):
            return None
        bare = bare.replace(b"[", b" [")
    return bare.translate(APART).split()


def _match(bare: bytes) -> bool:
    """Whether brackets of each kind are closed in the order in which they are opened, at most a few deep."""
    if any(2 * bare.count(double) != bare.count(double[:1]) for double in DOUBLE):
        return False
    brackets = bare.translate(None, NO_BRACKETS)
    for _ in range(MOST_NESTED):
        if not brackets:
            return True
        brackets = brackets.replace(b"[]", b"").replace(b"<<>>", b"")
    return not brackets


def balance_of(found: Iterable[bytes]) -> Balance:
    """The balance of content of which these are the tokens, or at least all operators that open or close something."""
    return _counted(list(filter(STEPS.__contains__, found)))


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


def walked_balance(content: bytes) -> Balance:
    """The same as ``balance``, the slow and certain way, token by token."""
    steps: list[bytes] = []
    position, image, doubtful = 0, -1, False
    nested: list[bytes] = []
    while (match := TOKEN.search(content, position)) is not None:
        token, position = match[0], match.end()
        if token == b"(":
            position = _string_end(content, match.start())
            if position < 0:
                return _counted(steps, broken=True)
        elif token == b"BI":
            image = position
        elif token == b"ID" and image < 0:
            doubtful = True  # some readers take it for an image without a beginning
        elif token == b"ID":
            length = _unpacked_length(content[image : match.start()])
            exact = None if length is None else IMAGE_END.match(content, position + 1 + length)
            doubtful |= (
                length is not None and exact is None
            )  # readers that count find another end than readers that look
            position, image = exact.end() if exact else _image_end(content, position + 1), -1
            if position < 0:
                return _counted(steps, broken=True)
        elif (
            token == b"<"
        ):  # a hexadecimal string that holds something else, which readers read differently, or does not end
            position, doubtful = content.find(b">", position) + 1, True
            if not position:
                return _counted(steps, broken=True)
        elif token in CLOSED_BY:
            nested.append(CLOSED_BY[token])
        elif token in CLOSING:
            doubtful |= bool(nested) and nested.pop() != token
        elif token in STEPS:
            steps.append(token)
            doubtful |= bool(nested)  # an operator to some readers, a value to others
    return _counted(steps, broken=image >= 0 or bool(nested) or doubtful)


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


def _unpacked_length(head: bytes) -> int | None:
    """How many bytes of data an inline image has that is not packed; None where its entries do not tell."""
    numbers = {name[:1]: int(value) for name, value in IMAGE_NUMBER.findall(head)}
    kind = IMAGE_COLOURS.search(head)
    bits = 1 if IMAGE_MASK.search(head) else numbers.get(b"B", 0) * (COLOURS.get(kind[1], 0) if kind else 0)
    if IMAGE_FILTER.search(head) or not bits or not {b"W", b"H"} <= set(numbers):
        return None
    return numbers[b"H"] * ((numbers[b"W"] * bits + 7) // 8)


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
    if state is None:
        content = content_of(page.obj)
        state = Balance(broken=True) if content is None else balance(content)
    resources = _own_resources(pdf, page)
    # A Q too many is passed over by readers; with a q put before, it would undo what came since.
    if state.broken or state.missing_saves:
        read = _unpacked(streams)
        if None in read:  # nobody knows what such a stream leaves behind
            inner = [_as_form(page, _as_it_is(pdf, stream), resources) for stream in streams]
        else:
            whole = pdf.make_stream(b"\n".join(data for data in read if data is not None))
            inner = [_as_form(page, whole, resources)]
            move_content(pdf, page.obj, whole)
        names = [f"/RlPage{number}" for number in range(len(inner))]
        resources = Dictionary(XObject=Dictionary(dict(zip(names, inner, strict=True))))
        streams, state = [pdf.make_stream(b"".join(b"%s Do\n" % name.encode() for name in names))], Balance()
    name = _add_form(resources, form, key)
    page.obj.Resources = resources
    before = b"q\n"
    closing = (b"ET\n" if state.open_text else b"") + b"EMC\n" * state.open_marks + b"Q\n" * (state.open_saves + 1)
    after = b"\n" + closing + operators % name.encode()
    page.obj.Contents = Array([_ends(pdf, before, shared), *streams, _ends(pdf, after, shared)])


def _ends(pdf: pikepdf.Pdf, data: bytes, shared: dict[bytes, pikepdf.Object] | None) -> pikepdf.Object:
    if shared is None:
        return pdf.make_stream(data)
    if data not in shared:
        shared[data] = pdf.make_stream(data)
    return shared[data]


def content_of(page: pikepdf.Object) -> bytes | None:
    """The whole content of a page, unpacked; None where one of its streams is damaged, PdfRefused where it is too much."""
    read = _unpacked(_streams(page))
    return None if None in read else b"\n".join(data for data in read if data is not None)


def _streams(page: pikepdf.Object) -> list[pikepdf.Object]:
    """The content streams of a page; holes and things that are no streams are left out."""
    contents = page.get("/Contents")
    found = list(contents) if isinstance(contents, pikepdf.Array) else [contents]
    return [stream for stream in found if isinstance(stream, pikepdf.Stream)]


def _unpacked(streams: list[pikepdf.Object]) -> list[bytes | None]:
    """Each stream of a page as ``_readable`` gives it; PdfRefused where together they are more than a page may hold."""
    read, rest = [], MOST_CONTENT
    for stream in streams:
        read.append(_readable(stream))
        rest -= len(read[-1] or b"")
        if rest < 0:
            raise PdfRefused("bomb", "Unpacking a page takes more than it may.")
    return read


def _readable(stream: pikepdf.Object) -> bytes | None:
    """A content stream unpacked; None for what is damaged, of which viewers show what they can.

    What unpacks to more than it may is refused: the copy would do to the reader's program what it does to ours.
    """
    level = pikepdf.StreamDecodeLevel
    try:
        return stream.read_bytes(level.specialized if set(_filters(stream)) & RUN_LENGTH else level.generalized)
    except pikepdf.PdfError as error:
        words = str(error)
        if "limit" in words:
            raise PdfRefused("bomb", "Unpacking a page takes more than it may.") from None
        if "unfilterable" in words:
            raise PdfRefused(*_why_unfilterable(stream)) from None
        return None


def _why_unfilterable(stream: pikepdf.Object) -> tuple[str, str]:
    filters = _filters(stream)
    if set(filters) <= FILTERS and len(filters) > MOST_FILTERS:
        return "bomb", "Unpacking a page takes more than it may."
    return "unsupported", "A page is packed in a way that no program reads."


def _filters(stream: pikepdf.Object) -> list[str]:
    names = stream.get("/Filter", Array())
    return [
        repr(name) if not isinstance(name, Name) else name.unparse().decode("latin-1")
        for name in (names if isinstance(names, pikepdf.Array) else [names])
    ]


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
    node: pikepdf.Object | None = page.obj
    for _ in range(DEEPEST):
        if not isinstance(node, pikepdf.Dictionary):
            break
        if "/Resources" in node:
            return node.Resources
        node = node.get("/Parent")
    return Dictionary()


def _take_over(into: Dictionary, entries: Dictionary) -> None:
    for key, value in entries.items():
        if value is not None:  # a name for an object that is not in the file
            into[key] = value


def _add_form(resources: Dictionary, form: pikepdf.Object, key: str) -> str:
    name, number = f"/{key}", 0
    while name in resources.XObject:
        number += 1
        name = f"/{key}x{number}"
    resources.XObject[name] = form
    return name


def _as_form(page: pikepdf.Page, form: pikepdf.Object, resources: Dictionary) -> pikepdf.Object:
    form.Type, form.Subtype = Name.XObject, Name.Form
    view = view_of(page.obj)
    form.BBox, form.Resources = Array([view.left, view.bottom, view.right, view.top]), resources
    return form


def _as_it_is(pdf: pikepdf.Pdf, stream: pikepdf.Object) -> pikepdf.Object:
    """A stream of the same bytes, packed as they are."""
    packing = {key: stream[key] for key in ("/Filter", "/DecodeParms") if key in stream}
    return pikepdf.Stream(pdf, stream.read_raw_bytes(), packing)
