"""As operators run it: both apps over TLS behind nginx with the examples, and a browser that knows them by their public names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from delivery.people import Person
from tests.browser.test_security_keys import register, sign_in, with_key
from tests.conftest import or_skip
from tests.deploy.test_tls import READERS, STAFF, certify
from tests.services.browser import FLAGS, binary_of, root_flags
from tests.services.nginx import nginx_with_tls
from tests.services.processes import free_port
from tests.services.rushlight_server import rushlight_server
from tests.world import OPEN_AGREEMENT, PASSWORD, World, make_world

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]


@pytest.fixture
def behind_nginx(tmp_path: Path, collection: Path, browser: Browser) -> Iterator[tuple[World, Browser]]:
    """The world of a running site, and a browser for which the public names lead to its nginx."""
    with ExitStack() as stack:
        world = stack.enter_context(closing(make_world(tmp_path / "home", collection)))
        served = stack.enter_context(or_skip())
        ports = {"reader": free_port(), "staff": free_port()}
        cache = tmp_path / "cache"
        secure, _ = served.enter_context(nginx_with_tls(ports, cache, certify(tmp_path / "certificates")))
        settings = {f"{name}_port": str(port) for name, port in ports.items()}
        addresses = {"public_url": f"https://{READERS}", "staff_url": f"https://{STAFF}", "proxies": "1"}
        sent = {"accel": "/rushlight-copies/", "cache_folder": str(cache)}
        served.enter_context(rushlight_server(tmp_path / "home", **settings, **addresses, **sent))
        rules = ", ".join(f"MAP {host} 127.0.0.1:{secure}" for host in (READERS, STAFF))
        args = [*FLAGS, *root_flags(), f"--host-resolver-rules={rules}"]
        own = browser.browser_type.launch(executable_path=binary_of(), headless=True, args=args)
        stack.callback(own.close)
        yield world, own


def signed_in(browser: Browser, host: str, person: Person) -> Page:
    page = browser.new_context(ignore_https_errors=True, accept_downloads=True).new_page()
    page.goto(f"https://{host}/sign-in")
    page.fill("#email", person.email)
    page.fill("#password", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert not page.url.endswith("/sign-in"), page.inner_text("main")
    return page


def test_a_reader_asks_and_gets_the_file_and_leaves_again(behind_nginx: tuple[World, Browser], tmp_path: Path) -> None:
    world, browser = behind_nginx
    page = signed_in(browser, READERS, world.reader)
    page.goto(f"https://{READERS}/ask")
    page.fill("#doi", "10.5555/lantern.2021.0001")
    with page.expect_navigation():
        page.click("main button.main")
    page.wait_for_selector("main a.button.main", timeout=60_000)  # the page looks again by itself
    with page.expect_navigation():
        page.click("main a.button.main")

    with page.expect_download() as waited:
        page.click("main button.main")
    waited.value.save_as(tmp_path / "copy.pdf")
    page.goto(f"https://{READERS}/requests")
    with page.expect_navigation():
        page.click("header form button, nav form button")
    page.goto(f"https://{READERS}/requests")

    assert (tmp_path / "copy.pdf").read_bytes().startswith(b"%PDF-")
    assert "/sign-in" in page.url


def test_a_librarian_and_a_rights_officer_do_their_work(behind_nginx: tuple[World, Browser]) -> None:
    world, browser = behind_nginx
    number = world.ask(title="Nobody has this", year="2020").number
    desk = signed_in(browser, STAFF, world.librarian)
    desk.goto(f"https://{STAFF}/queue")
    desk.get_by_text("Nobody has this").first.wait_for(timeout=30_000)
    desk.goto(f"https://{STAFF}/requests/{number}")
    with desk.expect_navigation():
        desk.get_by_role("button", name="Claim").first.click()
    office = signed_in(browser, STAFF, world.officer)
    office.goto(f"https://{STAFF}/rights/log")

    assert number in office.inner_text("main")
    with world.store.read() as work:
        assert work.requests.get(number).assignee_id == world.librarian.id


def test_a_librarian_registers_a_security_key_and_signs_in_with_it(behind_nginx: tuple[World, Browser]) -> None:
    world, browser = behind_nginx
    page, _ = with_key(browser)
    sign_in(page, f"https://{STAFF}", world)
    register(page, f"https://{STAFF}")
    page.context.clear_cookies()

    sign_in(page, f"https://{STAFF}", world)
    page.wait_for_selector("#key:enabled")
    page.focus("#key")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert page.url.startswith(f"https://{STAFF}/queue")


def test_what_may_only_be_read_on_screen_is_shown_page_by_page(behind_nginx: tuple[World, Browser]) -> None:
    world, browser = behind_nginx
    rule = "[[agreement.rule]]"
    text = OPEN_AGREEMENT.replace(rule, f"[agreement.copy]\nview_only = true\n{rule}", 1)
    world.load(text.replace("version = 1\n[", "version = 2\n["))
    number = world.ask().number
    page = signed_in(browser, READERS, world.reader)
    page.goto(f"https://{READERS}/requests/{number}")
    page.wait_for_selector("main a.button.main", timeout=60_000)
    with page.expect_navigation():
        page.click("main a.button.main")
    with page.expect_navigation():
        page.click("main button.main")

    page.keyboard.press("ArrowRight")
    page.wait_for_url("**page=2**")
    page.wait_for_load_state("networkidle")

    assert page.evaluate("document.querySelector('.leaf img').naturalWidth") > 600
