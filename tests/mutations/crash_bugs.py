"""Seeded bugs of order and crash: what is done before it is durable, and jobs that two have or nobody takes over."""

from __future__ import annotations

from tests.mutations.bug import Bug

POISON = ("tests/flows/test_poison_jobs.py",)
RACES = ("tests/faults/test_races.py",)
CLOCKS = ("tests/faults/test_clocks.py",)
ORDER = ("tests/faults/test_order.py",)
OUTBOX = "storage/outbox.py"
STORE = "storage/unit_of_work.py"
WORKING = "delivery/services/working.py"

CRASHES = (
    Bug(
        "rings before the job is durable",
        STORE,
        "                session.commit()\n",
        "                for job_id in work.jobs.added:\n                    self.ring(job_id)\n                session.commit()\n",
        ORDER,
    ),
    Bug(
        "the head of the log is written before the events are durable",
        STORE,
        '                if self.passing:\n                    self.passing(work.steps, "before")\n',
        "                self.audit_log.keep_head(head) if head else None\n"
        '                if self.passing:\n                    self.passing(work.steps, "before")\n',
        ORDER,
    ),
    Bug(
        "a job is finished whoever has it now",
        OUTBOX,
        'JobRow.id == job.id, JobRow.attempt == job.attempt, JobRow.state == "running"',
        "JobRow.id == job.id",
        ORDER,
    ),
    Bug(
        "the sweeper overlooks leases that ran out",
        OUTBOX,
        'and_(JobRow.state == "running", JobRow.lease_until < now)',
        'and_(JobRow.state == "running", JobRow.lease_until < JobRow.created_at)',
        POISON,
    ),
    Bug(
        "attempts are not counted in the row",
        OUTBOX,
        "attempt=row.attempt + 1,\n                holder",
        "attempt=row.attempt,\n                holder",
        POISON,
    ),
    Bug(
        "two may claim one job",
        OUTBOX,
        "JobRow.attempt == row.attempt, _claimable(now))",
        'JobRow.state != "done")',
        ORDER,
    ),
    Bug(
        "a request is changed whoever saved it meanwhile",
        "storage/requests.py",
        "RequestRow.number == before.number, RequestRow.version == before.version",
        "RequestRow.number == before.number",
        ("tests/faults/test_changed_meanwhile.py",),
    ),
    Bug(
        "the next job is taken whoever has it",
        OUTBOX,
        'and_(JobRow.id == following, JobRow.state == "queued", JobRow.run_after <= now)',
        "JobRow.id == following",
        ("tests/flows/test_running_along.py",),
    ),
    Bug(
        "a copy is settled in a transaction of its own",
        "delivery/services/preparing.py",
        "    settle(work, request, verdict, now)\n    work.record(",
        "    work.session.commit()\n    settle(work, request, verdict, now)\n    work.record(",
        ORDER,
    ),
    Bug(
        "a trouble of the machine is blamed on the file",
        "drm/pdf/sandbox.py",
        "    except ConnectionError:",
        "    except OSError:",
        ("tests/drm/pdf/test_sandbox.py",),
    ),
    Bug(
        "a busy machine is blamed on the file",
        "drm/pdf/sandbox.py",
        "return TooBusy() if self.spent < BUSY * (now - self.began) else PdfRefused(",
        "return PdfRefused(",
        ("tests/flows/test_busy_machine.py",),
    ),
    Bug(
        "a check that came to no end is a verdict",
        "drm/pdf/verifying.py",
        "    except NoVerdict:\n        raise\n",
        "",
        ("tests/flows/test_busy_machine.py",),
    ),
    Bug(
        "a full disk is blamed on the source",
        "delivery/sources.py",
        "        raise disk_trouble(error) from error",
        "        raise",
        ("tests/faults/test_full_disks.py",),
    ),
    Bug(
        "a damaged head of the log stops every write",
        "storage/audit_log.py",
        "            except (OSError, ValueError, KeyError):",
        "            except OSError:",
        ("tests/faults/test_cut_off.py",),
    ),
    Bug(
        "every death of a worker accuses all jobs that it had",
        OUTBOX,
        "max(row.deaths, min(row.deaths + 1, SUSPECT_DEATHS))",
        "row.deaths + 1",
        POISON,
    ),
    Bug(
        "a suspect runs beside others",
        WORKING,
        "    with company.alone():\n        with ctx.store",
        "    with company.together():\n        with ctx.store",
        POISON,
    ),
    Bug(
        "a server that is told to stop keeps its ports open",
        "admin/sending/worker.py",
        "                    pass\n                listener.close()\n",
        "                    pass\n",
        ("tests/serving/test_stopping.py",),
    ),
    Bug(
        "nobody ends the wait for a database that stands still",
        "storage/bounded_connection.py",
        "most if timeout is None else timeout",
        "timeout",
        ("tests/faults/test_database_away.py",),
    ),
    Bug(
        "a connection that the server ended for idleness is a fault of ours",
        STORE,
        " or error.connection_invalidated",
        "",
        ("tests/storage/test_bounds.py",),
    ),
)
