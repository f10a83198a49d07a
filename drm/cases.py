"""Runs worked cases against agreements, as auditors and rights officers write them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drm.agreement_reading import Reader
from drm.agreement_terms import LinkTable, read_link
from drm.agreements import Agreement
from drm.decisions import Decision
from drm.licence import check_link, check_retention
from drm.policy import decide
from drm.reasons import explain, ways_line

EXPECTED = ("decision", "reason", "all_reasons", "counts")
GIVEN = ("entity", "supplier", "reader", "request", "work", "issue", "flags", "issn_l", "joint_readers")


class CaseFileError(ValueError):
    """The file cannot be read or is not in this format."""


class CaseError(ValueError):
    """One case cannot be run; the others still are."""


def read_cases(path: Path) -> list[Any]:
    """The cases of a file; CaseFileError says what is wrong with it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise CaseFileError(f"{path}: is not JSON: {error}") from None
    if (
        not isinstance(content, dict)
        or content.get("schema_version") != 1
        or not isinstance(content.get("cases"), list)
    ):
        raise CaseFileError(f"{path}: needs schema_version 1 and a list of cases")
    return list(content["cases"])


def run_cases(agreements: Sequence[Agreement], path: Path) -> tuple[list[str], int]:
    """Run all cases; a line for each that fails, and how many there are."""
    by_id = {agreement.id: agreement for agreement in agreements}
    cases = read_cases(path)
    failures = [line for case in cases if (line := _run(by_id, case))]
    return failures, len(cases)


def _run(by_id: Mapping[str, Agreement], case: object) -> str:
    name = str(case.get("id", "?")) if isinstance(case, dict) else "?"
    try:
        if not isinstance(case, dict) or "id" not in case or "kind" not in case:
            raise CaseError("a case needs id and kind")
        expect = case.get("expect")
        if not isinstance(expect, dict) or any(field not in expect for field in EXPECTED):
            raise CaseError("expect needs decision, reason, all_reasons and counts")
        decision = decide_case(by_id, case)
    except (CaseError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, OSError) as error:
        return _line(f"FAIL {name} error: {error}")
    got = {
        "decision": decision.outcome.word,
        "reason": decision.reason,
        "all_reasons": list(decision.all_reasons),
        "counts": {
            rule: dict(counts) if isinstance(counts, Mapping) else counts for rule, counts in decision.counts.items()
        },
    }
    wrong = [
        f"{field}: expected {_json(expect[field])}, got {_json(got[field])}"
        for field in EXPECTED
        if not _same(expect[field], got[field])
    ]
    return _line(f"FAIL {name} {'; '.join(wrong)}") if wrong else ""


def _line(text: str) -> str:
    """One line that any terminal can print: no line breaks, and no halves of characters, which JSON may hold."""
    return " ".join(text.splitlines()).encode("utf-8", "backslashreplace").decode("utf-8")


def _same(expected: object, got: object) -> bool:
    return bool(json.loads(_json(expected)) == json.loads(_json(got))) and _json(expected) == _json(got)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _named(by_id: Mapping[str, Agreement], names: object) -> list[Agreement]:
    if not isinstance(names, list):
        raise CaseError("policies is a list of agreement ids")
    unknown = [name for name in names if name not in by_id]
    if unknown:
        raise CaseError(f"unknown agreement {unknown[0]!r}")
    return [by_id[name] for name in names]


def decide_case(by_id: Mapping[str, Agreement], case: Mapping[str, Any]) -> Decision:
    """The decision of one case."""
    entity = case.get("entity")
    if not isinstance(entity, dict) or not isinstance(entity.get("tz"), str):
        raise CaseError("entity.tz is missing")
    try:
        ZoneInfo(entity["tz"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CaseError(f"entity.tz {entity['tz']!r} is no zone") from None
    match case["kind"]:
        case "request":
            return _request(by_id, case)
        case "link":
            return _link(by_id, case, entity["tz"])
        case "retention":
            agreements = _named(by_id, case.get("policies"))
            return check_retention(
                agreements, case["record"], datetime.fromisoformat(case["at"]), case["action"], entity["tz"]
            )
        case kind:
            raise CaseError(f"unknown kind {kind!r}")


def _request(by_id: Mapping[str, Agreement], case: Mapping[str, Any]) -> Decision:
    facts, history = case_facts(case)
    return decide(_routes(by_id, case), facts, history, strict=True)


def _routes(by_id: Mapping[str, Agreement], case: Mapping[str, Any]) -> list[list[Agreement]]:
    if "routes" in case and "policies" in case:
        raise CaseError("give either policies or routes")
    if "routes" not in case:
        return [_named(by_id, case.get("policies"))]
    if not isinstance(case["routes"], list) or any(not route for route in case["routes"]):
        raise CaseError("a route needs at least one agreement")
    return [_named(by_id, route) for route in case["routes"]]


def case_facts(case: Mapping[str, Any]) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Facts and history of a request case; fields the format does not know are dropped."""
    facts = {name: case[name] for name in GIVEN if case.get(name) is not None}
    known = ("status", "reader", "request", "work", "issue", "filled_at", "entity", "supplier", "flags")
    past = case.get("history") or []
    if not isinstance(past, list) or not all(isinstance(record, dict) for record in past):
        raise CaseError("history is a list of tables, one for each record")
    for where, table in (("", case), *((f"history record {place}: ", one) for place, one in enumerate(past, 1))):
        _look_at_pages(where, table.get("request"))
    history = [{name: record[name] for name in known if record.get(name) is not None} for record in past]
    return facts, history


def _look_at_pages(where: str, asked: object) -> None:
    if asked is not None and not isinstance(asked, Mapping):
        raise CaseError(f"{where}request is a table")
    pages = asked.get("pages") if asked else None
    if pages is not None and not isinstance(pages, list):
        raise CaseError(f'{where}request.pages is a list such as ["3-9"], not {_json(pages)}')


def _link(by_id: Mapping[str, Agreement], case: Mapping[str, Any], tz: str) -> Decision:
    agreements = _named(by_id, case.get("policies"))
    if len(agreements) != 1:
        raise CaseError("a link case names exactly one agreement")
    table = agreements[0].link
    if case.get("link_override") is not None:
        table = _override(table, case["link_override"])
    holidays = [date.fromisoformat(day) for day in case.get("holidays") or []]
    by = case.get("by") if case.get("by") is not None else None
    return check_link(table, case["link"], datetime.fromisoformat(case["at"]), case["action"], by, holidays, tz)


def _override(table: LinkTable | None, changes: object) -> LinkTable:
    """Replace top-level keys whole; null removes one."""
    if not isinstance(changes, dict):
        raise CaseError("link_override is a table")
    given = {name: value for name, value in changes.items() if value is not None}
    read = read_link(Reader("link_override", "", "", given))
    silent = LinkTable()
    known = [name for name in changes if name in LinkTable.__dataclass_fields__]
    changed: dict[str, Any] = {name: getattr(read if name in given else silent, name) for name in known}
    return replace(table or silent, **changed)


def explain_case(agreements: Sequence[Agreement], path: Path, case_id: str, language: str) -> list[str]:
    """The explanation of one case as lines; CaseFileError when there is no such case."""
    by_id = {agreement.id: agreement for agreement in agreements}
    case = next((case for case in read_cases(path) if isinstance(case, dict) and str(case.get("id")) == case_id), None)
    if case is None:
        raise CaseFileError(_line(f"{path}: there is no case {case_id!r}"))
    try:
        decision = decide_case(by_id, case)
    except (CaseError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, OSError) as error:
        raise CaseFileError(_line(f"{path}: case {case_id}: {error}")) from None
    lines = [f"{case_id}  {decision.outcome.word}  {decision.reason}"]
    if case["kind"] != "request":
        return [_line(line) for line in (*lines, *(f"  {name}: {value}" for name, value in decision.counts.items()))]
    facts, history = case_facts(case)
    explanation = explain(decision, agreements, facts, history, language)
    for rule in explanation.rules:
        lines.append(f"  {rule.agreement} v{rule.version}, {rule.rule}: {rule.line}")
        if rule.resets:
            lines.append(f"  {rule.resets}")
    lines += [f"  {ways_line(explanation.ways, language)}"] if explanation.ways else []
    return [_line(line) for line in lines]
