"""What every test may use: real services, and the rule that CI counts a skipped service test as a failure."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.services.databases import BOTH
from tests.services.processes import ServiceUnavailableError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.services.s3 import S3Server
    from tests.services.smtp import Mailbox
    from tests.world import World

# Tests hurry: processes that they start take nobody for a script. Those of the paces themselves name their own.
os.environ.update({f"RUSHLIGHT_{name}_PACE": "" for name in ("READER", "LIBRARY", "TOKEN")})

NEEDS_SERVICE = {"postgres_server", "redis_url", "rabbitmq_url", "s3", "nginx_shop", "log_checker"}
NEEDS_BROWSER = {"browser"}

hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("soak", deadline=None, max_examples=5_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that asks for a service carries its mark, whether its author thought of it or not.

    Tests marked ``soak`` are left out but where the profile asks for them: what they repeat in full, others sample.
    """
    if os.environ.get("HYPOTHESIS_PROFILE") != "soak":
        left_out = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & NEEDS_BROWSER:
            item.add_marker(pytest.mark.browser)
        if fixtures & NEEDS_SERVICE:
            item.add_marker(pytest.mark.service)


@pytest.hookimpl(specname="pytest_collection_modifyitems", trylast=True)
def start_with_the_long_ones(items: list[pytest.Item]) -> None:
    """Tests that take long come first in each process's share of them, lest one begins when all others are done.

    Each process collects all tests; the shares are those of ``--dist worksteal``.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = [item for item in items if item.get_closest_marker("slow")]
    rest = [item for item in items if not item.get_closest_marker("slow")]
    ordered: list[pytest.Item] = []
    for process in range(processes):
        share = (len(items) - len(ordered)) // (processes - process)
        first = slow[process::processes]
        others = max(0, share - len(first))
        ordered += [*first, *rest[:others]]
        rest = rest[others:]
    items[:] = [*ordered, *rest]


def _skips_fail() -> bool:
    return os.environ.get("RUSHLIGHT_REQUIRE_SERVICES") == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With ``RUSHLIGHT_REQUIRE_SERVICES=1`` a service or browser test that was skipped has failed."""
    report = yield
    is_marked = any(item.get_closest_marker(name) for name in ("service", "browser"))
    if report.skipped and not hasattr(report, "wasxfail") and is_marked and _skips_fail():
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} must not be skipped here: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself while it is collected."""
    report = yield
    if report.skipped and _skips_fail():
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} must not be skipped here: {report.longrepr}"
    return report


@contextlib.contextmanager
def or_skip() -> Iterator[contextlib.ExitStack]:
    """A stack for what may be missing on this machine: then the test is skipped, and says why."""
    with contextlib.ExitStack() as stack:
        try:
            yield stack
        except ServiceUnavailableError as reason:
            pytest.skip(str(reason))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server on which databases may be created."""
    from tests.services.postgres import postgres_server

    with or_skip() as stack:
        yield stack.enter_context(postgres_server())


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database, dropped after the test."""
    from tests.services.postgres import fresh_database

    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a Redis server that only these tests use."""
    from tests.services.redis import redis_server

    with or_skip() as stack:
        yield stack.enter_context(redis_server())


@pytest.fixture(scope="session")
def rabbitmq_url() -> Iterator[str]:
    """The URL of a RabbitMQ virtual host that only these tests use; name queues uniquely in it."""
    from tests.services.rabbitmq import rabbitmq_server

    with or_skip() as stack:
        yield stack.enter_context(rabbitmq_server())


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """An S3 store with a bucket that only these tests use; prefix keys uniquely in it."""
    from tests.services.s3 import s3_server

    with or_skip() as stack:
        yield stack.enter_context(s3_server())


@pytest.fixture(scope="session")
def log_checker() -> Iterator[Path]:
    """A program in Go that checks a log with Go's own packages."""
    from tests.services.go import log_checker

    with or_skip() as stack:
        yield stack.enter_context(log_checker())


@pytest.fixture
def smtp() -> Iterator[Mailbox]:
    """An empty mailbox behind a real SMTP server on loopback."""
    from tests.services.smtp import smtp_server

    with smtp_server() as mailbox:
        yield mailbox


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; open a context of your own in it."""
    from tests.services.browser import chromium

    with or_skip() as stack:
        yield stack.enter_context(chromium())


@pytest.fixture(scope="session")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample collection, made once."""
    from tests.world import collection_for

    return collection_for(tmp_path_factory.mktemp("sample"))


@pytest.fixture(params=BOTH)
def either(request: pytest.FixtureRequest, tmp_path: Path, collection: Path) -> Iterator[World]:
    """A small installation on each database."""
    from tests.world import make_world

    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    made = make_world(tmp_path / "either", collection, url)
    yield made
    made.close()


@pytest.fixture
def world(tmp_path: Path, collection: Path) -> Iterator[World]:
    """A small installation of its own for a test."""
    from tests.world import make_world

    made = make_world(tmp_path / "home", collection)
    yield made
    made.services.engine.dispose()
    made.store.secrets.engine.dispose()
