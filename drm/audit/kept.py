"""How an event stands in its row: its bytes are put together from the row's columns, and what those do not say is kept beside them.

So nothing is written twice, and whoever changes a column changes the event, which its hash shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from drm.audit.events import Event, canonical_json, canonical_time

Row = tuple[int, bytes, bytes, str, str, str, str, str, str, str]
"""Number, what is kept of the event, chain value after it; then time (UTC, ``2026-11-24 09:00:00.000000``), kind, actor, library,
request, delivery and agreements (``name@version``, with blanks between)."""

WHOLE = ord("{")
"""What is kept is the event's bytes themselves: those of older releases, and what no column could give back."""
CODE, FACTS, DIGEST, BOTH = 1, 2, 3, 4
"""The first byte of what is kept says which digests follow, 32 bytes each; behind them stands the code, and after a zero the counts."""
DIGITS = re.compile(r"[0-9a-f]{64}")
MOST = 20_000
"""So many different beginnings of events are remembered."""


def row_of(seq: int, leaf: bytes, chain: bytes, event: Event) -> Row:
    """The row to write for an event. Promises that ``leaves_of`` gives the same bytes from it."""
    names = " ".join(f"{name}@{version}" for name, version in event.agreements)
    own = (column_time(event.at), event.kind, event.actor, event.library, event.request, event.delivery, names)
    short = (seq, _kept(event), chain, *own)
    return short if leaves_of([short]) == [leaf] else (seq, leaf, chain, *own)


def _kept(event: Event) -> bytes:
    """What the columns of a row do not say; nothing where this form cannot say it."""
    if any(digest and not DIGITS.fullmatch(digest) for digest in (event.digest, event.facts)):
        return b""
    form = CODE + bool(event.facts) + 2 * bool(event.digest)
    counts = b"\0" + canonical_json(event.counts) if event.counts else b""
    return bytes([form]) + bytes.fromhex(event.digest + event.facts) + event.code.encode() + counts


def column_time(at: datetime) -> str:
    """An instant as a row says it."""
    return canonical_time(at)[:-1].replace("T", " ")


def leaves_of(rows: Sequence[Row]) -> list[bytes]:
    """The bytes of the events in these rows; none for a row that cannot be read or whose columns contradict what is kept.

    Never raises for what the rows hold. Written for speed: a long log has millions.
    """
    frames, rests, leaves = _FRAMES, _RESTS, []
    for seq, kept, _, at, kind, actor, library, request, delivery, agreements in rows:
        try:
            form = kept[0]
            if form == CODE:
                rest, digests = rests[kept[1:]], ""
            elif form == FACTS:
                rest, digests = rests[kept[33:]], f',"facts":"{kept[1:33].hex()}"'
            elif form == DIGEST:
                rest, digests = rests[kept[33:]], f',"digest":"{kept[1:33].hex()}"'
            elif form == BOTH:
                rest, digests = rests[kept[65:]], f',"digest":"{kept[1:33].hex()}","facts":"{kept[33:65].hex()}"'
            else:
                leaves.append(_whole(seq, kept, at, kind, actor, library, request, delivery, agreements))
                continue
            begin, end = frames[agreements, kind, library]
            # A quotation mark would let two different rows give the same bytes, and so would anything between day and time.
            if '"' in actor or '"' in request or '"' in delivery or at[10] != " ":
                raise ValueError
            if delivery:
                digests = f',"delivery":"{delivery}"{digests}'
            if request:
                end = f'{end},"request":"{request}"'
            leaves.append(f'{{"actor":"{actor}"{begin}{at[:10]}T{at[11:]}Z"{rest}{digests}{end},"seq":{seq}}}'.encode())
        except (ValueError, TypeError, AttributeError, IndexError):
            # SQLite lets anything stand anywhere: text, a number, nothing.
            leaves.append(b"")
    return leaves


def bytes_of(value: object) -> bytes:
    """What stands in a column for bytes, as bytes: SQLite lets anything stand anywhere."""
    if isinstance(value, bytes):
        return value
    return value.encode("utf-8", "replace") if isinstance(value, str) else b""


class _Frames(dict[tuple[str, str, str], tuple[str, str]]):
    """What stands before an event's time, and behind its digests, by agreements, kind and library: few in a long log."""

    def __missing__(self, key: tuple[str, str, str]) -> tuple[str, str]:
        if any('"' in one for one in key):
            raise ValueError("a quotation mark in a column")
        agreements, kind, library = key
        listed = agreements.replace(" ", '","')
        made = (
            f',"agreements":["{listed}"],"at":"' if agreements else ',"at":"',
            f',"kind":"{kind}"' + (f',"library":"{library}"' if library else ""),
        )
        _remember(self, key, made)
        return made


class _Rests(dict[bytes, str]):
    """Code and counts as they stand in an event, by what is kept of them."""

    def __missing__(self, kept: bytes) -> str:
        code, _, counts = kept.decode().partition("\0")
        if '"' in code:
            raise ValueError("a quotation mark in a code")
        # Nor may anything stand behind the counts that belongs into a column.
        if counts and not isinstance(json.loads(counts), dict):
            raise ValueError("counts that are none")
        made = (f',"code":"{code}"' if code else "") + (f',"counts":{counts}' if counts else "")
        _remember(self, kept, made)
        return made


def _remember(known: dict[Any, Any], key: object, made: object) -> None:
    if len(known) >= MOST:
        known.clear()
    known[key] = made


_FRAMES, _RESTS = _Frames(), _Rests()


def _whole(seq: int, kept: bytes, at: str, *columns: str) -> bytes:
    """The bytes that were kept whole; ValueError where the columns, or the number, are not theirs."""
    content = json.loads(kept) if kept[0] == WHOLE else None
    if not isinstance(content, dict) or not kept.endswith(b'"seq":%d}' % seq):
        raise ValueError("no event")
    day, time = at.split(" ")
    names = [str(content.get(name, "")) for name in ("kind", "actor", "library", "request", "delivery")]
    listed = " ".join(map(str, content.get("agreements", [])))
    if content.get("seq") != seq or content.get("at") != f"{day}T{time}Z" or (*names, listed) != columns:
        raise ValueError("the columns of this row say something else than the event")
    return kept
