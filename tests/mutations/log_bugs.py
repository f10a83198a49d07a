"""Seeded bugs of the audit log: how it is written, signed and checked."""

from __future__ import annotations

from tests.mutations.bug import Bug

FLOW = ("tests/flows/test_log.py",)
LEGS = ("tests/storage/test_search_legs.py",)
FORGING = ("tests/storage/test_log_forging.py",)
WORK = "storage/unit_of_work.py"
CHECKING = "delivery/services/log_checking.py"

LOG = (
    Bug(
        "an event is written in a transaction of its own",
        WORK,
        "                session.rollback()\n                raise",
        "                session.rollback()\n                self.audit_log.append(session, work.events)\n"
        "                session.commit()\n                raise",
        FLOW,
    ),
    Bug(
        "events go behind the end that this process remembers",
        "storage/log_appending.py",
        "LogHeadRow.id == 1, *ends)",
        "LogHeadRow.id == 1)",
        ("tests/storage/test_log_appending.py",),
    ),
    Bug(
        "the next leg of a search leaves out the rest of the very same time",
        "storage/queue_walks.py",
        "or_(when < place.at, number > place.key)",
        "when < place.at",
        LEGS,
    ),
    Bug(
        "a search reads on behind the end of its leg",
        "storage/search_legs.py",
        "    within = [*_from(order, leg), *_up_to(order, leg, stop)]",
        "    within = [*_from(order, leg)]",
        LEGS,
    ),
    Bug(
        "a search of the log may be led by the more frequent of two filters",
        "storage/log_legs.py",
        "    stop, walk = min(ways",
        "    stop, walk = max(ways",
        LEGS,
    ),
    Bug(
        "the chain leaves out the sequence number",
        "drm/audit/chain.py",
        'before + seq.to_bytes(8, "big") + digest',
        "before + digest",
        FORGING,
    ),
    Bug(
        "the columns of an event that was kept whole may say anything",
        "drm/audit/kept.py",
        " or (*names, listed) != columns:",
        ":",
        ("tests/drm/test_kept_events.py",),
    ),
    Bug(
        "text may move from one column of an event to another",
        "drm/audit/kept.py",
        """            if '"' in actor or '"' in request or '"' in delivery or at[10] != " ":""",
        "            if False:",
        ("tests/drm/test_kept_events.py",),
    ),
    Bug(
        "the tail beyond the last checkpoint is not verified",
        CHECKING,
        "    parts = _parts(size, signed, known)",
        "    parts = _parts(signed or size, signed, known)",
        FLOW,
    ),
    Bug(
        "a checkpoint is signed before the rows are durable",
        WORK,
        "                session.commit()\n",
        "                if head is not None:\n"
        "                    from drm.audit.checkpoints import Checkpoint\n\n"
        "                    ctx, told = self.durable.__self__._ctx, work.tree.head()\n"
        "                    keys, now = ctx.log.keys, ctx.clock()\n"
        "                    note = Checkpoint(keys.origin, told.size, told.root).signed(keys.signer(now))\n"
        "                    for place in ctx.log.places:\n"
        "                        place.give(note, 0, lambda size: [])\n"
        "                session.commit()\n",
        FLOW,
    ),
    Bug(
        "the head file is written before the rows are durable",
        WORK,
        "                session.commit()\n",
        "                if head is not None:\n                    self.audit_log.keep_head(head)\n                session.commit()\n",
        FLOW,
    ),
    Bug(
        "a checkpoint that the log does not reach is overlooked",
        CHECKING,
        "        if end.size > size:",
        "        if end.size > size + 1_000:",
        FLOW,
    ),
    Bug(
        "what a witness saw is not compared",
        CHECKING,
        "    return sorted([*signed, *outside], key=lambda one: one[0])",
        "    return sorted(signed, key=lambda one: one[0])",
        FORGING,
    ),
    Bug(
        "a witness takes a smaller tree",
        "drm/audit/witnessing.py",
        "    if submission.old != before.size or",
        "    if submission.old > before.size or",
        ("tests/flows/test_witnesses.py",),
    ),
    Bug(
        "a log signs what does not continue its last checkpoint",
        "delivery/services/checkpointing.py",
        "        if last is not None:\n            _continues",
        "        if last is None:\n            _continues",
        FLOW,
    ),
)
