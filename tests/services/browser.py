"""Debian's Chromium, driven by Playwright; Playwright's own browsers are never downloaded."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

from tests.services.processes import ServiceUnavailableError

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",  # a test browser has nothing to tell anybody
    "--disable-component-update",
    "--no-first-run",
)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser; each test opens a context of its own in it."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser")
    if binary is None:
        raise ServiceUnavailableError("no browser: the package chromium is missing")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []  # chromium refuses to sandbox root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, headless=True, args=[*FLAGS, *as_root])
        try:
            yield browser
        finally:
            browser.close()
