"""Takes pictures of the pages on sample data: python -m tools.pictures [FOLDER]. Needs chromium."""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

from delivery.people import Role
from delivery.services import governing
from tests.world import LIMITED, PASSWORD, World, collection_for, make_world

Pages = dict[str, str]
SIZES = {"390": {"width": 390, "height": 844}, "1440": {"width": 1440, "height": 900}}


def main() -> None:
    """Take them all."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/pictures")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        world = make_world(Path(scratch) / "home", collection_for(Path(scratch)))
        ready = world.ask().number
        waiting = world.ask(title="Nobody has this one", container="Lost Letters", year="1999", volume="2").number
        world.work()
        world.load(LIMITED.format(most=0, per="reader", effect="needs_approval"))
        world.bind("collection", ["limited"])
        world.bind("desk", ["limited"])
        world.ask(doi="10.5555/lantern.2022.0002")
        pages = {
            "start": "/",
            "sign-in": "/sign-in",
            "ask": "/ask?doi=10.5555/lantern.2022.0002",
            "mine": "/requests",
            "request": f"/requests/{ready}",
            "at-desk": f"/requests/{waiting}",
            "landing": f"/d/{world.ctx.links.sign(world.get(ready).delivery)}",
            "unknown": "/d/unknown",
        }
        staff = {"queue": "/queue", "desk-request": f"/requests/{waiting}", "supplied": f"/requests/{ready}"}
        text = LIMITED.format(most=3, per="reader", effect="deny").replace("version = 1\n[[", "version = 2\n[[")
        governing.save_draft(world.ctx, world.officer, text)
        operator = {"operator": "/operator", "letters": "/operator/mail"}
        office = {
            "draft": "/rights/agreements/limited/2",
            "edit": "/rights/agreements/new?from=limited@2",
            "simulation": "/rights/agreements/limited/2/simulation?since=2026-01-01&until=2026-12-31",
            "approvals": "/rights/approvals",
            "limited": "/rights/agreements/limited/1",
            "log": "/rights/log",
            "agreements": "/rights/agreements",
            "agreement": "/rights/agreements/open/1",
        }
        _take(world, folder, pages, staff, office, operator)


def _take(world: World, folder: Path, pages: Pages, staff: Pages, office: Pages, operator: Pages) -> None:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for app, person, wanted in (
            (world.reader_app(), world.reader, pages),
            (world.staff_app(), world.librarian, staff),
            (world.staff_app(), world.officer, office),
            (world.staff_app(), world.add_person("operator", Role.OPERATOR), operator),
        ):
            server = make_server("127.0.0.1", 0, app, threaded=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            base = f"http://127.0.0.1:{server.server_port}"
            for size, viewport in SIZES.items():
                for language in ("en", "zh"):
                    page = browser.new_context(viewport=viewport).new_page()  # type: ignore[arg-type]  # two numbers
                    _sign_in(page, base, person.email)
                    for name, path in wanted.items():
                        page.goto(f"{base}{path}{'&' if '?' in path else '?'}lang={language}")
                        page.screenshot(path=folder / f"{name}-{language}-{size}.png")
            server.shutdown()
        browser.close()


def _sign_in(page: Page, base: str, email: str) -> None:
    page.goto(f"{base}/sign-in")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_load_state()


if __name__ == "__main__":
    main()
