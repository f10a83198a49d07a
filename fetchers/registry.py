"""Every kind of fetcher by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from delivery.errors import NotFound
from delivery.sources import Fetcher
from fetchers.http import GuardedHttp
from fetchers.local_collection import LocalCollection
from fetchers.unpaywall import Unpaywall

Settings = Mapping[str, str]


def _local_collection(source_id: str, settings: Settings) -> Fetcher:
    return LocalCollection(source_id, Path(settings["folder"]))


def _unpaywall(source_id: str, settings: Settings) -> Fetcher:
    email = settings.get("email", "")
    return Unpaywall(source_id, email, GuardedHttp(f"Rushlight (mailto:{email})"))


FETCHERS: dict[str, Callable[[str, Settings], Fetcher]] = {
    "local_collection": _local_collection,
    "unpaywall": _unpaywall,
}


def make_fetcher(source_id: str, kind: str, settings: Settings) -> Fetcher:
    """The fetcher of a source; NotFound for a kind we do not have."""
    if kind not in FETCHERS:
        raise NotFound("unknown-kind", f"There is no fetcher of the kind {kind!r}.")
    return FETCHERS[kind](source_id, settings)
