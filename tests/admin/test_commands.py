"""The operator's commands on a real folder: what they make, what they find, and what they say when something is wrong."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from admin.cli import COMMANDS, main
from admin.settings import Settings
from admin.wiring import build_services
from delivery.services import requesting
from delivery.services.requesting import Asked
from delivery.stores import AgreementVersion
from tests.packed import teach_plain
from tests.world import LIMITED, OPEN_AGREEMENT, make_world


class Shop:
    """A home folder and the console command in it."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *words: str, code: int = 0, **settings: str) -> str:
        environment = {
            "RUSHLIGHT_HOME": str(self.home),
            **{f"RUSHLIGHT_{name.upper()}": value for name, value in settings.items()},
        }
        said = io.StringIO()
        with (
            mock.patch.dict(os.environ, environment),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            pytest.raises(SystemExit) as ended,
        ):
            main(list(words))
        assert (ended.value.code or 0) == code, (ended.value.code, said.getvalue())
        assert "Traceback" not in said.getvalue()
        return said.getvalue()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path / "a home")
    made("init")
    return made


def test_init_makes_private_random_keys_and_is_safe_to_repeat(shop: Shop) -> None:
    keys = (shop.home / "keys.json").read_bytes()

    shop("init")

    assert (shop.home / "keys.json").read_bytes() == keys
    assert stat.S_IMODE((shop.home / "keys.json").stat().st_mode) == 0o600
    assert len(set(re.findall(rb"[0-9a-f]{64}", keys))) == 3


def test_two_homes_have_different_keys(tmp_path: Path) -> None:
    for name in ("one", "two"):
        Shop(tmp_path / name)("init")

    assert (tmp_path / "one" / "keys.json").read_text() != (tmp_path / "two" / "keys.json").read_text()


def test_doctor_is_content_with_a_fresh_home(shop: Shop) -> None:
    said = shop("doctor")

    parts = re.findall(r"^ok +(\w+)", said, re.M)
    assert set(parts) >= {"keys", "database", "blobs", "broker", "fonts", "mail", "clock"}
    assert "BAD" not in said


@pytest.mark.parametrize(
    ("break_it", "part"),
    [
        (lambda home: (home / "keys.json").unlink(), "keys"),
        (lambda home: (home / "keys.json").chmod(0o644), "keys"),
        (lambda home: (home / "rushlight.db").write_bytes(b"not a database" * 100), "database"),
        (lambda home: (home / "rushlight.db").unlink(), "database"),
    ],
)
def test_doctor_names_each_fault_and_what_to_do(shop: Shop, break_it: object, part: str) -> None:
    assert callable(break_it)
    break_it(shop.home)

    said = shop("doctor", code=1)

    assert re.search(rf"^BAD +{part}", said, re.M)
    assert "to do:" in said


@pytest.mark.parametrize("settings", [{"smtp_url": "smtp://127.0.0.1:9"}, {"broker_url": "amqp://127.0.0.1:9//"}])
def test_doctor_finds_a_service_that_does_not_answer(shop: Shop, settings: dict[str, str]) -> None:
    assert "BAD" in shop("doctor", code=1, **settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reader_port", "eighty"),
        ("reader_port", "99999"),
        ("language", "fr"),
        ("public_url", "not an address"),
        ("threads", "0"),
        ("upload_mib", "-5"),
        ("log_level", "LOUD"),
    ],
)
def test_a_setting_that_cannot_be_read_stops_the_service_and_is_named(shop: Shop, name: str, value: str) -> None:
    said = shop("serve", code=2, **{name: value})

    assert f"RUSHLIGHT_{name.upper()}" in said


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "not json",
        '{"tokens": {"k1": "00"}, "audit": "00", "session": "00"}',
        '{"tokens": {}, "audit": "' + "ab" * 32 + '", "session": "' + "cd" * 32 + '"}',
    ],
)
def test_weak_or_missing_keys_stop_the_service_and_the_variable_is_named(shop: Shop, content: str) -> None:
    (shop.home / "keys.json").write_text(content)

    assert "RUSHLIGHT_HOME" in shop("serve", code=2)


def test_a_library_a_librarian_and_a_token_are_added_from_the_shell(shop: Shop) -> None:
    shop(
        "library",
        "add",
        "dunes",
        "--name",
        "Dunes Library",
        "--country",
        "IE",
        "--tz",
        "Europe/Dublin",
        "--email",
        "a@dunes.example",
    )
    added = shop(
        "people", "add", "lib@dunes.example", "--name", "Líadan Ó", "--library", "dunes", "--role", "librarian"
    )
    token = shop("token", "issue", "lib@dunes.example", "--days", "3")
    shop("people", "reset-password", "lib@dunes.example")
    shop("people", "disable", "lib@dunes.example")

    assert re.search(r"[a-z0-9]{5}-[a-z0-9]{5}|https?://", added)
    assert re.search(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", token)
    assert "whole" in shop("audit", "verify")


DUNES = ("--name", "Dunes Library", "--country", "IE", "--tz", "Europe/Dublin", "--email", "a@dunes.example")


def test_an_empty_installation_is_filled_from_the_shell_and_delivers(shop: Shop, collection: Path) -> None:
    shop("library", "add", "dunes", *DUNES)
    folder = str(collection / "lantern")
    held = shop("source", "add", "press", "--kind", "local_collection", "--title", "Press", "--folder", folder)
    shop("people", "add", "reader@dunes.example", "--name", "Róisín", "--library", "dunes", "--group", "course-7")
    shop("people", "change", "reader@dunes.example", "--category", "student")
    services = build_services(Settings(home=shop.home, _env_file=None))
    with services.store.write() as work:
        work.agreements.add(AgreementVersion("open", 1, "Open", OPEN_AGREEMENT, "confirmed"), services.ctx.clock())
        work.sources.save(replace(work.sources.get("press"), agreements=("open",)))
        reader = work.people.by_email("reader@dunes.example")
    assert reader is not None

    asked = requesting.submit(services.ctx, reader, Asked({"doi": "10.5555/lantern.2021.0001"})).request

    assert re.search(r"\d+ works are held, 0 rows", held)
    assert (asked.state, asked.source_id) == ("new", "press")
    facts = asked.decision["facts"]
    assert isinstance(facts, dict)
    assert (facts["reader"]["group"], facts["reader"]["category"]) == ("course-7", "student")
    listed = shop("source", "list")
    assert "desk-dunes" in listed
    assert "open" in listed
    services.engine.dispose()


def test_changing_a_source_keeps_its_agreements_and_taking_it_out_of_use_is_told(shop: Shop, collection: Path) -> None:
    words = ("source", "add", "press", "--kind", "local_collection", "--title", "Press")
    shop(*words, "--folder", str(collection / "lantern"))
    services = build_services(Settings(home=shop.home, _env_file=None))
    with services.store.write() as work:
        work.sources.save(replace(work.sources.get("press"), agreements=("open",)))

    shop(*words, "--folder", str(collection / "yangtze"), "--rank", "7")
    shop("source", "disable", "press")

    with services.store.read() as work:
        found = work.sources.get("press")
    assert (found.agreements, found.rank, found.active) == (("open",), 7, False)
    assert "out of use" in shop("source", "disable", "press", code=2)
    services.engine.dispose()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--kind", "local_collection"], "--folder"),
        (["--kind", "local_collection", "--folder", "/nowhere"], "holdings.tsv"),
        (["--kind", "desk"], "--library"),
        (["--kind", "desk", "--library", "nowhere"], "no library"),
        (["--kind", "unpaywall", "--folder", "/tmp"], "--folder"),
        (["--kind", "telepathy"], "telepathy"),
    ],
)
def test_a_source_that_cannot_be_is_one_line_and_exit_2(shop: Shop, options: list[str], said: str) -> None:
    assert said in shop("source", "add", "press", "--title", "Press", *options, code=2)


@pytest.mark.parametrize(
    "words",
    [
        ["people", "add", "a@b.example", "--name", "A", "--library", "nowhere"],
        ["people", "add", "no address", "--name", "A", "--library", "nowhere"],
        ["people", "disable", "nobody@b.example"],
        [
            "library",
            "add",
            "Bad Id",
            "--name",
            "A",
            "--country",
            "IE",
            "--tz",
            "Europe/Dublin",
            "--email",
            "a@b.example",
        ],
        ["library", "add", "a", "--name", "A", "--country", "IE", "--tz", "Mars/Olympus", "--email", "a@b.example"],
        ["library", "add", "l" * 59, *DUNES],
        ["library", "add", "a", *DUNES, "--isil", "I" * 33],
        ["library", "add", "a", *DUNES, "--group", "g" * 65],
        ["token", "issue", "nobody@b.example"],
        ["people", "add", "a\udcff@b.example", "--name", "A", "--library", "a"],
    ],
)
def test_wrong_people_and_libraries_are_one_line_and_exit_2(shop: Shop, words: list[str]) -> None:
    assert shop(*words, code=2).strip()


def test_the_log_verifies_and_an_edited_event_is_named(shop: Shop) -> None:
    shop("library", "add", "dunes", *DUNES)
    shop("people", "add", "a@dunes.example", "--name", "A", "--library", "dunes")
    assert "whole" in shop("audit", "verify")
    with sqlite3.connect(shop.home / "rushlight.db") as database:
        for trigger in ("audit_events_no_update", "audit_events_no_delete"):
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("UPDATE audit_events SET leaf = replace(leaf, 'person', 'parson') WHERE seq = 2")

    assert "event 2" in shop("audit", "verify", code=1)


def test_no_event_is_proved_under_a_number_that_none_has(shop: Shop) -> None:
    for number in (99_999, 2**63 - 1, 2**63, 10**20):
        assert "There is no such event." in shop("audit", "prove", str(number), code=2)


def test_a_backup_can_be_started_from(shop: Shop, tmp_path: Path) -> None:
    shop(
        "library",
        "add",
        "dunes",
        "--name",
        "D",
        "--country",
        "IE",
        "--tz",
        "Europe/Dublin",
        "--email",
        "a@dunes.example",
    )

    shop("backup", str(tmp_path / "kept"))

    restored = Shop(tmp_path / "kept")
    assert "BAD" not in restored("doctor")
    assert "whole" in restored("audit", "verify")
    assert "already-there" in shop("backup", str(tmp_path / "kept"), code=3)


@pytest.mark.parametrize(
    ("string", "field", "value"),
    [
        ("genre=article&rft_id=info:doi/10.5555/a.1&rft.atitle=River+beds", "title", "River beds"),
        ("https://resolver.example.org/?sid=x&issn=2049-3630&volume=4&spage=11&epage=20", "pages", "11-20"),
    ],
)
def test_an_openurl_is_printed_as_a_citation(tmp_path: Path, string: str, field: str, value: str) -> None:
    assert json.loads(Shop(tmp_path / "none")("openurl", "parse", string))[field] == value


def test_an_openurl_with_nothing_to_find_a_work_by_exits_2(tmp_path: Path) -> None:
    Shop(tmp_path / "none")("openurl", "parse", "url_ver=Z39.88-2004", code=2)


@pytest.mark.parametrize("word", sorted(COMMANDS))
def test_help_teaches_every_command(tmp_path: Path, word: str) -> None:
    said = Shop(tmp_path / "none")(word, "--help")

    assert len(said.splitlines()) > 5


def with_one_delivery(home: Path, collection: Path) -> tuple[Shop, str]:
    world = make_world(home, collection)
    world.load(LIMITED.format(most=3, per="reader", effect="deny"))
    world.bind("collection", ["limited"])
    number = world.ask().number
    world.work()
    return Shop(home), number


def test_stored_decisions_are_explained_replayed_and_simulated(tmp_path: Path, collection: Path) -> None:
    shop, number = with_one_delivery(tmp_path / "home", collection)
    (tmp_path / "new.toml").write_text(LIMITED.format(most=0, per="reader", effect="deny"))

    assert "limited v1, limited.per_month: used 0 of 3, this 1" in shop("rights", "explain", number)
    assert "1 the same, 0 differ" in shop("rights", "replay")
    said = shop(
        "rights", "simulate", "--policies", str(tmp_path / "new.toml"), "--from", "2026-01-01", "--to", "2026-12-31"
    )
    assert "1 would have been refused" in said
    assert number in said


def test_a_file_of_agreements_is_imported_as_drafts_or_not_at_all(tmp_path: Path, collection: Path) -> None:
    shop, _ = with_one_delivery(tmp_path / "home", collection)
    one = LIMITED.format(most=1, per="reader", effect="deny").replace("limited", "spring")
    other = one.replace("vocabulary = 1\n", "").replace("spring", "autumn")
    good, bad, officer = tmp_path / "good.toml", tmp_path / "bad.toml", "nora@harbour.example.org"
    good.write_text(one + other)
    bad.write_text(one.replace("spring", "winter") + other.replace('"calendar"', '"fortnight"'))

    assert "fortnight" in shop("rights", "import", "--officer", officer, str(bad), code=2)
    assert "unknown-person" in shop("rights", "import", "--officer", "nobody@example.org", str(good), code=2)
    assert shop("rights", "import", "--officer", officer, str(good)).splitlines() == [
        "draft spring v1",
        "draft autumn v1",
    ]
    with sqlite3.connect(tmp_path / "home" / "rushlight.db") as database:
        kept = database.execute("SELECT id, standing FROM agreements ORDER BY id").fetchall()
    assert [row for row in kept if row[1] == "draft"] == [("autumn", "draft"), ("spring", "draft")]


def test_a_decision_that_was_edited_is_found_by_its_replay(tmp_path: Path, collection: Path) -> None:
    shop, number = with_one_delivery(tmp_path / "home", collection)
    with sqlite3.connect(tmp_path / "home" / "rushlight.db") as database:
        teach_plain(database)
        database.execute("""UPDATE requests SET decision = replace(plain(decision), '"used":0', '"used":5')""")

    said = shop("rights", "replay", number, code=1)

    assert f"DIFFERS {number} counts" in said


def test_an_unknown_request_is_one_line_and_exit_2(shop: Shop) -> None:
    assert "unknown-request" in shop("rights", "explain", "TR-NONE", code=2)
    assert "unknown-request" in shop("rights", "replay", "TR-NONE", code=2)


def test_a_new_key_joins_the_ring_and_the_old_ones_stay(shop: Shop) -> None:
    before = json.loads((shop.home / "keys.json").read_text())["tokens"]

    assert "key k2 is added" in shop("keys", "rotate")
    after = json.loads((shop.home / "keys.json").read_text())["tokens"]

    assert list(after) == ["k1", "k2"]
    assert after["k1"] == before["k1"] != after["k2"]
    assert stat.S_IMODE((shop.home / "keys.json").stat().st_mode) == 0o600
    assert "0 prepared documents are under key k2 now" in shop("keys", "rewrap")


def test_an_announced_key_verifies_and_signs_nothing_before_it_is_rotated_in(shop: Shop) -> None:
    from admin.keys import read_keys

    assert "key k2 is announced" in shop("keys", "announce")
    assert "key k2 is announced" in shop("keys", "announce")
    announced = read_keys(shop.home / "keys.json").ring
    assert "key k2 is added" in shop("keys", "rotate")
    rotated = read_keys(shop.home / "keys.json").ring
    assert (sorted(announced.keys), announced.current) == (["k1", "k2"], "k1")
    assert (dict(rotated.keys), rotated.current) == (dict(announced.keys), "k2")
