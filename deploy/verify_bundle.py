#!/usr/bin/env python3
"""Checks an unpacked evidence bundle with no part of Rushlight but verify_log.py beside it: Python 3.9 or newer and 'cryptography'.

    verify_bundle.py FOLDER --key VERIFIER_KEY

Get the key from somebody you trust, not from the folder. Each event is proved to stand in the log; then what the files say is held
against the events: facts, file, opens, and the texts of agreements. Exit 0: everything fits. Exit 1: something does not, and it
is named. Exit 2: wrong usage. What no event binds is listed, so that nobody takes it for proved.
"""

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path

# It stands beside this script, wherever that was unpacked.
sys.path.insert(0, str(Path(__file__).resolve().parent))
import verify_log

Wrong = verify_log.Wrong


def loaded(folder, name):
    try:
        return json.loads((folder / name).read_bytes())
    except (OSError, ValueError) as problem:
        raise Wrong(f"{name} cannot be read: {problem}") from None


def proved_events(folder, keys):
    """Each event with its proof, oldest first."""
    found, numbers = [], {path.stem for path in (folder / "events").glob("event-*")}
    for stem in sorted(numbers, key=lambda name: int(re.sub(r"\D", "", name) or 0)):
        try:
            entry = (folder / "events" / f"{stem}.json").read_bytes()
            proof = (folder / "events" / f"{stem}.tlog-proof").read_bytes()
        except OSError as problem:
            raise Wrong(f"events/{stem}: {problem}") from None
        try:
            index = verify_log.check_proof(proof, entry, keys)[2]
        except (Wrong, ValueError) as problem:
            raise Wrong(f"events/{stem}: {problem}") from None
        event = json.loads(entry)
        if stem != f"event-{index + 1}" or event.get("seq") != index + 1:
            raise Wrong(f"events/{stem} is event {index + 1} of the log")
        found.append(event)
    if not found:
        raise Wrong("there is no event in this bundle")
    return found


def facts_hash(facts):
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check_copy(folder, events):
    """The copy is the one that the events tell of, made under these agreements; its request, and how it was opened."""
    copy, request = loaded(folder, "delivery.json"), loaded(folder, "request.json")
    number = copy.get("number")
    made = [one for one in events if one["kind"] in ("copy:supplied", "copy:remade") and one.get("delivery") == number]
    if not made or made[0]["kind"] != "copy:supplied":
        raise Wrong(f"no event tells that {number} was supplied")
    if made[-1].get("digest") != copy.get("sha256"):
        raise Wrong("delivery.json: the file's SHA-256 is not the one of the event")
    if made[0].get("agreements", []) != copy.get("agreements"):
        raise Wrong("delivery.json: the agreements are not those of the event")
    if request.get("number") != made[0].get("request"):
        raise Wrong("request.json is of another request")
    opens = [one for one in events if one["kind"].startswith("window:")]
    if loaded(folder, "opens.json") != opens:
        raise Wrong("opens.json does not tell what the events tell")
    opened = sum(one["kind"] == "window:opened" and one.get("delivery") == number for one in opens)
    if copy.get("opens_used", 0) < opened:
        raise Wrong("delivery.json counts fewer opens than the events")
    return made[0]["request"]


def check_decision(folder, events):
    """The facts are those that were decided on; returns what is not bound because the decision is no longer kept."""
    kept = loaded(folder, "decision.json")
    if kept == {}:
        return ["decision.json (no longer kept)"]
    digest = facts_hash(kept.get("facts"))
    decided = kept.get("decision", {})
    told = [one for one in events if one.get("facts") == digest]
    if not told or decided.get("facts_hash") != digest:
        raise Wrong("decision.json: these are not the facts that an event names")
    if decided.get("reason") not in {one.get("code") for one in told}:
        raise Wrong("decision.json: no event tells this reason")
    pairs = [f"{name}@{version}" for name, version in kept.get("agreements", [])]
    if pairs not in [one.get("agreements", []) for one in told]:
        raise Wrong("decision.json: the agreements are not those of the event")
    return []


def check_agreements(folder, events):
    """Each text is the one that the log names; returns those of which it names none."""
    names = {name for one in events for name in one.get("agreements", []) if not one["kind"].startswith("agreement:")}
    there = {path.stem: path for path in (folder / "agreements").glob("*.toml")}
    if set(there) - names:
        raise Wrong(f"agreements/{min(set(there) - names)}.toml: no event of this request names it")
    unbound = []
    for name, path in sorted(there.items()):
        told = [one for one in events if one["kind"].startswith("agreement:") and name in one.get("agreements", [])]
        digests = [one["digest"] for one in told if one.get("digest")]
        if not digests:
            unbound.append(f"agreements/{name}.toml")
        elif digests[-1] != hashlib.sha256(path.read_bytes()).hexdigest():
            raise Wrong(f"agreements/{name}.toml is not the text that event {told[-1]['seq']} names")
    return unbound


def main():
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("folder", type=Path)
    given.add_argument("--key", action="append", required=True, help="verifier key of the log; may be given again")
    options = given.parse_args()
    try:
        keys = [verify_log.Key(text) for text in options.key]
    except (Wrong, verify_log.Misused) as problem:
        given.error(f"--key: {problem}")
    try:
        events = proved_events(options.folder, keys)
        request = check_copy(options.folder, events)
        unbound = check_decision(options.folder, events) + check_agreements(options.folder, events)
    except (Wrong, AttributeError, KeyError, TypeError, ValueError) as problem:
        print(f"BAD: {problem}")
        return 1
    print(f"good: {len(events)} events of the log prove the facts, the file, the opens and the agreements of {request}")
    print("not bound by any event: " + ", ".join(["decision.txt", "the citation and times in request.json", *unbound]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
