"""Commands that keep running: serve and worker."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

import click

from admin.settings import read_settings


@click.command()
def serve() -> None:
    """Serve the reader app and the staff app, with an embedded worker where no broker is set.

    Runs until Ctrl-C. Ports that are taken are replaced by the next free ones, which are printed.
    """
    from admin.keys import read_keys
    from admin.process import run_server
    from admin.serving import open_ports, with_addresses
    from admin.starting import make_ready

    settings = read_settings()
    make_ready(settings)
    read_keys(settings.key_file)  # wrong keys stop the command here, in words, before any process is forked
    ports = open_ports(settings)
    known = with_addresses(settings, ports)
    click.echo(f"reader app  {known.public_url}")
    click.echo(f"staff app   {known.staff_url}")
    run_server(settings, ports)


@click.command()
def worker() -> None:
    """Run jobs from the broker (RUSHLIGHT_BROKER_URL); without one, from the database alone.

    Run as many as you like, on any machine that reaches the database and the blobs.
    """
    from admin.process_log import start_logging
    from admin.worker_process import WorkerProcess

    settings = read_settings()
    start_logging(settings.log_level)
    # Not added to what it is: a worker that begins anew keeps it.
    os.setpriority(os.PRIO_PROCESS, 0, max(os.getpriority(os.PRIO_PROCESS, 0), settings.worker_nice))
    process = WorkerProcess(settings)
    end = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        end.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    process.start()
    click.echo("worker is ready")
    end.wait()
    process.stop()
    # Python would wait for a job in hand, however long that takes, and then take itself apart for seconds, where the processor is short.
    os._exit(0)
