"""Bookmarks made a tree again: a ring of them would keep a reader's program busy for ever."""

from __future__ import annotations

import pikepdf
from pikepdf import Dictionary


def mend_outlines(pdf: pikepdf.Pdf) -> int:
    """Cut what leads from a bookmark to no bookmark, or to one that was met before; how often."""
    top = pdf.Root.get("/Outlines")
    if top is None:
        return 0
    if not isinstance(top, Dictionary):
        del pdf.Root["/Outlines"]
        return 1
    cut, seen, waiting = 0, {top.objgen} - {(0, 0)}, [top]
    while waiting:
        item = waiting.pop()
        for key in ("/First", "/Next"):
            following = item.get(key)
            if following is None:
                continue
            if isinstance(following, Dictionary) and following.objgen not in seen:
                seen |= {following.objgen} - {(0, 0)}
                waiting.append(following)
            else:
                del item[key]
                cut += 1
    return cut
