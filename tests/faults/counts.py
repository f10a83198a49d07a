"""How much of each fault is injected: a little in every run, in full by ``make soak``. The table is in docs/reliability.md."""

from __future__ import annotations

import os
from dataclasses import dataclass

SHORT_LEASE = "30"
"""Seconds that a worker may be silent in tests that kill processes."""
SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"


@dataclass(frozen=True)
class Count:
    """How often in every run, and how often in the soak."""

    ci: int
    soak: int

    @property
    def now(self) -> int:
        """What holds for this run."""
        return self.soak if SOAK else self.ci


CRASH_ROUNDS = Count(1, 6)
"""F1: times that every named point is met, by a worker and by a web process each."""
SYSTEM_CALLS = Count(40, 500)
"""F3: system calls of one request that fail or kill."""
REPEATED_RINGS = Count(3, 300)
"""F4: rounds in which each ring comes three times, shuffled, to several workers."""
BROKERS = Count(3, 20)
"""F5: times that a broker forgets all rings, or loses its queue."""
LOST_BROKERS = Count(1, 20)
"""F5: times that a broker is paused, killed and started again; each takes the patience of a worker, twice."""
DATABASE = Count(3, 20)
"""F6: rounds of a PostgreSQL that is stopped at once, paused, or ends its connections."""
CUTS = Count(3, 4096)
"""F7: places at which database and log are cut off."""
FULL_DISKS = Count(3, 50)
"""F8: rounds of a full disk for each store."""
BUCKETS = Count(3, 100)
"""F9: rounds of a bucket that fails, is slow or lies."""
MAIL_SERVERS = Count(3, 40)
"""F10: rounds of a mail server in trouble."""
CLOCKS = Count(3, 60)
"""F11: rounds of a clock that jumps."""
HOSTILE_SOURCES = Count(3, 10)
"""F13: times that each way of a hostile source is met."""
ROLLS = Count(0, 50)
"""F14: rounds in which every process is restarted, one after the other. In every run one process is stopped under a download."""
RESTORES = Count(3, 20)
"""F15: older databases and older files in one installation."""
EVERYTHING = Count(0, 3)
"""F16: rounds of everything at once, each as long as ``RUSHLIGHT_EVERYTHING_SECONDS`` says."""
