"""What an officer hands out: the proof of one event, and everything about one delivery with its proofs, without any name."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from delivery.copies import Delivery
from delivery.document_request import DocumentRequest
from delivery.errors import Conflict, NotFound
from delivery.people import Person, Role
from delivery.ports import Work
from delivery.services.agreement_digests import told_texts
from delivery.services.context import Context, require
from delivery.services.deciding import agreement_pairs
from delivery.services.desk import explain_request
from delivery.services.log_tiles import entry_of, prove
from delivery.stores import LogFilter
from drm.audit.checkpoints import Checkpoint
from drm.audit.events import Event
from drm.audit.notes import COSIGNED, BadNote
from drm.audit.proofs import Proof, check_proof, write_proof

MOST_EVENTS = 1_000
SCRIPTS = tuple(Path(__file__).parents[2] / "deploy" / name for name in ("verify_log.py", "verify_bundle.py"))


@dataclass(frozen=True)
class ProvedEvent:
    """One event with its proof, checked again before it is shown. ``witnesses`` are the known ones whose signatures hold."""

    seq: int
    entry: bytes
    proof: Proof
    checkpoint: Checkpoint
    witnesses: tuple[str, ...]

    @property
    def path(self) -> tuple[str, ...]:
        """The hashes that lead from the event to the root, as the proof file has them."""
        return tuple(base64.b64encode(step).decode() for step in self.proof.path)

    @property
    def root(self) -> str:
        """The root as the checkpoint has it."""
        return base64.b64encode(self.checkpoint.root).decode()


@dataclass(frozen=True)
class EventView:
    """An event as it stands in the log, and its proof; None where no checkpoint covers it yet, or where it holds no more."""

    seq: int
    entry: bytes
    proved: ProvedEvent | None
    problem: str = ""


def _proved(ctx: Context, work: Work, seq: int) -> ProvedEvent:
    proof, entry = prove(work, seq)
    try:
        seen = check_proof(proof, entry, ctx.log.keys.verifiers, ctx.log.witnesses)
    except BadNote as problem:
        raise Conflict("log-broken", f"The log no longer proves event {seq}: {problem}.") from None
    others = sorted(one.name for one in seen.signers if one.kind == COSIGNED)
    return ProvedEvent(seq, entry, proof, seen.checkpoint, tuple(others))


def show_event(ctx: Context, officer: Person, seq: int) -> EventView:
    """One event and its proof. NotFound where there is no such event."""
    require(officer, Role.RIGHTS_OFFICER)
    with ctx.store.read() as work:
        entry = entry_of(work, seq)
        last = work.tree.last_checkpoint()
        covered = last is not None and last.size >= seq
        try:
            return EventView(seq, entry, _proved(ctx, work, seq) if covered else None)
        except Conflict as broken:
            return EventView(seq, entry, None, broken.text)


def proof_file(ctx: Context, officer: Person, seq: int) -> bytes:
    """The proof of one event as a file."""
    require(officer, Role.RIGHTS_OFFICER)
    with ctx.store.read() as work:
        return write_proof(_proved(ctx, work, seq).proof)


def evidence_bundle(ctx: Context, officer: Person, number: str) -> bytes:
    """A ZIP about one delivery: request, decision with counts, agreements, copy, opens, events with proofs, how to check it.

    It holds pseudonyms only, and the events that a signed checkpoint covers by now. NotFound where there is no such delivery or
    no such event, Conflict where a proof holds no more. That it was made is an event too.
    """
    require(officer, Role.RIGHTS_OFFICER)
    with ctx.store.read() as work:
        delivery = work.deliveries.get(number)
        request = work.requests.get(delivery.request)
        page = work.log.find(LogFilter(request=request.number, limit=MOST_EVENTS))
        last = work.tree.last_checkpoint()
        signed = last.size if last is not None else 0
        own = [entry.seq for entry in reversed(page.entries)]
        pairs = {*agreement_pairs(request), *delivery.agreements}
        words = [told.seq for told in told_texts(work) if (told.name, told.version) in pairs]
        events = [_proved(ctx, work, seq) for seq in own if seq <= signed]
        texts = [_proved(ctx, work, seq) for seq in words if seq <= signed]
        if not events:
            raise NotFound("no-checkpoint-yet", "No checkpoint covers this event yet; one is signed every minute.")
        files = {
            "request.json": _json(_request(request)),
            "decision.json": _json(request.decision),
            "decision.txt": _in_words(work, request).encode(),
            "delivery.json": _json(_delivery(delivery)),
            "opens.json": _json([json.loads(one.entry) for one in events if b'"kind":"window:' in one.entry]),
        }
        for name, version in sorted(pairs):
            files[f"agreements/{name}@{version}.toml"] = work.agreements.get(name, version).text.encode()
    for one in (*texts, *events):
        files[f"events/event-{one.seq}.json"] = one.entry
        files[f"events/event-{one.seq}.tlog-proof"] = write_proof(one.proof)
    files["keys"] = ctx.log.keys.published().encode()
    files["README.txt"] = _readme(ctx, delivery, events, page.total).encode()
    files |= {script.name: script.read_bytes() for script in SCRIPTS if script.exists()}
    with ctx.store.write() as work:
        where = (request.library_id, request.number, delivery.number)
        work.record(Event("log:exported", ctx.clock(), officer.reader_key, *where, code="evidence"))
    return _zipped(files, ctx.clock())


def _zipped(files: dict[str, bytes], at: datetime) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, at.timetuple()[:6])
            info.external_attr = 0o644 << 16
            bundle.writestr(info, content, zipfile.ZIP_DEFLATED)
    return data.getvalue()


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, default=str).encode()


def _request(request: DocumentRequest) -> dict[str, object]:
    return {
        "number": request.number,
        "library": request.library_id,
        "citation": {name: value for name, value in vars(request.citation).items() if value},
        "purpose": request.purpose,
        "state": str(request.state),
        "reason": request.reason,
        "source": request.source_id,
        "copy": request.copy_no,
        "created_at": request.created_at,
        "changed_at": request.changed_at,
    }


def _delivery(delivery: Delivery) -> dict[str, object]:
    return {
        "number": delivery.number,
        "sha256": delivery.sha256,
        "bytes": delivery.bytes,
        "engine": delivery.engine,
        "source_sha256": delivery.source_sha256,
        "issued_at": delivery.issued_at,
        "expires_at": delivery.expires_at,
        "ended_at": delivery.ended_at,
        "opens_limit": delivery.opens_limit,
        "opens_used": delivery.opens_used,
        "machine_hits": delivery.machine_hits,
        "agreements": [f"{name}@{version}" for name, version in delivery.agreements],
        "stamp": delivery.stamp,
    }


def _in_words(work: Work, request: DocumentRequest) -> str:
    told = explain_request(work, request, "en", for_page=False)
    if told is None:
        return "The decision is no longer kept.\n"
    lines = [told.sentence, ""]
    for rule in told.rules:
        more = "; ".join(text for text in (rule.words, rule.counted_for, rule.resets) if text)
        lines.append(f"{rule.title} v{rule.version}, {rule.rule}: {more}")
    return "\n".join(lines) + "\n"


def _readme(ctx: Context, delivery: Delivery, events: list[ProvedEvent], total: int) -> str:
    keys = "\n".join(f"  {verifier}" for verifier in ctx.log.keys.verifiers)
    witnesses = sorted({name for one in events for name in one.witnesses}) or ["none yet"]
    return README.format(
        number=delivery.number,
        request=delivery.request,
        events=len(events),
        total=total,
        origin=ctx.log.keys.origin,
        size=events[-1].checkpoint.size,
        witnesses=", ".join(witnesses),
        keys=keys,
        first=events[0].seq,
    )


README = """Evidence about delivery {number} (request {request})
==================================================

request.json     what was asked for      decision.json   facts, rules and counts as they were decided on
decision.txt     the same in words       agreements/     the agreements' texts in the versions that decided
delivery.json    the copy and its stamp  opens.json      each time the link was opened
events/          {events} of {total} events of this request as they stand in the audit log, each with its proof, and those
                 in which the texts of its agreements were drafted, proposed and confirmed

Readers appear under codes; no name is in here.

How to check it
---------------
Each events/*.json stands in the log {origin}, which had {size} events or more when that was
signed. Witnesses who signed too: {witnesses}. A proof needs no access to the service: with Python 3.9 and the package
"cryptography"

  python3 verify_bundle.py . --key KEY

proves every event and holds the other files against them; for one event alone

  python3 verify_log.py --key KEY --proof events/event-{first}.tlog-proof --entry events/event-{first}.json

where KEY is the log's key. Compare it with what the consortium has published or told you before; it is
{keys}
The proofs are in the format c2sp.org/tlog-proof@v1 and the checkpoints are notes of c2sp.org/tlog-checkpoint, so
that tools of other hands read them as well. What the events say (facts and digest) binds the other files: "facts" is
the SHA-256 of the facts that were decided on, and "digest" that of the file, or of the agreement's text.

如何核验
--------
events/ 中的每个事件都在审计日志 {origin} 中，并附有证明；读者只以代码出现，不含姓名。
使用 Python 3.9 和 cryptography 软件包，对每个事件运行上面的命令即可离线核验；
请将公钥与联盟事先公布的公钥核对。
"""
