"""Open-access copies by DOI through Unpaywall (https://unpaywall.org/products/api)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from delivery.citation import Citation
from delivery.sources import Candidate, Fetched, FetchFailed
from fetchers.http import GuardedHttp

API = "https://api.unpaywall.org/v2"
VERSIONS = {"publishedVersion": "published", "acceptedVersion": "accepted", "submittedVersion": "submitted"}


class Unpaywall:
    """Asks Unpaywall where a DOI is open, best location first. Off without a contact address."""

    def __init__(self, source_id: str, email: str, client: GuardedHttp, api: str = API) -> None:
        self.id = source_id
        self._email, self._client, self._api = email, client, api

    def find(self, citation: Citation) -> Candidate | None:
        """Any work with a DOI may be open; only asking can tell."""
        return Candidate(False, open_access=True) if citation.doi and self._email else None

    def fetch(self, citation: Citation, into: Path, deadline: float) -> Fetched:
        """The first location that gives a PDF."""
        if not self._email:
            raise FetchFailed("source-off", "Unpaywall is off: no contact address is set.")
        if not citation.doi:
            raise FetchFailed("no-open-copy", "Without a DOI no open copy can be looked for.")
        answer = self._client.get_json(
            f"{self._api}/{quote(citation.doi, safe='/')}?email={quote(self._email)}", deadline
        )
        failure = FetchFailed("no-open-copy", "No open copy is known.")
        for location in _locations(answer):
            url = location.get("url_for_pdf")
            if not isinstance(url, str) or not url:
                continue
            try:
                fetched = self._client.fetch_pdf(url, into, deadline)
            except FetchFailed as problem:
                failure = problem
                continue
            host = urlsplit(url).hostname or ""
            version = VERSIONS.get(str(location.get("version")), "")
            licence = str(location.get("license") or "")[:100]
            return Fetched(into, fetched.bytes, fetched.sha256, host, version, licence, open_access=True)
        raise failure


def _locations(answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, dict):
        return []
    best, others = answer.get("best_oa_location"), answer.get("oa_locations")
    found = [best, *(others if isinstance(others, list) else [])]
    return [
        location for place, location in enumerate(found) if isinstance(location, dict) and location not in found[:place]
    ]
