"""The browser of the tests is a real one: it lays pages out, and does without scripts when told to."""

from __future__ import annotations

from playwright.sync_api import Browser

PAGE = """<!doctype html><html lang="zh"><title>申请</title><style>main { max-width: 60rem; padding: 1rem }</style>
<main><h1>文献传递</h1><p id="said">plain</p></main>
<script>document.querySelector("#said").textContent = "lively"</script>"""


def test_a_page_fits_a_phone_and_runs_its_script(browser: Browser) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN") as context:
        page = context.new_page()
        page.set_content(PAGE)

        assert page.title() == "申请"
        assert page.locator("#said").text_content() == "lively"
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_context_without_scripts_shows_the_plain_page(browser: Browser) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.set_content(PAGE)

        assert page.locator("#said").text_content() == "plain"
