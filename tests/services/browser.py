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
    binary = binary_of()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, headless=True, args=[*FLAGS, *root_flags()])
        try:
            yield browser
        finally:
            browser.close()


def binary_of() -> str:
    """Where the browser is."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser")
    if binary is None:
        raise ServiceUnavailableError("no browser: the package chromium is missing")
    return binary


def root_flags() -> list[str]:
    """What it wants to be told when it runs as root, whom it refuses to put in its sandbox."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []
