"""The demonstration: sets everything up, serves, and delivers one article as a reader would get it."""

from __future__ import annotations

import ctypes
import shutil
import signal
import subprocess
import sys
import time

import click

from admin.settings import Settings, read_settings

START_SECONDS = 60.0


@click.command()
@click.option("--once", is_flag=True, help="Stop after the delivery, with exit 0.")
@click.option("--reset", is_flag=True, help="First remove everything in the home folder, keys and data too.")
def demo(once: bool, reset: bool) -> None:
    """Set up the sample consortium, serve both apps, and deliver one article through HTTP, station by station.

    Keeps serving until Ctrl-C, unless --once is given.
    """
    from admin.demonstration import deliver_one
    from admin.seeding import load_consortium
    from admin.starting import make_ready
    from admin.wiring import build_services

    settings = read_settings()
    signal.signal(signal.SIGTERM, _stop)
    if reset:
        _reset(settings)
    make_ready(settings)
    server = _serve(settings)
    try:
        services = build_services(settings)
        sign_ins = load_consortium(services)
        places = _wait(settings, server)
        click.echo(f"reader app  {places['reader']}")
        click.echo(f"staff app   {places['staff']}")
        saved, link = deliver_one(services, sign_ins, str(places["reader"]), click.echo)
        click.echo("")
        click.echo(f"the copy is saved as   {saved}")
        click.echo(f"its link is            {link}")
        click.echo("sign in with one of these:")
        for sign_in in sign_ins:
            click.echo(f"  {'+'.join(sign_in.roles):15} {sign_in.email:38} {sign_in.password}")
        if not once:
            click.echo("serving; stop with Ctrl-C")
            server.wait()
    except KeyboardInterrupt:
        click.echo("stopping")
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _stop(*_: object) -> None:
    """As Ctrl-C does, also where a shell that runs a script has started us in the background with Ctrl-C switched off."""
    raise KeyboardInterrupt


def _reset(settings: Settings) -> None:
    """Remove what the demonstration made: only a folder that holds our key file or nothing."""
    home = settings.home
    if home.exists() and any(home.iterdir()) and not settings.key_file.exists():
        raise click.UsageError(f"{home} does not look like a Rushlight folder; it is left alone")
    shutil.rmtree(home, ignore_errors=True)


def end_with_parent() -> None:
    """Ask the kernel to end this process when its parent ends, however that happens (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _serve(settings: Settings) -> subprocess.Popen[bytes]:
    (settings.home / "serving.json").unlink(missing_ok=True)
    log = (settings.home / "server.log").open("ab")
    with log:
        return subprocess.Popen(
            [sys.executable, "-m", "admin.cli", "serve"],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - this process has one thread when it forks
        )


def _wait(settings: Settings, server: subprocess.Popen[bytes]) -> dict[str, object]:
    """Where the apps listen, once they do; a usage error with the server's last words when it does not come up."""
    import json

    ready = settings.home / "serving.json"
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        if ready.exists():
            content: dict[str, object] = json.loads(ready.read_text(encoding="utf-8"))
            return content
        time.sleep(0.05)
    words = (settings.home / "server.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
    raise click.ClickException("the server did not start: " + " | ".join(words))
