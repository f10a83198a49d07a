"""The bars of serving: virtual copies against plain files, first bytes, many and slow readers, and nginx in front."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median

from benchmarks.pdf_engine.documents import article
from benchmarks.pdf_engine.rows import FAIL, PASS, Row, absent, milliseconds
from benchmarks.pdf_engine.scans import PAGES, scan
from benchmarks.serving.shop import Shop, served, stocked

KEPT = Path("var", "benchmarks", "documents").absolute()
MEBI = 1024 * 1024
MANY, SLOW, PARALLEL_BYTES = 100, 200, 2 * MEBI
CROWD = 8
FLAT, DELAYED = 32, 2.0
ACCEL = {"accel": "/rushlight-copies/", "proxies": "1", "web_processes": "2"}
"""The settings that let the service hand files to nginx, with a process for each of two cores, as the guide for production says."""
OF_A_FILE = {"large": 0.9, "middle": 0.5}


def rows(smoke: bool) -> list[Row]:
    """All of them; each server is one that was really started."""
    KEPT.mkdir(parents=True, exist_ok=True)
    sources = {"small": article(1, KEPT), "middle": article(14, KEPT), "large": scan(12 if smoke else PAGES, KEPT)}
    folder = Path(tempfile.mkdtemp(prefix="serving-", dir=KEPT.parent))
    try:
        shop = stocked(folder, KEPT, sources)
        parts: list[Callable[[Shop, bool], list[Row]]] = [_against_plain, _first_byte, _many, _slow]
        with served(shop):
            found = [row for part in parts for row in part(shop, smoke)]
        return found + _behind_nginx(shop, smoke)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _against_plain(shop: Shop, smoke: bool) -> list[Row]:
    """Requests a second of the server's processor: the window of a copy against send_file, by turns."""
    found = []
    for name, count in (("middle", 60 if smoke else 200), ("large", 1 if smoke else 2)):
        works = {"ours": shop.paths[name], "plain": f"/peer/{name}"}
        rates: dict[str, list[float]] = {key: [] for key in works}
        walls: dict[str, list[float]] = {key: [] for key in works}
        for path in works.values():
            shop.ask("fetch", path, 1)
        for _ in range(2 if smoke else 5):
            for key, path in works.items():
                start = shop.spent
                told = shop.ask("fetch", path, count)
                rates[key].append(count / max(shop.spent - start, 0.01))
                walls[key].append(told["seconds"] / count)
        ours, plain = median(rates["ours"]), median(rates["plain"])
        ratio = ours / plain
        what = f"virtual copy of {shop.sizes[name] / 1e6:.1f} MB, requests a second of server CPU"
        note = f"on the wall, with the client: {milliseconds(median(walls['ours']))} against {milliseconds(median(walls['plain']))}"
        bar, outcome = (">= 0.75x", PASS if ratio >= 0.75 else FAIL) if name == "middle" else ("", "reported")
        found.append(Row("E19", what, f"{ours:.0f}/s", f"send_file {plain:.0f}/s", f"{ratio:.2f}x", bar, outcome, note))
    return found


def _first_byte(shop: Shop, smoke: bool) -> list[Row]:
    """The first byte of a large file comes as soon as that of a small one; by the clock on the wall."""
    waits: dict[str, list[float]] = {"small": [], "large": []}
    for _ in range(2 if smoke else 5):
        for name in waits:
            waits[name] += shop.ask("first", shop.paths[name], 10)["waits"]
    large, small = median(waits["large"]), median(waits["small"])
    ratio = large / small
    what = f"first byte of {shop.sizes['large'] / 1e6:.0f} MB against {shop.sizes['small'] / 1e6:.1f} MB"
    outcome = PASS if ratio <= 1.5 else FAIL
    return [
        Row(
            "E19",
            what,
            milliseconds(large),
            milliseconds(small),
            f"{ratio:.2f}x",
            "<= 1.5x",
            outcome,
            "by the wall clock",
        )
    ]


def _holding(shop: Shop, count: int, more: int) -> tuple[subprocess.Popen[str], int]:
    command = shop.command("hold", shop.paths["large"], count, more)
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None
    return client, int(json.loads(client.stdout.readline())["served"])


def _end(client: subprocess.Popen[str]) -> None:
    client.communicate()


def _many(shop: Shop, smoke: bool) -> list[Row]:
    """Memory with many downloads under way, against none."""
    count = 20 if smoke else MANY
    shop.ask("fetch", shop.paths["large"], 1)
    before = shop.memory
    client, served = _holding(shop, count, PARALLEL_BYTES)
    grown = max(0, shop.memory - before) / MEBI
    _end(client)
    what = f"memory of {count} downloads of {shop.sizes['large'] / 1e6:.0f} MB at once"
    good = grown <= FLAT and served == count
    return [Row("E19", what, f"{grown:.0f} MiB", "", f"{served} served", f"<= {FLAT} MiB, all", PASS if good else FAIL)]


def _slow(shop: Shop, smoke: bool) -> list[Row]:
    """A fast reader beside many who hardly read."""
    count = 40 if smoke else SLOW
    alone = median(shop.ask("first", shop.paths["small"], 10)["waits"])
    client, _ = _holding(shop, count, 1024)
    try:
        beside = median(shop.ask("first", shop.paths["small"], 10)["waits"])
        ratio = beside / alone
        cells = (milliseconds(beside), f"alone {milliseconds(alone)}", f"{ratio:.2f}x")
        outcome = PASS if ratio <= DELAYED else FAIL
    except subprocess.CalledProcessError:
        cells, outcome = ("not served", f"alone {milliseconds(alone)}", ""), FAIL
    finally:
        _end(client)
    return [
        Row("E19", f"a fast reader beside {count} slow ones", *cells, f"<= {DELAYED:g}x", outcome, "by the wall clock")
    ]


def _behind_nginx(shop: Shop, smoke: bool) -> list[Row]:
    """A copy that nginx sends for the service against a plain file of the same nginx, by turns and by the wall clock."""
    starter, why = _starter()
    if starter is None:
        return [absent("E19", f"behind nginx, {name}", why) for name in OF_A_FILE]
    with served(shop, **ACCEL), starter(shop.port, shop.home / "cache", shop.plain) as (port, plain):
        found = [_sent_by_nginx(shop, name, bar, (port, plain), smoke) for name, bar in OF_A_FILE.items()]
        return [*found, _sent_by_nginx(shop, "middle", OF_A_FILE["middle"], (port, plain), smoke, at_once=CROWD)]


def _sent_by_nginx(shop: Shop, name: str, bar: float, ports: tuple[int, int], smoke: bool, at_once: int = 1) -> Row:
    count = (1 if smoke else 3) if name == "large" else (20 if smoke else 200 * at_once)
    asked = {"ours": (shop.paths[name], ports[0]), "plain": (f"/{name}", ports[1])}
    rates: dict[str, list[float]] = {key: [] for key in asked}
    for path, port in asked.values():
        shop.ask("fetch", path, 1, port)
    for _ in range(2 if smoke else 7):
        for key, (path, port) in asked.items():
            told = shop.ask("fetch" if at_once == 1 else "crowd", path, count, port, at_once)
            rates[key].append(told["bytes"] / told["seconds"] / 1e6)
    ours, plain = median(rates["ours"]), median(rates["plain"])
    ratio = ours / plain
    crowded = "" if at_once == 1 else f", {at_once} readers at once"
    what = f"behind nginx, X-Accel, {shop.sizes[name] / 1e6:.1f} MB, throughput{crowded}"
    cells = (f"{ours:.0f} MB/s", f"static file {plain:.0f} MB/s", f"{ratio:.2f}x", f">= {bar:g}x")
    return Row("E19", what, *cells, PASS if ratio >= bar else FAIL, f"by the wall clock, kept connections: {at_once}")


def _starter() -> tuple[Callable[..., AbstractContextManager[tuple[int, int]]] | None, str]:
    """What starts nginx with the configuration that operators are given; None and the reason where it cannot be."""
    if shutil.which("nginx") is None and shutil.which("nginx", path="/usr/sbin") is None:
        return None, "the command nginx is not installed (Debian: nginx)"
    try:
        return importlib.import_module("tests.services.nginx").nginx, ""
    except ModuleNotFoundError:
        return None, "the service does not let nginx send copies"
