"""What can be wrong with a blob."""

from __future__ import annotations

from delivery.errors import Unavailable


class BlobMissing(Unavailable):
    """A blob that must be there is not: a person has to look."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "blob-missing", "The stored file cannot be found. A librarian has to look at it; your request is safe.", 300
        )
        self.name = name
