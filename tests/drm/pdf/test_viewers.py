"""Copies in the programs that readers use: each opens them, finds the words of the article and of the stamp, and asks for the password."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask, Response
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from benchmarks.pdf_engine.readers import Reader, readers
from drm.pdf.rewrite import make_copy
from tests.drm.pdf.tail.masters import ready
from tests.drm.pdf_drawing.samples import SPEC, document, text_at

HAN = replace(SPEC, reader="王小明", library="广东省立中山图书馆", language="zh")
PASSWORD = "密码 Zoë"  # nosec - of a test
COPIES = [(engine, kind) for engine in ("tail", "rewrite") for kind in ("Latin", "Chinese", "password")]
PAGES = 3


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of copies of a small article, encrypted and with object streams as copies usually are, and the master of one engine."""
    folder = tmp_path_factory.mktemp("shelf")
    one = ready(folder, document(text_at(72, 700, "Estuary"), text_at(72, 500, "Sandbank")))
    (folder / "master.pdf").write_bytes(one.path.read_bytes())
    for engine, kind in COPIES:
        spec, password = HAN if kind == "Chinese" else SPEC, PASSWORD if kind == "password" else None
        out = folder / f"{engine} {kind}.pdf"
        if engine == "tail":
            out.write_bytes(one.copy(spec, password))
        else:
            make_copy(folder / "source.pdf", out, spec, reader_password=password)
    return folder


def asked() -> list[object]:
    """All six readers. In CI none of them may be missing."""
    return [pytest.param(one, id=one.name, marks=pytest.mark.service) for one in readers()]


def found_in(text: str, kind: str) -> tuple[int, int, bool]:
    """How often number and name are read, up to once a page, and whether the words of the article are."""
    name, words = str(HAN.reader if kind == "Chinese" else SPEC.reader), " ".join(text.split())
    counts = (min(words.count(SPEC.delivery), PAGES), min(words.count(name), PAGES))
    return *counts, "Estuary" in words and "Sandbank" in words


@pytest.mark.parametrize("reader", asked())
@pytest.mark.parametrize(("engine", "kind"), COPIES)
def test_a_reader_finds_the_words_of_a_copy(shelf: Path, reader: Reader, engine: str, kind: str) -> None:
    if reader.missing:
        pytest.skip(reader.missing)
    text = reader.read(shelf / f"{engine} {kind}.pdf", PASSWORD if kind == "password" else "")

    assert text == str(PAGES) if reader.name == "qpdf" else found_in(text, kind) == (PAGES, PAGES, True)


@pytest.mark.parametrize("reader", asked())
def test_a_reader_opens_neither_a_master_alone_nor_a_copy_with_another_password(shelf: Path, reader: Reader) -> None:
    if reader.missing:
        pytest.skip(reader.missing)

    assert reader.read(shelf / "master.pdf", "") == ""
    for engine in ("tail", "rewrite"):
        assert [reader.read(shelf / f"{engine} password.pdf", word) for word in ("", "another")] == ["", ""]


@pytest.mark.parametrize("reader", asked())
@pytest.mark.parametrize("engine", ["tail", "rewrite"])
def test_no_reader_shows_a_copy_that_was_cut_without_its_stamp(
    shelf: Path, tmp_path: Path, reader: Reader, engine: str
) -> None:
    if reader.missing:
        pytest.skip(reader.missing)
    data = (shelf / f"{engine} Latin.pdf").read_bytes()
    encrypt = data.rfind(b"/Filter/Standard")
    for cut in (*range(len(data) - 4096, len(data) - 40, 400), encrypt, encrypt - 50):
        (tmp_path / "cut.pdf").write_bytes(data[:cut])
        text = reader.read(tmp_path / "cut.pdf", "")

        if reader.name == "qpdf":
            assert text == "" or cut > encrypt
        else:
            assert "Estuary" not in text or (cut > encrypt and text.count(SPEC.delivery) >= PAGES), cut


@pytest.fixture
def address(shelf: Path) -> Iterator[str]:
    app = Flask("shelf", static_folder=shelf, static_url_path="/copies")
    app.add_url_rule("/paste", view_func=lambda: Response("<textarea></textarea>", mimetype="text/html"))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def copied_from(page: Page, paper: Page) -> str:
    """What somebody gets who selects all in the browser's own viewer, copies it and pastes it; ``nothing`` where nothing was selected."""
    paper.bring_to_front()
    paper.fill("textarea", "nothing")
    paper.keyboard.press("Control+a")
    paper.keyboard.press("Control+c")
    page.bring_to_front()
    page.mouse.click(640, 300)
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+c")
    page.wait_for_timeout(200)
    paper.bring_to_front()
    paper.fill("textarea", "")
    paper.focus("textarea")
    paper.keyboard.press("Control+v")
    paper.wait_for_timeout(200)
    return paper.input_value("textarea")


@pytest.mark.parametrize(("engine", "kind"), COPIES)
def test_a_browser_shows_a_copy_whose_words_can_be_selected(
    shelf: Path, browser: Browser, address: str, engine: str, kind: str
) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 720}) as context:
        page, paper = context.new_page(), context.new_page()
        paper.goto(f"{address}/paste")
        page.goto(f"{address}/copies/{engine} {kind}.pdf")
        page.bring_to_front()
        if kind == "password":
            page.wait_for_timeout(2000)  # until the viewer asks
            page.keyboard.type(PASSWORD)
            page.keyboard.press("Enter")
        for _ in range(20):
            page.wait_for_timeout(500)
            if found_in(text := copied_from(page, paper), kind)[2]:
                break

    assert found_in(text, kind) == (PAGES, PAGES, True)
