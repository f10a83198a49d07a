"""A folder of PDFs with a holdings file."""

from __future__ import annotations

import threading
from pathlib import Path

from delivery.citation import Citation
from delivery.sources import Candidate, Fetched, FetchFailed, receive
from fetchers.holdings import Holding, Holdings, read_holdings

HOLDINGS_FILE = "holdings.tsv"
MOST_BYTES = 512 * 1024 * 1024


class LocalCollection:
    """Serves files of one folder. The holdings file is read again when it changes."""

    def __init__(self, source_id: str, folder: Path) -> None:
        self.id = source_id
        self._folder = folder
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, int], Holdings] | None = None

    def holdings(self) -> Holdings:
        """The present holdings; FetchFailed when the file cannot be read."""
        path = self._folder / HOLDINGS_FILE
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            with self._lock:
                if self._read is None or self._read[0] != stamp:
                    self._read = (stamp, read_holdings(path))
                return self._read[1]
        except OSError as error:
            raise FetchFailed(
                "damaged-holdings", f"The holdings file cannot be read ({error.strerror}).", False
            ) from error

    def _match(self, citation: Citation) -> Holding | None:
        return self.holdings().match(citation)

    def find(self, citation: Citation) -> Candidate | None:
        """Whether the collection holds the work."""
        holding = self._match(citation)
        if holding is None:
            return None
        return Candidate(True, holding.held.rights == "open_access", holding.citation, holding.held)

    def fetch(self, citation: Citation, into: Path, deadline: float) -> Fetched:
        """Copy the work's file. A file outside the folder, by whatever link, is not served."""
        holding = self._match(citation)
        if holding is None:
            raise FetchFailed("not-held", "The collection does not hold this work.")
        root = self._folder.resolve()
        path = (self._folder / holding.file).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise FetchFailed(
                "file-missing", f"The holdings name {holding.file}, but the file is not in the collection."
            )
        try:
            with path.open("rb") as file:
                fetched = receive(file, into, MOST_BYTES)
        except OSError as error:
            raise FetchFailed("file-missing", f"{holding.file} cannot be read ({error.strerror}).", False) from error
        free = holding.held.rights == "open_access"
        return Fetched(
            into, fetched.bytes, fetched.sha256, holding.file, "published", holding.licence, open_access=free
        )
