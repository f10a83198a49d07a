"""One title under several ISSNs: the map to the linking ISSN, and the usage records that follow it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from delivery.ports import Work
from drm.facts.reading import normal_issn
from drm.quota import record_keys

ISSNL, PAIR = "issnl", "pair"
"""Where a link comes from: the table of the ISSN centre, or a list of holdings that names both ISSNs of a title."""
Parts = Mapping[str, str | None]


def family_of(work: Work, issn: str) -> Mapping[str, str]:
    """Every ISSN of a title with the linking ISSN, as the facts of a request carry it."""
    return work.titles.family(normal_issn(issn)) if issn else {}


def family_told(
    work: Work, issn: str, told: Sequence[Sequence[str]], now: datetime, known: Mapping[str, str] | None
) -> Mapping[str, str]:
    """The family of an ISSN, after learning what holdings tell. ``known`` is the family as this transaction has read it already."""
    for issns in told:
        join(work, issns, now)
    if known is None or any(len(issns) > 1 for issns in told):
        return family_of(work, issn)
    return known


def linked(work: Work, facts: Mapping[str, object]) -> dict[str, object]:
    """Facts under the present map: the ISSNs of their title, and the issue named by the linking ISSN."""
    return linked_by(facts, family_of(work, issn_in(facts)))


def linked_by(facts: Mapping[str, object], family: Mapping[str, str]) -> dict[str, object]:
    """The same where the family is known already."""
    content = {name: value for name, value in facts.items() if name != "issn_l"}
    if not family:
        return content
    issue = facts.get("issue")
    if isinstance(issue, Mapping) and isinstance(issue.get("id"), str):
        content["issue"] = {**issue, "id": _respelt(str(issue["id"]), family)}
    return {**content, "issn_l": dict(family)}


def issn_in(facts: Mapping[str, object]) -> str:
    """The ISSN that a request's facts name; "" for none."""
    about = facts.get("work")
    value = about.get("issn") if isinstance(about, Mapping) else None
    return value if isinstance(value, str) else ""


def _respelt(issue: str, family: Mapping[str, str]) -> str:
    """An issue's id whose journal is named by the linking ISSN."""
    journal, _, place = issue.partition(":")
    linking = family.get(normal_issn(journal))
    return f"{hyphened(linking)}:{place}" if linking and place else issue


def hyphened(issn: str) -> str:
    """An ISSN as people write it."""
    return f"{issn[:4]}-{issn[4:]}"


def join(work: Work, issns: Sequence[str], now: datetime) -> int:
    """Learn from holdings that these ISSNs name one title. What the ISSN centre says is never changed. Returns the records re-keyed."""
    bare = tuple(dict.fromkeys(normal_issn(issn) for issn in issns if issn))
    if len(bare) < 2:
        return 0
    known = work.titles.known(bare)
    if len(known) == len(bare) and len({linking for linking, _ in known.values()}) == 1:
        return 0
    surest = sorted(known.values(), key=lambda link: link[1] != ISSNL)
    linking = surest[0][0] if surest else bare[0]
    members = {*bare, *(issn for link, _ in known.values() for issn in work.titles.family(link))}
    origins = work.titles.known(members)
    free = {issn: linking for issn in members if issn not in origins or origins[issn][1] != ISSNL}
    return link(work, {**free, **({} if linking in origins else {linking: linking})}, PAIR, now)


def link(work: Work, links: Mapping[str, str], origin: str, now: datetime) -> int:
    """Keep links from ISSN to linking ISSN (both bare), and re-key the usage records of what they change. Returns how many."""
    known = work.titles.known(links)
    changed = {issn: linking for issn, linking in links.items() if known.get(issn) != (linking, origin)}
    moved = {issn for issn, linking in changed.items() if known.get(issn, ("", ""))[0] != linking}
    if changed:
        work.titles.put(changed, origin)
    before = {known[issn][0] for issn in moved if issn in known}
    return _rekey(work, (moved | before) & work.titles.counted(), now) if moved else 0


def _rekey(work: Work, titles: Iterable[str], now: datetime) -> int:
    count = 0
    for title in sorted(titles):
        for record in work.ledger.history([({"title": f"issn:{title}"}, None)]):
            facts = linked(work, record.facts)
            keys = record_keys(facts)
            if dict(keys) != dict(record.keys):
                work.ledger.put_record(replace(record, facts=facts, keys=keys), now)
                count += 1
    return count


def also_by(work: Work, parts: Parts) -> tuple[Parts, ...]:
    """The parts of a scope as they were when it was decided, and as records are found by them now."""
    title = parts.get("title") or ""
    family = family_of(work, title.removeprefix("issn:")) if title.startswith("issn:") else {}
    if not family:
        family = family_of(work, (parts.get("issue") or "").partition(":")[0])
    now: dict[str, str | None] = dict(parts)
    if title and family:
        now["title"] = f"issn:{next(iter(family.values()))}"
    for name in ("work", "issue"):
        value = parts.get(name) or ""
        if name == "work" and value == title and family:
            now["work"] = now["title"]
        if name == "issue" and value:
            now["issue"] = _respelt(value, family)
    return (parts,) if now == dict(parts) else (parts, now)
