"""A worker that never hears its broker at first: run as a program. It says how often it was started."""

from __future__ import annotations

import os
import time

from admin.settings import read_settings
from admin.worker_process import WorkerProcess


class DeafProcess(WorkerProcess):
    """Does everything but listen."""

    def start(self) -> None:
        """Only the sweeper."""
        super().start()
        assert self._worker is not None
        self._worker.stop()


def main() -> None:
    """Deaf at the first start, whole at the next."""
    again = "RUSHLIGHT_TEST_AGAIN" in os.environ
    os.environ["RUSHLIGHT_TEST_AGAIN"] = "1"
    process = (WorkerProcess if again else DeafProcess)(read_settings())
    process.start()
    print("hearing" if again else "deaf", flush=True)
    time.sleep(300)


if __name__ == "__main__":
    main()
