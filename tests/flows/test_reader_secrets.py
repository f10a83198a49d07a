"""The ledger knows readers by keyed hashes; the secrets behind them lie apart, and with his secret a reader is forgotten."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from admin.backing_up import back_up
from admin.doctor import Finding, examine
from admin.settings import Settings, SettingsError
from admin.wiring import make_secrets
from delivery.document_request import DocumentRequest
from delivery.lifecycle import State
from delivery.people import Role
from delivery.services import expiring, joining
from delivery.services.forgetting import forget
from delivery.services.reporting import report
from storage.reader_secrets import ReaderSecrets
from tests.packed import taught
from tests.world import LIMITED, World

LIFETIME = LIMITED.format(most=1, per="reader", effect="deny").replace(
    'type = "calendar", unit = "month"', 'type = "lifetime"'
)
YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def bound(world: World, text: str) -> None:
    world.load(text)
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])


def supplied(world: World) -> str:
    number = world.ask().number
    world.work()
    assert world.get(number).state is State.SUPPLIED
    return number


def key_in_ledger(world: World, number: str) -> str:
    with world.store.read() as work:
        record = work.ledger.record(f"{number}/1")
    assert record is not None
    return str(record.keys["reader"])


def over(world: World) -> None:
    """The link of every copy has ended."""
    world.clock.move(timedelta(days=31))
    expiring.expire_links(world.ctx)


def test_the_ledger_holds_neither_the_name_nor_the_key_that_the_log_carries(world: World) -> None:
    bound(world, LIFETIME)
    number = supplied(world)

    tables = ("usage_records", "usage_journal", "ledger", "quota_locks")
    with world.services.engine.connect() as connection:
        kept = repr([connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables])
    assert key_in_ledger(world, number) in kept
    for known in (world.reader.reader_key, world.reader.id, world.reader.name, world.reader.email):
        assert known not in kept


def test_a_backup_of_the_ledger_holds_no_secret(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    supplied(world)
    settings, folder = world.services.settings, tmp_path_factory.mktemp("backup")
    with world.store.secrets.engine.connect() as connection:
        [secret] = connection.exec_driver_sql("SELECT secret FROM reader_secrets").scalars()

    back_up(settings, folder / "copy", folder / "secrets.db")

    assert all(secret not in path.read_bytes() for path in (folder / "copy").rglob("*") if path.is_file())
    assert secret in (folder / "secrets.db").read_bytes()
    assert stat.S_IMODE((folder / "secrets.db").stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.secrets_file.stat().st_mode) == 0o600


def test_a_forgotten_reader_starts_afresh_and_his_library_counts_as_before(world: World) -> None:
    bound(world, LIFETIME)
    number = supplied(world)
    before, key = report(world.ctx, world.officer, "titles", "", *YEAR).rows, key_in_ledger(world, number)
    over(world)

    forget(world.ctx, world.reader, "operator")
    again = world.add_person("maeve", Role.READER)

    assert report(world.ctx, world.officer, "titles", "", *YEAR).rows == before
    assert key_in_ledger(world, number) not in {key, None}
    assert world.ask(again).state is State.NEW
    assert world.ctx.check_log().whole


def test_a_destroyed_secret_is_written_over_on_the_disk(world: World) -> None:
    supplied(world)
    with world.store.secrets.engine.connect() as connection:
        [secret] = connection.exec_driver_sql("SELECT secret FROM reader_secrets").scalars()
    over(world)
    forget(world.ctx, world.reader, "operator")

    home = world.services.settings.home
    assert all(secret not in path.read_bytes() for path in home.glob("reader-secrets.db*"))


def test_a_secret_lives_on_when_the_forgetting_is_rolled_back(world: World) -> None:
    with world.store.write() as work:
        key = work.secrets.key_of(world.reader.id)

    def break_off() -> None:
        with world.store.write() as work:
            work.secrets.destroy(world.reader.id)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()

    with world.store.read() as work:
        assert work.secrets.key_of(world.reader.id) == key


def test_a_secret_without_its_reader_is_swept_away(world: World) -> None:
    world.store.secrets.make("somebody-who-is-gone")
    with world.store.read() as work:
        kept = work.secrets.key_of(world.reader.id)

    expiring.forget_old(world.ctx)

    assert world.store.secrets.people() == {world.reader.id}
    assert world.store.secrets.find(world.reader.id) == kept


def test_many_at_once_find_one_key(world: World) -> None:
    def key(_: int) -> str:
        with world.store.read() as work:
            return work.secrets.key_of(world.reader.id)

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(key, range(16)))) == 1


def test_a_reader_counted_before_there_were_secrets_is_counted_on(world: World) -> None:
    bound(world, LIFETIME)
    number, old = supplied(world), world.reader.reader_key
    fresh = key_in_ledger(world, number)
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        taught(connection).exec_driver_sql(
            "UPDATE usage_records SET reader = ?, facts = replace(plain(facts), ?, ?)", (old, fresh, old)
        )
    world.store.secrets.destroy([world.reader.id])

    assert world.ask().state is State.REFUSED


def test_pages_of_a_reader_add_up_under_his_key(world: World) -> None:
    text = LIMITED.format(most=10, per="reader", effect="deny").replace('"copies"', '"pages"')
    bound(world, text.replace('type = "calendar", unit = "month"', 'type = "lifetime"'))

    def asked(pages: str) -> DocumentRequest:
        return world.ask(title="Nobody has this", issn="0378-5955", year="2020", pages=pages)

    first, same, more = asked("1-6"), asked("3-8"), asked("9-12")

    assert [request.state for request in (first, same)] == [State.NEW, State.NEW]
    assert more.decision["decision"]["counts"]["limited.per_month"] == {"used": 8, "this": 4, "limit": 10}  # type: ignore[index]
    assert more.state is State.REFUSED


def test_joint_readers_stand_in_the_ledger_under_their_own_keys(world: World) -> None:
    bound(world, LIFETIME)
    number = world.ask(title="Nobody has this", year="2020").number
    world.work()

    joining.join(world.ctx, world.librarian, number, world.other.email)

    with world.store.read() as work:
        record = work.ledger.record(f"{number}/1")
        keys = [work.secrets.key_of(world.reader.id), work.secrets.key_of(world.other.id)]
    assert record is not None
    assert record.facts["joint_readers"] == keys
    assert world.ask(world.other).state is State.REFUSED


def test_secrets_never_lie_in_the_database_of_the_ledger(world: World) -> None:
    settings = Settings(home=world.services.settings.home, secrets_url=world.services.settings.database)

    with pytest.raises(SettingsError, match="RUSHLIGHT_SECRETS_URL"):
        make_secrets(settings)


def test_the_doctor_misses_secrets_that_a_restored_ledger_needs(world: World) -> None:
    def finding() -> Finding:
        return next(one for one in examine(world.services.settings) if one.part == "secrets")

    supplied(world)
    assert finding().good
    world.store.secrets.engine.dispose()
    for path in world.services.settings.home.glob("reader-secrets.db*"):
        path.unlink()

    assert not finding().good
    assert "last copy" in finding().advice


def test_secrets_may_lie_in_a_postgresql_of_their_own(postgres_url: str) -> None:
    secrets, other = ReaderSecrets(postgres_url), ReaderSecrets(postgres_url)
    secrets.make("a")
    other.make("a")
    secrets.make("b", "counted-before")

    assert secrets.find("a") == other.find("a")
    assert secrets.find("b") == "counted-before"
    assert secrets.destroy(["a"]) == 1
    assert sorted(other.people()) == ["b"]
    secrets.engine.dispose()
    other.engine.dispose()


def test_the_first_readers_of_a_postgresql_come_all_at_once_and_none_is_turned_away(postgres_url: str) -> None:
    processes = [ReaderSecrets(postgres_url) for _ in range(8)]
    with ThreadPoolExecutor(len(processes)) as pool:
        found = list(pool.map(lambda secrets: secrets.find("nobody"), processes))

    assert found == [None] * len(processes)
    for secrets in processes:
        secrets.engine.dispose()
