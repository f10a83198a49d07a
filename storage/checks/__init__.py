"""Rules that the rows must keep. Each is one statement over whole tables, so that it sees one moment and scales to millions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy.orm import Session

from delivery.violations import Patience, Violation
from storage.checks import copies, counted, events, jobs, ledger, links, requests, states

Check = Callable[[Session, Patience], Iterator[Violation]]

CHECKS: tuple[tuple[str, Check], ...] = (
    ("requests", requests.lost),
    ("requests", requests.overdue),
    ("requests", requests.supplied_without_copy),
    ("copies", copies.two_live),
    ("copies", copies.of_another_request),
    ("copies", copies.other_reader),
    ("copies", copies.one_message_id_for_two),
    ("copies", copies.not_announced),
    ("copies", copies.without_tail),
    ("copies", copies.without_master),
    ("copies", copies.removed_while_live),
    ("ledger", ledger.odd_entries),
    ("ledger", ledger.odd_records),
    ("ledger", ledger.settled_twice),
    ("ledger", ledger.copies_and_counts),
    ("ledger", ledger.reserved_for_nobody),
    ("counted", counted.scopes),
    ("counted", counted.times_of_filling),
    ("counted", counted.readers),
    ("log", events.created_and_requests),
    ("log", events.copies_and_events),
    ("log", events.events_and_copies),
    ("log", events.settles_and_events),
    ("log", events.reserves_and_entries),
    ("log", events.refunds_and_events),
    ("log", events.opens_and_events),
    ("log", events.head_and_rows),
    ("log", events.days),
    ("states", states.unknown_states),
    ("states", states.odd_parts),
    ("states", states.live_and_not_supplied),
    ("states", states.live_and_ended),
    ("states", states.windows_and_opens),
    ("states", states.endless_windows),
    ("states", states.mails_and_events),
    ("links", links.outlived),
    ("links", links.ended_at_no_time),
    ("links", links.file_outlived),
    ("jobs", jobs.stale_leases),
    ("jobs", jobs.waiting_too_long),
    ("jobs", jobs.quarantined),
)
"""Every rule with the part of the report it belongs to."""
