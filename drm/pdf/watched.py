"""A quick look whether an object may hold anything that is removed from documents, so that the rest need not be walked.

Walking a dictionary from Python takes a hundred times as long as having qpdf write it out and searching that. qpdf
writes a name in one way only, however the file spells it, with a space behind each token.
"""

from __future__ import annotations

import re

from pikepdf import Array, Dictionary, Stream

NAMES = frozenset({
    # entries that are removed wherever they stand
    "/AA", "/AF", "/EF", "/RF", "/PieceInfo", "/JS", "/OPI", "/Alternates", "/SpiderInfo", "/Thumb", "/PresSteps",
    "/DestOutputProfileRef", "/Metadata",
    # actions, annotations and outline items
    "/Action", "/GoTo", "/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/ResetForm", "/GoToR", "/GoToE", "/Rendition",
    "/Movie", "/Sound", "/GoTo3DView", "/RichMediaExecute", "/SetOCGState", "/Hide", "/URI", "/Named", "/Thread", "/Trans",
    "/GoToDp", "/Annot", "/Title", "/Rect", "/FT",
    # what makes a stream more than its data, and signatures
    "/F", "/FFilter", "/FDecodeParms", "/Ref", "/PS", "/ByteRange",
})  # fmt: skip
PATTERN = re.compile(b"(?:%s) " % b"|".join(sorted(name.encode() for name in NAMES)))


def is_watched(top: object) -> bool:
    """Whether any of NAMES stands in an object of its own or in what is nested in it, but not in objects it refers to."""
    if isinstance(top, Stream):
        text = top.stream_dict.unparse()
    elif isinstance(top, Dictionary | Array):
        text = top.unparse(resolved=True)
    else:
        return False
    return PATTERN.search(text) is not None
