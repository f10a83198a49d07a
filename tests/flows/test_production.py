"""The production profile as a whole: two web and two worker processes on real services, and one of each is killed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from delivery.lifecycle import State
from tests.flows.test_pages import bearer
from tests.services.production import Production, kill, production
from tests.services.s3 import S3Server
from tests.services.smtp import Mailbox

DOI = ("10.5555/lantern.2021.0001", "10.5555/lantern.2022.0002", "10.5555/lantern.2019.0003")
SECONDS = 120


def ask(installed: Production, web: str, doi: str) -> str:
    """Ask for a work at one of the web processes; the request's number."""
    answer = httpx.post(
        f"{installed.address(web)}/api/v1/requests",
        json={"citation": {"doi": doi}, "deliberate": True},
        headers={**bearer(installed.world), "Host": "127.0.0.1"},
        timeout=30,
        trust_env=False,
    )
    assert answer.status_code in {201, 202}, answer.text
    return str(answer.json()["number"])


def all_supplied(installed: Production, numbers: Sequence[str]) -> bool:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if all(installed.world.get(number).state is State.SUPPLIED for number in numbers):
            return True
        time.sleep(0.2)
    return False


def mails(mailbox: Mailbox, wanted: int) -> Counter[str]:
    """How often each Message-ID arrived, once so many have."""
    end = time.monotonic() + SECONDS
    while len({str(letter.message["Message-ID"]) for letter in mailbox.letters}) < wanted and time.monotonic() < end:
        time.sleep(0.2)
    return Counter(str(letter.message["Message-ID"]) for letter in mailbox.letters)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_one_web_and_one_worker_process_are_killed_and_all_is_delivered_once(
    tmp_path: Path, collection: Path, postgres_server: str, rabbitmq_url: str, s3: S3Server, smtp: Mailbox
) -> None:
    with (
        production(tmp_path / "all", collection, postgres_server, rabbitmq_url, s3, smtp) as installed,
        installed.process("serve", "web1") as web,
        installed.process("serve", "web2"),
        installed.process("worker", "worker1") as worker,
        installed.process("worker", "worker2"),
    ):
        numbers = [ask(installed, f"web{1 + at % 2}", DOI[at % 3]) for at in range(8)]
        kill(worker)
        kill(web)
        numbers += [ask(installed, "web2", DOI[at]) for at in range(3)]

        assert all_supplied(installed, numbers)
        arrived = mails(smtp, len(numbers))
        with installed.world.store.read() as work:
            copies = [work.deliveries.of_request(number) for number in numbers]
        checked = installed.command("fsck", "--deep")

    assert [len(made) for made in copies] == [1] * len(numbers)
    assert set(arrived) == {made[0].message_id for made in copies}
    # One letter at most was in the killed worker's hands when it died: nobody can know whether it went.
    assert sum(arrived.values()) <= len(numbers) + installed.world.services.settings.worker_threads
    assert checked.returncode == 0, checked.stdout
