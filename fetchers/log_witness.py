"""A partner's witness over HTTP (C2SP tlog-witness): asks for a cosignature, and how much of our log it has seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from delivery.log_places import PlaceAhead, PlaceDiffers, PlaceFailed, Seen
from delivery.sources import FetchFailed
from drm.audit.checkpoints import number
from drm.audit.notes import BadNote, Verifier
from drm.audit.witnessing import SIZE_TYPE, cosignature_from, write_submission
from fetchers.http import GuardedHttp, Patience

SECONDS = 20.0
ROUNDS = 3
"""It may have seen more since it was asked: several of our processes bring it checkpoints."""
STATUS = {400: "cannot read what we sent", 403: "does not know our key", 404: "does not witness our log"}


class WitnessPlace:
    """A witness at an address that the operator has named, so that it may lie in a private network too."""

    every_seconds = 0

    def __init__(self, url: str, verifier: Verifier, agent: str) -> None:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self.name = verifier.name
        self._url = f"{url.rstrip('/')}/add-checkpoint"
        self.verifier = verifier
        self._http = GuardedHttp(
            agent,
            Patience(total=SECONDS),
            allowed=frozenset({(str(parts.hostname), port)}),
            hosts=frozenset({str(parts.hostname)}),
        )

    def give(self, note: bytes, old: int, prove: Callable[[int], list[bytes]]) -> str:
        """Its cosignature. Where it has seen another size than we think, it says so and is asked again from there."""
        seen, line = self._asked(note, old, prove)
        if not line:
            raise PlaceAhead(seen)
        return line

    def seen(self, note: bytes, old: int, prove: Callable[[int], list[bytes]]) -> Seen:
        """How much it had seen when it was asked to sign ``note``, which it does only where that continues what it saw."""
        return Seen(self._asked(note, old, prove, least=old)[0])

    def _asked(self, note: bytes, old: int, prove: Callable[[int], list[bytes]], least: int = 0) -> tuple[int, str]:
        """How much it had seen, and its line; "" where that is more than ``note`` covers, or less than ``least``."""
        size = int(note.split(b"\n")[1])
        said = old if old <= size else 0
        for _ in range(ROUNDS):
            status, kind, body = self._post(write_submission(said, prove(said), note))
            if status == 200:
                return said, self._line(body, note)
            if status != 409 or kind != SIZE_TYPE:
                raise _failed(status)
            told = _size(body)
            if told > size or told < least:
                return told, ""
            if told == said:
                raise PlaceDiffers(f"it has seen another log of {told} events, which ours does not continue")
            said = told
        raise PlaceFailed("says each time that it has seen another size")

    def _line(self, body: bytes, note: bytes) -> str:
        try:
            return cosignature_from(body, note, self.verifier)
        except BadNote as problem:
            raise PlaceFailed(f"its answer cannot be used: {problem}") from None

    def _post(self, body: bytes) -> tuple[int, str, bytes]:
        try:
            return self._http.post(self._url, body, time.monotonic() + SECONDS)
        except FetchFailed as error:
            raise PlaceFailed(f"cannot be reached ({error.code})") from None


def _failed(status: int) -> PlaceFailed:
    if status == 422:
        return PlaceDiffers("our log does not continue what it has seen")
    return PlaceFailed(STATUS.get(status, f"answers {status}"))


def _size(body: bytes) -> int:
    try:
        return number(body.decode("ascii").strip())
    except (UnicodeDecodeError, BadNote):
        raise PlaceFailed("its answer cannot be used: no size") from None
