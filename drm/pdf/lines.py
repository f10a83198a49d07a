"""Breaking text into lines: at spaces, between Han and Kana, and inside a word only where nothing else fits."""

from __future__ import annotations

from drm.pdf.fonts import Face, clusters, is_wide
from drm.pdf.glyphs import Lettering

NEVER_FIRST = frozenset("、。，．：；！？）》」』】〕〉”’…—·,.:;!?)]}%ー々")
NEVER_LAST = frozenset("（《「『【〔〈“‘([{")


def pieces(text: str) -> list[str]:
    """The smallest parts that may stand on a line of their own; a space ends its part."""
    found: list[str] = []
    for cluster in clusters(text):
        if found and not _breaks(found[-1], cluster):
            found[-1] += cluster
        else:
            found.append(cluster)
    return found


def _breaks(before: str, after: str) -> bool:
    last = clusters(before[-4:])[-1]
    if after == " " or after in NEVER_FIRST or last in NEVER_LAST:
        return False
    return last == " " or is_wide(last) or is_wide(after)


def wrap(lettering: Lettering, text: str, face: Face, size: float, width: float) -> list[str]:
    """The text as lines no wider than ``width`` points. No character but the space at a line's end is lost."""
    lines: list[str] = []
    line, used = "", 0.0
    waiting = pieces(text)[::-1]
    while waiting:
        piece = waiting.pop()
        wide = lettering.width(piece.rstrip(" "), face, size)
        if line and used + wide > width:
            lines.append(line.rstrip(" "))
            line, used = "", 0.0
        if wide > width and len(clusters(piece)) > 1:
            head, tail = _split(lettering, piece, face, size, width)
            waiting += [tail, head] if tail else [head]
            if tail:
                continue
            waiting.pop()
        line += piece
        used += lettering.width(piece, face, size)
    return [*lines, line.rstrip(" ")] if line.strip() else lines


def _split(lettering: Lettering, piece: str, face: Face, size: float, width: float) -> tuple[str, str]:
    head, used = "", 0.0
    found = clusters(piece)
    for index, cluster in enumerate(found):
        used += lettering.width(cluster, face, size)
        if head and used > width:
            return head, "".join(found[index:])
        head += cluster
    return head, ""


def shortened(lettering: Lettering, text: str, face: Face, size: float, width: float) -> str:
    """The text, or as much of it as fits before an ellipsis."""
    if lettering.width(text, face, size) <= width:
        return text
    found = clusters(text)
    while found and lettering.width("".join(found) + "…", face, size) > width:
        found.pop()
    return "".join(found).rstrip() + "…" if found else ""
