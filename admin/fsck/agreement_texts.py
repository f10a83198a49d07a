"""Every agreement has the words that the log says it had when it was last drafted, proposed or confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from admin.wiring import Services
from delivery.errors import NotFound
from delivery.services.agreement_digests import told_texts
from delivery.violations import Violation


def changed_agreements(services: Services) -> Iterator[Violation]:
    """Agreements whose text is another than the log's last event about them names, or is gone."""
    with services.store.read() as work:
        last = {(told.name, told.version): told.digest for told in told_texts(work)}
        for (name, version), digest in last.items():
            ids = {"agreement": f"{name}@{version}"}
            try:
                found = work.agreements.get(name, version)
            except NotFound:
                yield Violation("agreement-differs", ids, "its text is gone")
                continue
            if found.digest != digest:
                yield Violation("agreement-differs", ids, f"the log knows the text {digest[:16]}")
