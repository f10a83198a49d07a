"""Taking the reader out of what is counted: what is known of him goes with the link, his key when he is forgotten.

A library's counts stay as they are. A reader's own limits go on counting while his key stands, and begin afresh after that.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

from delivery.document_request import DocumentRequest
from delivery.ports import Work
from delivery.services.deciding import parsed
from drm.agreements import Agreement
from drm.quota import MISSING, thinned, without_person

UNLINKED, FORGOTTEN = "unlinked", "reader"
"""How much of the reader is gone from a stored decision: what was known of him, or he himself."""
GROUP = re.compile(r"(^|\|)reader_group=[^|]*")


def unlink(work: Work, request: DocumentRequest) -> bool:
    """Take the way from a request to its reader away, and his category, group and purpose out of whatever is kept of it.

    His key stays in the ledger, so that his own limits go on counting. False when it was done before.
    """
    if not work.privacy.unlink_reader(request.number):
        return False
    agreements = _all(work)
    for claim in work.privacy.claims_of(request.number):
        work.privacy.rewrite_usage(claim, lambda facts: without_person(facts, agreements), _no_group)
    work.privacy.rewrite_decision(request.number, _thin_decision)
    return True


def forget_key(work: Work, key: str, group: str) -> None:
    """Put a random value of its own in the place of a reader's key in everything that names it. Counts of libraries stay."""
    agreements = _all(work)
    for claim in work.privacy.claims_under(key):
        token = _token()
        work.privacy.rewrite_usage(
            claim,
            lambda known, token=token: _put(_of_nobody(known, key, agreements), key, token),  # type: ignore[misc]  # bound now
            lambda scope, token=token: scope.replace(key, token),  # type: ignore[misc]  # the same
        )
    for number in work.privacy.decisions_naming(key):
        token = _token()
        work.privacy.rewrite_decision(number, lambda kept, token=token: _forgotten(kept, key, token))  # type: ignore[misc]  # the same
    work.privacy.drop_locks(key)
    if group:
        work.privacy.drop_locks(f"reader_group={group}")


def _all(work: Work) -> tuple[Agreement, ...]:
    """Every confirmed version, the newest of each agreement last: its answer is the one that is kept."""
    return tuple(parsed(version) for version in work.agreements.standing("confirmed"))


def _token() -> str:
    return secrets.token_hex(16)


def _no_group(scope: str) -> str:
    return GROUP.sub(rf"\1reader_group={MISSING}", scope)


def _of_nobody(facts: Mapping[str, Any], key: str, agreements: tuple[Agreement, ...]) -> Mapping[str, Any]:
    """What is known of a reader goes with his key; in a copy that he only shared, it is another's."""
    own = facts.get("reader")
    return without_person(facts, agreements) if isinstance(own, Mapping) and own.get("id") == key else facts


def _forgotten(kept: Mapping[str, Any], key: str, token: str) -> Mapping[str, Any]:
    facts = kept.get("facts")
    own = facts.get("reader") if isinstance(facts, Mapping) else None
    his = isinstance(own, Mapping) and own.get("id") == key
    changed: Mapping[str, Any] = _put(_thin_decision(kept) if his else kept, key, token)
    return {**changed, "forgotten": FORGOTTEN} if "decision" in changed else changed


def _thin_decision(kept: Mapping[str, Any]) -> Mapping[str, Any]:
    """A stored decision without what was known of the reader; anything else as it is."""
    facts, decided = kept.get("facts"), kept.get("decision")
    if not isinstance(facts, Mapping) or not isinstance(decided, Mapping):
        return kept
    rules = [{**rule, "scope": _no_group(str(rule.get("scope", "")))} for rule in decided.get("rules", ())]
    return {
        **kept,
        "facts": thinned(facts),
        "decision": {**decided, "rules": rules},
        "forgotten": kept.get("forgotten") or UNLINKED,
    }


def _put(value: Any, key: str, token: str) -> Any:
    """A JSON value with one text in the place of another wherever it stands."""
    if isinstance(value, str):
        return value.replace(key, token)
    if isinstance(value, Mapping):
        return {name: _put(one, key, token) for name, one in value.items()}
    return [_put(one, key, token) for one in value] if isinstance(value, list | tuple) else value
