"""No text makes a regular expression of the product think for long: each of them, fed 100 kB of what it would rather not see."""

from __future__ import annotations

import ast
import collections
import importlib
import os
import pkgutil
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType

import pytest

import admin
import delivery
import drm
import fetchers
import storage

BYTES = 100_000
METHODS = ("match", "fullmatch", "search", "sub", "split", "findall", "finditer")
SIGNS = 60 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 6
"""So many signs of each expression are repeated."""
GENERAL = ("a", "0", " ", "\n", "a,", "0 ", "A1")
SECONDS = 2.5
"""Of the processor, however busy the machine is: once through 100 kB takes thousandths, once for each character many seconds."""

Found = tuple[str, str, str]


def modules() -> list[ModuleType]:
    """Every module of the product."""
    found = []
    for package in (admin, delivery, drm, fetchers, storage):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in info.name and not info.name.endswith("__main__"):
                found.append(importlib.import_module(info.name))
    return found


def used(module: ModuleType) -> Iterator[tuple[re.Pattern[str] | re.Pattern[bytes], str]]:
    """The expressions of a module with the ways in which it uses them."""
    if not any(isinstance(one, re.Pattern) or one is re for one in vars(module).values()):
        return  # nothing to parse for, which takes long in each process that collects tests
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in METHODS:
            continue
        owner = node.func.value
        if not isinstance(owner, ast.Name):
            continue
        written = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        if owner.id == "re" and isinstance(written, str):
            yield re.compile(written), node.func.attr
        if owner.id == "re" and isinstance(written, bytes):
            yield re.compile(written), node.func.attr
        known = getattr(module, owner.id, None)
        if isinstance(known, re.Pattern):
            yield known, node.func.attr


EXPRESSIONS = sorted(
    {(module.__name__, pattern.pattern, how): pattern for module in modules() for pattern, how in used(module)}.items(),
    key=repr,
)


def texts(pattern: re.Pattern[str] | re.Pattern[bytes]) -> list[str]:
    """Long texts of the signs and words that stand in an expression, each with an end that does not fit."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    units = dict.fromkeys(
        [*re.findall(r"[A-Za-z]{2,12}", source)[:2], *re.sub(r"[\\A-Za-z0-9]", "", source)[:SIGNS], *GENERAL]
    )
    return [f"{(unit * BYTES)[:BYTES]}\x01" for unit in units]


@contextmanager
def bounded() -> Iterator[None]:
    """TimeoutError after ``SECONDS`` of the processor."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def slow_texts(pattern: re.Pattern[str] | re.Pattern[bytes], how: str) -> list[str]:
    """The beginning of the first text over which an expression thinks too long."""
    slow = []
    for text in texts(pattern):
        given = text if isinstance(pattern.pattern, str) else text.encode("latin-1", "replace")
        try:
            with bounded():
                result = getattr(pattern, how)(
                    *(["" if isinstance(given, str) else b""] if how == "sub" else []), given
                )
                if how == "finditer":
                    collections.deque(result, maxlen=0)
        except TimeoutError:
            slow.append(text[:20])
            break
    return slow


def test_nearly_all_expressions_are_found() -> None:
    assert len(EXPRESSIONS) >= 80


def test_a_slow_expression_would_be_noticed() -> None:
    assert slow_texts(re.compile(r"\s+$"), "search")


@pytest.mark.parametrize(
    ("named", "pattern"), EXPRESSIONS, ids=lambda one: f"{one[0]} {one[2]}" if isinstance(one, tuple) else ""
)
def test_an_expression_goes_once_through_its_text(named: Found, pattern: re.Pattern[str] | re.Pattern[bytes]) -> None:
    assert slow_texts(pattern, named[2]) == []
