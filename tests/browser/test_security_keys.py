"""Security keys in a real browser, with an authenticator that the browser itself provides; and the pages of the second factor."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession, Page
from werkzeug.serving import make_server

from admin.app import create_staff_app
from admin.web_settings import web_settings
from delivery.services import second_factors, watching
from delivery.stores import LogFilter
from tests.services.processes import free_port
from tests.world import PASSWORD, World

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}


@pytest.fixture
def base(world: World) -> Iterator[str]:
    """The staff app under a host name, without which browsers have no keys."""
    port = free_port()
    address = f"http://localhost:{port}"
    settings = replace(web_settings(world.services, "staff"), testing=True, base_url=address)
    server = make_server(
        "127.0.0.1", port, create_staff_app(world.ctx, settings, world.services.settings), threaded=True
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield address
    server.shutdown()


def with_key(browser: Browser, width: int = 1280) -> tuple[Page, CDPSession]:
    page = browser.new_context(viewport={"width": width, "height": 844}, ignore_https_errors=True).new_page()
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": False, "isUserVerified": False}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, "automaticPresenceSimulation": True}})
    return page, session


def sign_in(page: Page, base: str, world: World) -> None:
    page.goto(f"{base}/sign-in?lang=en")
    page.fill("#email", world.librarian.email)
    page.fill("#password", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def register(page: Page, base: str) -> None:
    page.goto(f"{base}/second-factor/key")
    page.fill("#label", "Blue key")
    page.wait_for_selector("#key:enabled")
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_key_is_registered_and_lets_in_with_the_keyboard_alone(world: World, base: str, browser: Browser) -> None:
    page, _ = with_key(browser)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    sign_in(page, base, world)
    register(page, base)
    codes = page.locator("li.code").count()
    page.context.clear_cookies()

    sign_in(page, base, world)
    asked = page.url
    page.wait_for_selector("#key:enabled")
    page.focus("#key")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert codes == 10
    assert asked == f"{base}/sign-in/second"
    assert page.url.startswith(f"{base}/queue")
    assert said == []
    with world.store.read() as work:
        used = [entry.code for entry in work.log.find(LogFilter(kind="factor:used")).entries]
    assert used == ["key"]


def test_another_key_or_an_answer_that_was_used_lets_nobody_in(world: World, base: str, browser: Browser) -> None:
    page, _ = with_key(browser)
    sign_in(page, base, world)
    register(page, base)
    page.context.clear_cookies()
    sign_in(page, base, world)
    page.wait_for_selector("#key:enabled")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.post_data or "") if one.method == "POST" else None)
    with page.expect_navigation():
        page.click("#key")
    page.context.clear_cookies()
    sign_in(page, base, world)
    token = page.locator("form.slip input[name=csrf_token]").first.input_value()
    stale = sent[0].split("&", 1)[1]
    again = page.request.post(
        f"{base}/sign-in/second/key",
        data=f"csrf_token={token}&{stale}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        max_redirects=0,
    )

    other, _ = with_key(browser)
    sign_in(other, base, world)
    other.wait_for_selector("#key:enabled")
    other.click("#key")
    other.wait_for_function("document.querySelector('[role=status]').textContent.includes('did not answer')")

    assert again.status == 409
    assert other.url == f"{base}/sign-in/second"


def test_a_key_whose_count_went_back_lets_nobody_in(world: World, base: str, browser: Browser) -> None:
    page, _ = with_key(browser)
    sign_in(page, base, world)
    register(page, base)
    [factor] = second_factors.kept(world.ctx, world.librarian).factors
    with world.store.write() as work:
        assert work.factors.advance(factor.id, 10_000, world.clock())
    page.context.clear_cookies()

    sign_in(page, base, world)
    page.wait_for_selector("#key:enabled")
    with page.expect_navigation():
        page.click("#key")

    assert page.url == f"{base}/sign-in/second/key"
    assert "does not hold" in page.content()


@pytest.mark.parametrize(("width", "language"), [(390, "zh"), (1280, "en")])
def test_the_pages_are_accessible_and_never_scroll_sideways(
    world: World, base: str, browser: Browser, width: int, language: str
) -> None:
    number = world.ask().number
    world.work()
    for network in range(12):
        watching.asked_from(world.ctx, world.delivery(number), f"192.0.{network}.1")
    page, _ = with_key(browser, width)
    messages: list[str] = []
    page.on("console", lambda said: messages.append(said.text))

    def check() -> None:
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url

    sign_in(page, base, world)
    for path in ("/alarms", "/second-factor", "/second-factor/app", "/second-factor/key"):
        page.goto(f"{base}{path}?lang={language}")
        check()
    register(page, base)
    check()
    page.goto(f"{base}/second-factor")
    check()
    page.context.clear_cookies()
    world.clock.move(timedelta(minutes=1))
    sign_in(page, base, world)
    page.goto(f"{base}/sign-in/second?lang={language}")
    check()
    assert messages == []
