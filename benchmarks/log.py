"""How fast the audit log is checked, beside bare hashing of the same entries: python -m benchmarks.log [--events N] [--processes N].

Builds a log of N events in a database of its own, then prints, for one process and for several: events a second of processor and
of wall time, the ratio to one SHA-256 an entry and nothing else, and the most memory that the check took.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from admin.keys import make_keys
from admin.log_wiring import check_log, processors
from admin.settings import Settings
from admin.wiring import Services, build_services
from delivery.services.checkpointing import make_checkpoint
from drm.audit.chain import START, next_chain
from drm.audit.events import Event, leaf_bytes, leaf_hash
from drm.audit.kept import row_of
from drm.audit.tree import entry_hash, grown
from storage.log_rows import COLUMNS
from storage.migrating import migrate
from storage.models import EventRow, LogHeadRow

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
AT_ONCE = 10_000


def filled(home: Path, count: int) -> Services:
    """An installation whose log has ``count`` events and one checkpoint over them."""
    settings = Settings(home=home, _env_file=None)
    make_keys(settings.key_file)
    services = build_services(settings)
    migrate(services.engine)
    chain, edge = START, ()  # type: bytes, tuple[bytes, ...]
    with services.engine.execution_options(rushlight_write=True).connect() as connection:
        for first in range(0, count, AT_ONCE):
            rows = []
            for seq in range(first + 1, min(first + AT_ONCE, count) + 1):
                at = BEGIN + timedelta(seconds=seq)
                event = Event(
                    "copy:supplied", at, "system", "harbour", f"TR-{seq}", f"RL-{seq}", (("open", 1),), code="tail"
                )
                leaf = leaf_bytes(seq, event)
                chain = next_chain(services.keys.audit, chain, seq, leaf_hash(leaf))
                edge = grown(edge, seq - 1, entry_hash(leaf))
                row = row_of(seq, leaf, chain, event)
                rows.append({**dict(zip(COLUMNS, row, strict=True)), "at": at})
            connection.execute(insert(EventRow), rows)
        head = {"size": count, "chain": chain, "frontier": b"".join(edge), "hashed": count}
        connection.execute(LogHeadRow.__table__.update().values(head))  # type: ignore[attr-defined]  # a table has it
        connection.commit()
    make_checkpoint(services.ctx, services.keys.audit, at_once=True)
    return services


def bare(services: Services) -> float:
    """Entries a second of processor time when each is only hashed."""
    with services.store.read() as work:
        leaves = work.tree.leaves(0, min(100_000, work.log.size()))
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        for leaf in leaves:
            hashlib.sha256(b"\x00" + leaf).digest()
        best = min(best, time.process_time() - start)
    return len(leaves) / best


def main() -> None:
    """Build, check, print."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--events", type=int, default=300_000)
    given.add_argument("--processes", type=int, default=processors())
    options = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        services = filled(Path(folder) / "home", options.events)
        hashing = bare(services)
        print(f"bare hashing      {hashing:12,.0f} entries/s of processor time")
        for processes in sorted({1, options.processes}):
            who = resource.RUSAGE_SELF if processes == 1 else resource.RUSAGE_CHILDREN
            before, start = resource.getrusage(who), time.perf_counter()
            url = services.settings.database
            verdict = check_log(services.store, services.audit_log, services.ctx.log.keys, (), processes, url)
            wall, after = time.perf_counter() - start, resource.getrusage(who)
            assert verdict.whole, verdict
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            speed = options.events / used * processes
            print(
                f"verify x{processes}         {speed:12,.0f} events/s of processor time, {options.events / wall:,.0f} of wall time, "
                f"{speed / hashing:.2f} of bare hashing, at most {after.ru_maxrss / 1024:.0f} MiB"
            )
        services.engine.dispose()


if __name__ == "__main__":
    main()
