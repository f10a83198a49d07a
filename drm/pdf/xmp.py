"""The metadata packet of a copy (ISO 16684-1), written out: a library that edits packets takes longer than stamping a page."""

from __future__ import annotations

import functools
import re
from html import escape

PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">{}</x:xmpmeta>\n<?xpacket end="w"?>'
)
RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">{}</rdf:RDF>'
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 does not permit in any spelling."""


def packet(identifier: str, title: str, source: str) -> bytes:
    """A packet with these properties of Dublin Core; title and source are left out where they are empty."""
    return PACKET.format(properties(identifier, title, source)).encode()


def properties(identifier: str, title: str, source: str) -> str:
    """The same without the wrappers, by which those find metadata who do not read the file (ISO 16684-1, 7.3)."""
    # the identifier comes last: copies of one article differ in it alone
    named = f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escaped(title)}</rdf:li></rdf:Alt></dc:title>'
    found = f'<rdf:Description rdf:about="">{named}</rdf:Description>' if title else ""
    simple = f'dc:source="{attribute(source)}" ' if source else ""
    return RDF.format(f'{found}<rdf:Description rdf:about="" {simple}dc:identifier="{attribute(identifier)}"/>')


@functools.lru_cache(maxsize=1024)
def escaped(text: str) -> str:
    """Text as it may stand in XML, without what XML does not permit."""
    return escape(FORBIDDEN.sub("", text), quote=False)


def attribute(text: str) -> str:
    """Text as it may stand in an attribute between double quotes."""
    return escape(FORBIDDEN.sub("", text))
