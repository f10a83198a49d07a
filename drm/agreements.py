"""Agreements as data: the frozen values, and the loader that names every mistake by agreement, rule and key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from drm.agreement_reading import AgreementError, Reader
from drm.agreement_rules import Rule, read_rule
from drm.agreement_terms import (
    CopyTable,
    LinkTable,
    Retain,
    read_copy,
    read_link,
    read_oblige,
    read_statements,
    read_texts,
)

__all__ = ["Agreement", "AgreementError", "Rule", "load_agreements", "load_file"]

KINDS = ("statute", "guideline", "licence", "service")
KEYS = frozenset(
    [
        "id",
        "title",
        "jurisdiction",
        "kind",
        "version",
        "effective_from",
        "effective_to",
        "verified",
        "check",
        "subject",
        "overrides_contract",
        "overrides_except_subject",
        "copy",
        "terms",
        "notice",
        "statements",
        "rule",
        "link",
        "oblige",
    ]
)


@dataclass(frozen=True)
class Agreement:
    """One version of one agreement, read and checked."""

    id: str
    title: str
    jurisdiction: str
    kind: str
    version: int
    rules: tuple[Rule, ...] = ()
    verified: bool | None = None
    check: str = ""
    subject: str = ""
    overrides_contract: bool = False
    overrides_except_subject: str = ""
    effective_from: str = ""
    effective_to: str = ""
    copy: CopyTable = field(default_factory=CopyTable)
    link: LinkTable | None = None
    terms: Mapping[str, str] = field(default_factory=dict)
    notice: Mapping[str, str] = field(default_factory=dict)
    statements: Mapping[str, Mapping[str, str | int]] = field(default_factory=dict)
    oblige: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    retain: Retain | None = None
    report: Mapping[str, str] = field(default_factory=dict)

    @property
    def stamp_codes(self) -> tuple[str, ...]:
        """Codes of what the stamp must say."""
        return self.oblige.get("stamp", ())


def load_file(path: Path) -> tuple[Agreement, ...]:
    """The agreements of a TOML file. AgreementError names what is wrong; OSError when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise AgreementError(str(path), "", "", "", "is not UTF-8; save it in that encoding") from None
    return load_agreements(text, str(path))


def split_file(path: Path) -> tuple[str, ...]:
    """A file of agreements as one text for each, comments and all. AgreementError and OSError as for ``load_file``."""
    found = load_file(path)
    text = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    parts = re.split(r"(?m)^[ \t]*\[\[[ \t]*agreement[ \t]*\]\]", text)[1:]
    texts = tuple(f"vocabulary = 1\n\n[[agreement]]{part.rstrip()}\n" for part in parts)
    again = tuple(one for each in texts for one in load_agreements(each, str(path)))
    if again != found:
        raise AgreementError(
            str(path), "", "", "agreement", "stands where it cannot be told apart; give each a file of its own"
        )
    return texts


def load_agreements(text: str, name: str = "agreements") -> tuple[Agreement, ...]:
    """The agreements in a TOML text, as written. ``name`` stands in error messages."""
    try:
        # Some editors put a mark before the text, which is none of it.
        content = tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise AgreementError(name, "", "", "", f"is not TOML; mend the place named here: {error}") from None
    if content.get("vocabulary") != 1:
        raise AgreementError(name, "", "", "vocabulary", "must be 1")
    Reader(name, "", "", content).only(("vocabulary", "agreement"))
    tables = content.get("agreement", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise AgreementError(name, "", "", "agreement", "must be [[agreement]] tables")
    found: dict[str, Agreement] = {}
    rules: dict[str, str] = {}
    for table in tables:
        agreement = _read(Reader(name, str(table.get("id", "")), "", cast("dict[str, object]", table)))
        if agreement.id in found:
            raise AgreementError(
                name,
                agreement.id,
                "",
                "id",
                "stands twice; another version of an agreement goes into a file of its own",
            )
        for rule in agreement.rules:
            if rule.id in rules:
                raise AgreementError(
                    name,
                    agreement.id,
                    rule.id,
                    "id",
                    f"stands twice, here and in agreement {rules[rule.id]}; give each rule a name of its own",
                )
            rules[rule.id] = agreement.id
        found[agreement.id] = agreement
    return tuple(found.values())


def _instant(text: str) -> datetime:
    """An effective date to compare with another: a date, or a time without a zone, is taken in UTC."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _read(table: Reader) -> Agreement:
    table.only(KEYS)
    kind = table.one_of("kind", KINDS)
    if "overrides_contract" in table and kind != "statute":
        raise table.wrong("overrides_contract", "belongs to statutes only; leave it out")
    begins, ends = table.moment("effective_from"), table.moment("effective_to")
    if begins and ends and _instant(ends) < _instant(begins):
        raise table.wrong("effective_to", "must not lie before effective_from")
    oblige, retain, report = read_oblige(table.sub("oblige"))
    return Agreement(
        id=table.text("id"),
        title=table.text("title"),
        jurisdiction=table.text("jurisdiction"),
        kind=kind,
        version=table.whole("version", 1),
        rules=tuple(read_rule(rule) for rule in table.tables("rule")),
        verified=table.flag("verified") if "verified" in table else None,
        check=table.text("check", ""),
        subject=table.text("subject", ""),
        overrides_contract=table.flag("overrides_contract", False),
        overrides_except_subject=table.text("overrides_except_subject", ""),
        effective_from=begins,
        effective_to=ends,
        copy=read_copy(table.sub("copy")),
        link=read_link(table.sub("link")) if "link" in table else None,
        terms=read_texts(table.sub("terms")),
        notice=read_texts(table.sub("notice")),
        statements=read_statements(table.sub("statements")),
        oblige=oblige,
        retain=retain,
        report=report,
    )
