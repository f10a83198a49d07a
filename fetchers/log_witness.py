"""A partner's witness over HTTP (C2SP tlog-witness): asks for a cosignature, and how much of our log it has seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from delivery.log_places import PlaceFailed
from delivery.sources import FetchFailed
from drm.audit.notes import BadNote, Verifier
from drm.audit.witnessing import SIZE_TYPE, cosignature_from, write_submission
from fetchers.http import GuardedHttp, Patience

SECONDS = 20.0
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
        for _ in range(2):
            status, kind, body = self._post(write_submission(old, prove(old), note))
            if status == 200:
                try:
                    return cosignature_from(body, note, self.verifier)
                except BadNote as problem:
                    raise PlaceFailed(f"its answer cannot be used: {problem}") from None
            if status == 409 and kind == SIZE_TYPE:
                seen = _size(body)
                if seen > int(note.split(b"\n")[1]):
                    raise PlaceFailed(f"it has seen {seen} events, more than there are: the log was set back")
                old = seen
                continue
            raise _failed(status)
        raise PlaceFailed("our log does not continue what it has seen")

    def newest(self, note: bytes) -> tuple[int, bytes | None]:
        """How much it has seen: asked with an old size that cannot be right, so that it signs nothing."""
        size = int(note.split(b"\n")[1])
        status, kind, body = self._post(write_submission(0, [], note))
        if status == 409 and kind == SIZE_TYPE:
            return _size(body), None
        if status != 200:
            # Whatever it is, it does not say that the witness has seen nothing.
            raise _failed(status)
        # It had seen nothing yet, and has signed this one now.
        return size, None

    def _post(self, body: bytes) -> tuple[int, str, bytes]:
        try:
            return self._http.post(self._url, body, time.monotonic() + SECONDS)
        except FetchFailed as error:
            raise PlaceFailed(f"cannot be reached ({error.code})") from None


def _failed(status: int) -> PlaceFailed:
    if status == 422:
        return PlaceFailed("our log does not continue what it has seen")
    return PlaceFailed(STATUS.get(status, f"answers {status}"))


def _size(body: bytes) -> int:
    text = body.strip()
    if not text.isdigit() or len(text) > 19:
        raise PlaceFailed("its answer cannot be used: no size")
    return int(text)
