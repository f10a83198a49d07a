"""The pages in a real browser: no accessibility violation, no policy message, no sideways scroll, keyboard alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from delivery.people import Person, Role
from delivery.services import governing, officers
from delivery.services.checkpointing import make_checkpoint
from tests.long_history import bury
from tests.world import LIMITED, OPEN_AGREEMENT, PASSWORD, World

Theme = Literal["light", "dark"]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}


@pytest.fixture
def running(world: World) -> Iterator[dict[str, str]]:
    servers = {name: make_server("127.0.0.1", 0, app, threaded=True) for name, app in _apps(world).items()}
    for server in servers.values():
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {name: f"http://127.0.0.1:{server.server_port}" for name, server in servers.items()}
    for server in servers.values():
        server.shutdown()


def _apps(world: World) -> dict[str, Flask]:
    return {"reader": world.reader_app(), "staff": world.staff_app()}


def signed_in(
    browser: Browser, base: str, person: Person, width: int, theme: Theme = "light"
) -> tuple[Page, list[str]]:
    page = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=theme).new_page()
    messages: list[str] = []
    page.on("console", lambda said: messages.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto(f"{base}/sign-in")
    page.fill("#email", person.email)
    page.fill("#password", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    return page, messages


def signed_all_but_one(world: World) -> int:
    """Sign the log; the number of an event that came after."""
    make_checkpoint(world.ctx, world.services.keys.audit, at_once=True)
    officers.verify_log(world.ctx, world.officer)
    with world.store.read() as work:
        return work.log.size()


def a_letter(world: World) -> str:
    folder = world.services.settings.mail_folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a-letter.eml").write_text(
        "To: maeve@harbour.example.org\nSubject: Ready\nDate: Tue, 24 Nov 2026 09:00:00 +0000\n\nYour copy is ready.\n"
    )
    return "a-letter"


@pytest.mark.parametrize(
    ("width", "language", "theme"),
    [(320, "en", "light"), (1440, "en", "dark"), (320, "zh", "dark"), (1440, "zh", "light")],
)
def test_pages_are_accessible_and_never_scroll_sideways(
    world: World, running: dict[str, str], browser: Browser, width: int, language: str, theme: Theme
) -> None:
    ready = world.ask().number
    waiting = world.ask(title="Nobody has this", year="2020").number
    world.work()
    held = LIMITED.format(most=0, per="reader", effect="needs_approval")
    world.load(held)
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    counted = world.ask(doi="10.5555/lantern.2022.0002").number
    governing.save_draft(world.ctx, world.officer, held.replace("version = 1\n[[", "version = 2\n[["))
    operator, letter = world.add_person("operator", Role.OPERATOR), a_letter(world)
    unsigned = signed_all_but_one(world)
    landing = f"/d/{world.ctx.links.sign(world.get(ready).delivery)}"
    for app, person, paths in (
        (
            "reader",
            world.reader,
            [
                "/ask",
                "/requests",
                f"/requests/{ready}",
                f"/requests/{waiting}",
                f"/requests/{counted}",
                landing,
                "/d/unknown",
            ],
        ),
        ("staff", world.librarian, ["/queue", f"/requests/{waiting}", f"/requests/{ready}", "/readers"]),
        (
            "staff",
            world.officer,
            [
                f"/requests/{counted}",
                "/rights/approvals",
                "/rights/agreements",
                "/rights/agreements/open/1",
                "/rights/agreements/limited/2",
                "/rights/agreements/new?from=limited@2",
                "/rights/agreements/limited/2/simulation?since=2026-01-01&until=2026-12-31",
                "/rights/where",
                "/rights/retention",
                "/rights/log",
                "/rights/log/1",
                f"/rights/log/{unsigned}",
            ],
        ),
        ("staff", operator, ["/operator", "/operator/mail", f"/operator/mail/{letter}"]),
    ):
        page, messages = signed_in(browser, running[app], person, width, theme)
        for path in paths:
            page.goto(f"{running[app]}{path}{'&' if '?' in path else '?'}lang={language}")
            found = Axe().run(page, options=RULES)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert messages == []
        page.context.close()


def test_the_document_is_opened_with_the_keyboard_alone(
    world: World, running: dict[str, str], browser: Browser, tmp_path: Path
) -> None:
    number = world.ask().number
    world.work()
    page = browser.new_context(accept_downloads=True).new_page()
    page.goto(f"{running['reader']}/d/{world.ctx.links.sign(world.get(number).delivery)}")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('main')"):
            break
    with page.expect_download() as waited:
        page.keyboard.press("Enter")

    waited.value.save_as(tmp_path / "copy.pdf")
    assert (tmp_path / "copy.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(("width", "language"), [(320, "zh"), (1440, "en")])
def test_the_viewer_is_accessible_and_turns_pages_by_keys(
    world: World, running: dict[str, str], browser: Browser, width: int, language: str
) -> None:
    rule = "[[agreement.rule]]"
    text = OPEN_AGREEMENT.replace(rule, f"[agreement.copy]\nview_only = true\n{rule}", 1)
    world.load(text.replace("version = 1\n[", "version = 2\n["))
    number = world.ask().number
    world.work()
    page = browser.new_context(viewport={"width": width, "height": 844}).new_page()
    page.goto(f"{running['reader']}/d/{world.ctx.links.sign(world.get(number).delivery)}?lang={language}")
    with page.expect_navigation():
        page.click("button.main")

    page.keyboard.press("ArrowRight")
    page.wait_for_url("**page=2**")
    page.keyboard.press("+")
    page.wait_for_url("**width=1400**")

    assert page.evaluate("document.querySelector('.leaf img').naturalWidth") >= 1400
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


@pytest.mark.parametrize(("width", "language"), [(390, "zh"), (1440, "en")])
def test_a_search_goes_further_back_by_the_keyboard_and_both_pages_are_accessible(
    world: World, running: dict[str, str], browser: Browser, width: int, language: str
) -> None:
    number = world.ask(title="Old estuaries", year="2020").number
    world.work()
    bury(world, number)
    for person, path in ((world.librarian, "/queue?view=all&q=old"), (world.officer, "/rights/log?title=old")):
        page, messages = signed_in(browser, running["staff"], person, width)
        page.goto(f"{running['staff']}{path}&lang={language}")
        assert_open_to_all(page, width)
        page.emulate_media(media="print")
        assert page.locator(".told span").is_visible()
        page.emulate_media(media="screen")
        page.locator("a[rel=next]").focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")

        assert number in page.inner_text("main")
        assert_open_to_all(page, width)
        assert messages == []
        page.context.close()


def assert_open_to_all(page: Page, width: int) -> None:
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_officer_comes_from_the_log_to_proof_and_evidence_with_the_keyboard(
    world: World, running: dict[str, str], browser: Browser
) -> None:
    number = world.ask().number
    world.work()
    make_checkpoint(world.ctx, world.services.keys.audit, at_once=True)
    page, messages = signed_in(browser, running["staff"], world.officer, 390)
    page.goto(f"{running['staff']}/rights/log?kind=copy:supplied&request={number}")
    page.locator("tbody a").first.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert "Proved" in page.inner_text("main")
    for name, ending in (("Proof as a file", ".tlog-proof"), ("All evidence about this delivery", "-evidence.zip")):
        page.get_by_text(name).focus()
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        assert download.value.suggested_filename.endswith(ending)
    assert messages == []
    page.context.close()
