"""A quick look whether an object may hold anything that is removed from documents, so that the rest need not be walked.

Walking a dictionary from Python takes a hundred times as long as having qpdf write it out and searching that. qpdf
writes a name in one way only, however the file spells it, with a space behind each token.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

from pikepdf import Array, Dictionary, Stream

NAMES = frozenset({
    # entries that are removed wherever they stand
    "/AA", "/AF", "/EF", "/RF", "/PieceInfo", "/JS", "/OPI", "/Alternates", "/SpiderInfo", "/Thumb", "/PresSteps",
    "/DestOutputProfileRef", "/Metadata", "/AcroForm", "/XFA", "/EmbeddedFiles", "/Renditions", "/RichMediaContent",
    "/AlternatePresentations", "/3DD", "/Requirements", "/NeedsRendering", "/Collection", "/DSS",
    # actions, annotations and outline items
    "/Action", "/GoTo", "/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/ResetForm", "/GoToR", "/GoToE", "/Rendition",
    "/Movie", "/Sound", "/GoTo3DView", "/RichMediaExecute", "/SetOCGState", "/Hide", "/URI", "/Named", "/Thread",
    "/GoToDp", "/Annot", "/Title", "/Rect", "/FT",
    # what makes a stream more than its data, and signatures
    "/F", "/FFilter", "/FDecodeParms", "/Ref", "/PS", "/ByteRange", "/EmbeddedFile", "/Filespec",
})  # fmt: skip
NO_ATTRIBUTES = rb"/(?:P?A|OpenAction) << (?:(?!/O |<<|>>)[\s\S])*+(?:<<|>>)"
"""What hangs where actions hang and is no attribute of a structure element, which names its owner: of whatever kind it says it is."""


def _any_of(names: Iterable[str]) -> bytes:
    """An expression for names, sorted by their first letter: trying all of them at each slash takes twice as long."""
    letters = groupby(sorted(name[1:] for name in names), lambda name: name[0])
    return b"/(?:%s)" % b"|".join(
        b"%s(?:%s)" % (first.encode(), b"|".join(name[1:].encode() for name in some)) for first, some in letters
    )


PATTERN = re.compile(b"%s |/S /Trans |%s" % (_any_of(NAMES), NO_ATTRIBUTES))

NO_STREAMS = frozenset({
    "/Catalog", "/ExtGState", "/Font", "/FontDescriptor", "/OCG", "/OCMD", "/Outlines", "/Page", "/Pages", "/StructElem", "/StructTreeRoot",
})  # fmt: skip
"""What is a dictionary and never a stream (ISO 32000-2): data that such a one carries nobody reads."""
MISTYPED = re.compile(b"/Type (?:%s) " % b"|".join(sorted(name.encode() for name in NO_STREAMS)))

_NUMBER, _NAME = rb"-?[0-9.]++", rb"/[A-Za-z0-9._+:-]++"
_STRING = rb"(?:\((?:[^()\\]++|\\[\s\S])*+\)|<[0-9a-f]*+>)"
_REFERENCE = rb"[0-9]++ [0-9]++ R"
_PLACE = rb"(?:%b|%b|%b|\[ (?:(?:%b|%b|%b|null) )*+\])" % (_STRING, _NAME, _REFERENCE, _REFERENCE, _NUMBER, _NAME)
_ADDRESS = rb"\((?:https?|mailto|doi):[!-'*-Z^-~]*+\)"
_LEADS = rb"/A << (?:/Type /Action |/D %b |/S /GoTo )++>>|/A << (?:/Type /Action |/S /URI |/URI %b )++>>" % (
    _PLACE,
    _ADDRESS,
)
_LINE = rb"/BS << (?:/W %b |/S /[SDBIU] |/Type /Border )*+>>" % _NUMBER
PLAIN_LINK = re.compile(
    rb"<< (?:(?:%b|%b|/Dest %b|/(?:Border|C|QuadPoints|Rect) \[ (?:%b )*+\]|/(?:Contents|M|NM|Title) %b|/(?:F|StructParent) [0-9]++"
    rb"|/H /[INOP]|/(?:P|Parent|Prev|Next|First|Last) %b|/Count -?[0-9]++|/Subtype /Link|/Type /Annot) )++>>"
    % (_LEADS, _LINE, _PLACE, _NUMBER, _STRING, _REFERENCE)
)
"""A link or bookmark with nothing but what these have, to a place in the document or an address of a permitted scheme: from
the commonest of all holders of actions nothing is removed (``judging.py``)."""


def is_watched(top: object) -> bool:
    """Whether any of NAMES stands in an object of its own or in what is nested in it, but not in objects it refers to.

    Plain links and bookmarks are spared.
    """
    if isinstance(top, Stream):
        text = top.stream_dict.unparse()
        return PATTERN.search(text) is not None or MISTYPED.search(text) is not None
    elif isinstance(top, Dictionary) or isinstance(top, Array):  # noqa: SIM101 - a union takes longer
        text = top.unparse(resolved=True)
    else:
        return False
    return PATTERN.search(text) is not None and not _is_plain_link(text)


def _is_plain_link(text: bytes) -> bool:
    return (b"/Rect [" in text or b"/Title " in text) and PLAIN_LINK.fullmatch(text) is not None
