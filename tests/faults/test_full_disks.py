"""A disk of a few kilobytes under one store at a time: a clear answer, no half file, and all goes on when there is room again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from admin.mail import MailFolder
from delivery.errors import StorageFull, Unavailable
from delivery.lifecycle import State
from delivery.services.working import run_job, sweep
from tests.conftest import or_skip
from tests.faults.counts import FULL_DISKS, SOAK
from tests.faults.installation import violations
from tests.services.processes import ServiceUnavailableError
from tests.world import World, make_world

DISK = 8 * 1024 * 1024

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(7_200 if SOAK else 300)]


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of eight MiB at ``place``; only root may have one."""
    place.mkdir(parents=True)
    with or_skip():
        line = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", str(place)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServiceUnavailableError(f"no small disk: mounting a tmpfs needs root ({done.stderr.strip()})")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def full(disk: Path, room: int) -> Iterator[None]:
    """No room but ``room`` bytes."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize - room))
    try:
        yield
    finally:
        ballast.unlink()


def run_all(world: World) -> None:
    for _ in range(10):
        for job in sweep(world.ctx):
            try:
                run_job(world.ctx, job, lambda *_: None)
            except Unavailable:
                continue  # the process log has it; the sweeper comes again


def asked(world: World, doi: str) -> str | None:
    """The request's number, or None where the answer was that the disk is full."""
    try:
        return world.ask(doi=doi).number
    except StorageFull:
        return None


def turn(world: World, disk: Path, room: int) -> int:
    """Ask and work with a full disk, then with room again; how many troubles there were."""
    numbers, troubles = [], 0
    with world.services.engine.connect() as connection:
        # The write-ahead log keeps the room that it once had: what stands in it needs none on the full disk.
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    dois = ["10.5555/lantern.2021.0001", "10.5555/lantern.2022.0002"]
    with full(disk, room):
        numbers = [number for doi in dois if (number := asked(world, doi))]
        troubles += len(dois) - len(numbers)
        run_all(world)
        troubles += sum(world.get(number).state is not State.SUPPLIED for number in numbers)
        troubles += len(numbers) > len(world.post.letters)
    world.clock.move(timedelta(minutes=1))
    numbers += [world.ask(doi=dois[0]).number]
    run_all(world)
    assert [world.get(number).state for number in numbers] == [State.SUPPLIED] * len(numbers)
    assert violations(world) == []
    return troubles


@pytest.mark.parametrize("store", ["blobs", "database", "mail"])
def test_a_full_disk_under_one_store_loses_nothing_and_work_goes_on_when_there_is_room(
    tmp_path: Path, collection: Path, store: str
) -> None:
    home = tmp_path / "home"
    places = {"blobs": home / "blobs", "database": tmp_path / "data"}
    with small_disk(places.get(store, home / "mail")) as disk:
        world = make_world(home, collection, f"sqlite:///{disk}/rushlight.db" if store == "database" else "")
        if store == "mail":
            mailer = MailFolder(disk, "Rushlight <rushlight@localhost>", world.clock)
            world = replace(world, ctx=replace(world.ctx, mailer=mailer))
        troubles = sum(turn(world, disk, room=4096 * (at % 4)) for at in range(FULL_DISKS.now))
        world.close()

        assert troubles >= FULL_DISKS.now, "the disk was not full: nothing is shown"
        assert not list(disk.glob("**/*.part"))
