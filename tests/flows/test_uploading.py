"""A librarian's upload through the staff app: files longer than any other form may be."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pikepdf
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from delivery.lifecycle import State
from delivery.people import Person
from tests.delivery.web_test_support import signed_in, token_of
from tests.world import World, make_world

MIB = 1024 * 1024
FORM = "multipart/form-data; boundary=edge"
FRAME = b"--edge\r\nContent-Disposition: form-data; name="
TAIL = b"\r\n--edge--\r\n"


def head(form_token: str) -> bytes:
    """A form's beginning, up to the bytes of its file."""
    first = FRAME + b'"csrf_token"\r\n\r\n' + form_token.encode() + b"\r\n"
    return first + FRAME + b'"file"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n'


def long_pdf(megabytes: int) -> bytes:
    """A good PDF of one page, made long by what it carries along."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page()
        page.obj.PieceInfo = pikepdf.Stream(pdf, bytes(range(256)) * (megabytes * MIB // 256))
        pdf.save(made := io.BytesIO(), compress_streams=False, recompress_flate=False)
    return made.getvalue()


def at_the_desk(world: World) -> str:
    number = world.ask(title="Nobody has this", year="2020").number
    world.work()
    return number


def token(client: FlaskClient) -> str:
    return token_of(client.get("/account").get_data(as_text=True))


def send(client: FlaskClient, number: str, file: bytes, form_token: str, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    form = io.BytesIO(head(form_token) + file + TAIL)
    return client.post(f"/requests/{number}/upload", input_stream=form, content_type=FORM, headers=named)


def test_a_file_longer_than_other_forms_fills_the_request(world: World) -> None:
    number = at_the_desk(world)
    client = signed_in(world.staff_app(), world.librarian)

    answer = send(client, number, long_pdf(3), token(client), Sec_Fetch_Site="same-origin")
    world.work()

    assert answer.status_code == 303
    assert world.get(number).state is State.SUPPLIED


def test_a_file_longer_than_the_setting_is_too_large(tmp_path: Path, collection: Path) -> None:
    world = make_world(tmp_path / "home", collection, upload_mib="2")
    number = at_the_desk(world)
    client = signed_in(world.staff_app(), world.librarian)

    over = send(client, number, long_pdf(2), token(client))
    far_over = send(client, number, long_pdf(4), token(client))
    within = send(client, number, long_pdf(1), token(client))

    assert (over.status_code, far_over.status_code, within.status_code) == (422, 413, 303)
    assert "The file is too large." in over.get_data(as_text=True)


@pytest.mark.parametrize("size", [10, 3 * MIB])
def test_an_upload_without_a_token_or_from_another_site_is_refused(world: World, size: int) -> None:
    number = at_the_desk(world)
    client = signed_in(world.staff_app(), world.librarian)
    file = b"%PDF-1.4\n" + bytes(size)

    answers = [
        send(client, number, file, ""),
        send(client, number, file, "made-up"),
        send(client, number, file, token(client), Sec_Fetch_Site="cross-site"),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert all("stale-form" in answer.get_data(as_text=True) for answer in answers)
    assert world.get(number).state is State.AT_DESK


class LongForm:
    """The body of a long upload, made while it is read; ``given`` tells how many bytes of it were."""

    def __init__(self, form_token: str, size: int) -> None:
        self._head = head(form_token) + b"%PDF-1.4\n"
        self.size = len(self._head) + size + len(TAIL)
        self.given = 0

    def read(self, most: int = -1) -> bytes:
        """The next bytes, never more than 64 KiB."""
        at, until = self.given, self.size - len(TAIL)
        part = self._head[at:] or (bytes(min(65536, until - at)) if at < until else TAIL[at - until :])
        part = part if most < 0 else part[:most]
        self.given += len(part)
        return part


def stream(client: FlaskClient, number: str, form: LongForm) -> TestResponse:
    around = {"wsgi.input": form, "CONTENT_LENGTH": str(form.size), "CONTENT_TYPE": FORM}
    return client.post(f"/requests/{number}/upload", environ_overrides=around)


@pytest.mark.parametrize("who", ["officer", "nobody"])
def test_of_who_may_not_upload_no_long_form_is_read(world: World, who: str) -> None:
    number = at_the_desk(world)
    person: Person | None = getattr(world, who, None)
    client = signed_in(world.staff_app(), person) if person else world.staff_app().test_client()
    form = LongForm(token(client) if person else "", 50 * MIB)

    answer = stream(client, number, form)

    assert answer.status_code == 413
    assert form.given < MIB


def test_an_upload_goes_to_the_disk_and_not_into_memory(world: World) -> None:
    number = at_the_desk(world)
    client = signed_in(world.staff_app(), world.librarian)
    form = LongForm(token(client), 30 * MIB)

    tracemalloc.start()
    answer = stream(client, number, form)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert answer.status_code == 422
    assert form.given == form.size
    assert peak < 10 * MIB


def test_other_forms_stay_short(world: World) -> None:
    client = signed_in(world.staff_app(), world.librarian)
    form = io.BytesIO(head(token(client)) + bytes(3 * MIB) + TAIL)

    answer = client.post("/readers", input_stream=form, content_type=FORM)

    assert answer.status_code == 413
