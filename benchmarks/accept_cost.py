"""What one accepted request costs the app in processor time, without the server around it: python -m benchmarks.accept_cost [--requests 60]."""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.machine import lines
from tests.flows.test_pages import bearer
from tests.services.postgres import fresh_database, postgres_server
from tests.world import collection_for, make_world

WARM = 5
BODY = {"citation": {"doi": "10.5555/lantern.2021.0001"}, "deliberate": True}


def cost(folder: Path, database: str, requests: int) -> float:
    """Milliseconds of the processor for one request over the API, of ``requests`` in a row; the database's own are not among them."""
    world = make_world(folder / "home", collection_for(folder), database)
    client, told = world.reader_app().test_client(), bearer(world)
    start = 0.0
    for at in range(WARM + requests):
        start = time.process_time() if at == WARM else start
        answer = client.post("/api/v1/requests", json=BODY, headers=told)
        if answer.status_code != 202:
            raise RuntimeError(answer.get_data(as_text=True))
    taken = time.process_time() - start
    world.close()
    return taken / requests * 1000


def main() -> None:
    """Run on both databases and print."""
    wish = argparse.ArgumentParser(prog="python -m benchmarks.accept_cost", description=__doc__)
    wish.add_argument("--requests", type=int, default=60)
    requests = wish.parse_args().requests
    print("\n".join(lines()))
    with ExitStack() as stack:
        one, two = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        database = stack.enter_context(fresh_database(stack.enter_context(postgres_server())))
        print(f"SQLite: {cost(one, '', requests):.1f} ms of the processor for each of {requests} requests")
        print(f"PostgreSQL: {cost(two, database, requests):.1f} ms of the processor for each of {requests} requests")


if __name__ == "__main__":
    main()
