"""Who works in this process: many jobs at once, or one that must be alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Company:
    """Lets many jobs in together, or one alone. Who wants to be alone waits for those who are there; nobody else comes in meanwhile."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._together = 0
        self._wanting = 0
        self._alone = False

    @property
    def is_wanted_alone(self) -> bool:
        """Whether somebody waits for the others to end."""
        return self._wanting > 0

    @contextmanager
    def together(self) -> Iterator[None]:
        """Among others, once nobody is alone or wants to be."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone and not self._wanting)
            self._together += 1
        try:
            yield
        finally:
            with self._changed:
                self._together -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """With nobody else in the process. Never to be asked for from within ``together``: it would wait for itself."""
        with self._changed:
            self._wanting += 1
            self._changed.wait_for(lambda: not self._alone and not self._together)
            self._wanting -= 1
            self._alone = True
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()


company = Company()
"""That of this process."""
