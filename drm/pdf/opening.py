"""Opening an untrusted file with pikepdf, and turning the library's errors into refusals."""

from __future__ import annotations

import errno
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pypdfium2

from drm.pdf.geometry import size_and_view
from drm.pdf.passwords import forms
from drm.pdf.values import Limits, PdfRefused

BOMB = re.compile(r"(?i)limit|memory|too many(?! warnings)|exceed|bad_alloc")
PIECE = 1024 * 1024
UNREAD, NO_PAGE = (
    re.compile("treating object as null|nested|too deep|limits error"),
    "Pages tree includes non-dictionary",
)
COUNT, COUNT_AT_MOST = re.compile(rb"/Count\s{0,9}(\d{1,12})"), 32
KEPT_IN_TRAILER = frozenset({"/Root", "/Info", "/ID", "/Size", "/Encrypt", "/Prev"})
LONGEST_IDENTIFIER = 256
SMALLEST, LARGEST, LARGEST_UNIT = 2.0, 14_400.0, 200.0


@dataclass(frozen=True)
class Opened:
    """An open document, what its opening repaired, and how it was encrypted: none, empty-password or password."""

    pdf: pikepdf.Pdf
    repaired: tuple[str, ...]
    encryption: str
    revision: int | None


@contextmanager
def translated() -> Iterator[None]:
    """Any error of the PDF libraries as a refusal with a code."""
    try:
        yield
    except PdfRefused:
        raise
    except MemoryError:
        raise PdfRefused("bomb", "The file needs more memory than it may have.") from None
    except pikepdf.PasswordError:
        raise PdfRefused("password-required", "The file needs a password to open.") from None
    except RecursionError:
        raise PdfRefused("bomb", "The file is nested too deeply.") from None
    except (
        pikepdf.PdfError,
        pikepdf.DataDecodingError,
        pypdfium2.PdfiumError,
        RuntimeError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        ArithmeticError,
        NotImplementedError,
    ) as error:
        if "No space left" in str(error):
            raise OSError(errno.ENOSPC, "No space left on device") from None
        if "encryption" in str(error).lower().partition("unsupported")[2]:
            raise PdfRefused("unsupported", "The file is encrypted in a way that is not known here.") from None
        code = "bomb" if BOMB.search(str(error)) else "damaged"
        text = "Unpacking the file takes more than it may." if code == "bomb" else "The file is damaged beyond repair."
        raise PdfRefused(code, text) from error


def open_source(path: Path, limits: Limits, password: str | None) -> Opened:
    """Open a file, repairing what can be repaired; PdfRefused for what we do not take."""
    size = path.stat().st_size
    if size > limits.source_bytes:
        raise PdfRefused("too-large", f"The file has {size} bytes; at most {limits.source_bytes} are taken.")
    with path.open("rb") as file:
        head = file.read(1024 + 5)
    if b"%PDF-" not in head:
        raise PdfRefused("not-a-pdf", "The file is no PDF.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pdf = _opened(path, password)
        except pikepdf.PdfError as error:
            if "no pages found" in str(error):
                raise _without_pages(count_words(path, [b"/Collection"]).total() > 0) from None
            if "Too many warnings" in str(error) and _announces_more(path, limits.pages):
                raise PdfRefused("too-many-pages", f"At most {limits.pages} pages are taken.") from None
            raise
    complaints = "\n".join(map(str, pdf.get_warnings()))
    repaired = ["structure"] if complaints else []
    if UNREAD.search(complaints) and NO_PAGE in complaints:  # the library has mended /Count by now
        raise PdfRefused("damaged", "A page of the file cannot be read.")
    _clean_trailer(pdf)
    encrypted = pdf.is_encrypted
    state = "none" if not encrypted else "password" if password else "empty-password"
    revision = int(pdf.encryption.R) if encrypted else None
    if encrypted:
        repaired.append("encryption")
    _check_size(pdf, limits)
    return Opened(pdf, tuple(repaired), state, revision)


def _opened(path: Path, password: str | None) -> pikepdf.Pdf:
    """The document, opened with a form of the password or, where none fits, without one."""
    for attempt in dict.fromkeys((*forms(password), b"")):
        try:
            return pikepdf.open(path, password=attempt, suppress_warnings=True)
        except pikepdf.PasswordError as error:
            refused = error
    raise refused


def _clean_trailer(pdf: pikepdf.Pdf) -> None:
    """Leave the trailer what every file has; what else it names would be carried into copies, unseen and unchecked."""
    trailer = pdf.trailer
    for key in trailer.keys() - KEPT_IN_TRAILER:
        del trailer[key]
    if "/ID" in trailer and not _is_identifier(trailer.get("/ID")):
        del trailer["/ID"]
    if "/Size" not in trailer:
        trailer["/Size"] = 0  # qpdf writes the true one, but only where there was one


def _is_identifier(value: object) -> bool:
    """Whether this is what every file should have: two strings (ISO 32000-2, 14.4), and short."""
    if not isinstance(value, pikepdf.Array) or len(value) != 2:
        return False
    return all(isinstance(one, pikepdf.String) and len(bytes(one)) <= LONGEST_IDENTIFIER for one in value)


def count_words(path: Path, words: Sequence[bytes]) -> Counter[bytes]:
    """How often each of these words stands in a file, read in pieces."""
    found: Counter[bytes] = Counter()
    longest = max(map(len, words))
    with path.open("rb") as file:
        rest = b""
        while piece := file.read(PIECE):
            data = rest + piece
            found.update({word: data.count(word) - rest.count(word) for word in words})
            rest = data[1 - longest :]
    return found


def _announces_more(path: Path, pages: int) -> bool:
    """Whether a file that could not be opened speaks of more pages than these, as far as it can be read unopened."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            more = file.read(COUNT_AT_MOST)
            if any(int(found) > pages for found in COUNT.findall(piece + more)):
                return True
    return False


def _without_pages(collection: bool) -> PdfRefused:
    return PdfRefused("unsupported" if collection else "zero-pages", "The file has no page of its own.")


def _check_size(pdf: pikepdf.Pdf, limits: Limits) -> None:
    if len(pdf.objects) > limits.objects:
        raise PdfRefused("bomb", f"The file has more than {limits.objects} objects.")
    announced = _announced(pdf.Root)
    count = len(pdf.pages)
    if count == 0:
        raise _without_pages("/Collection" in pdf.Root)
    if isinstance(announced, int) and announced > count:
        raise PdfRefused(
            "damaged", f"Of the {announced} pages that the file announces {announced - count} cannot be found."
        )
    if count > limits.pages:
        raise PdfRefused("too-many-pages", f"The file has {count} pages; at most {limits.pages} are taken.")
    if _only_xfa(pdf):
        raise PdfRefused("unsupported", "The file is a form that only one program can show.")
    for page in pdf.pages:
        width, height, view = size_and_view(page.obj)
        if not (SMALLEST <= width <= LARGEST and SMALLEST <= height <= LARGEST and view.unit <= LARGEST_UNIT):
            raise PdfRefused("unsupported", f"A page measures {width:g} by {height:g} points.")
        if min(view.width, view.height) < 1:
            raise PdfRefused("unsupported", "A page is smaller than a point.")


def _announced(root: pikepdf.Object) -> object:
    """How many pages the tree says it has, before the library mends that number."""
    tree = root.get("/Pages")
    return tree.get("/Count") if isinstance(tree, pikepdf.Dictionary) else None


def _only_xfa(pdf: pikepdf.Pdf) -> bool:
    form = pdf.Root.get("/AcroForm")
    return isinstance(form, pikepdf.Dictionary) and "/XFA" in form and bool(pdf.Root.get("/NeedsRendering", False))
