"""The cache of copies: whole files or none, within its bound, written once, and forgotten."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from delivery.errors import Unavailable
from delivery.outgoing import Chained, FileParts, Part
from storage.copy_cache import CopyCache

PAST = 1_000_000_000.0


@pytest.fixture
def cache(tmp_path: Path) -> CopyCache:
    return CopyCache(tmp_path / "cache", 1_000)


def of(data: bytes) -> Callable[[], Iterator[Part]]:
    return lambda: iter([data[:1], data[1:]])


def files(cache: CopyCache) -> list[Path]:
    return [path for path in cache.folder.iterdir() if path.name != ".lock"]


def age(*paths: Path | None) -> None:
    for place, path in enumerate(paths):
        assert path is not None
        os.utime(path, (PAST + place, PAST + place))


def test_a_file_is_written_once_and_found_again(cache: CopyCache) -> None:
    made = cache.make("one", 5, of(b"bytes"))

    assert made is not None
    assert made.read_bytes() == b"bytes"
    assert cache.find("one") == cache.make("one", 5, lambda: pytest.fail("written twice")) == made
    assert cache.find("two") is None


def test_what_was_used_longest_ago_goes_first_and_the_bound_holds(cache: CopyCache) -> None:
    age(*[cache.make(name, 300, of(bytes(300))) for name in ("a", "b", "c")])
    cache.find("a")

    assert cache.make("d", 300, of(bytes(300)))

    assert [cache.find(name) is not None for name in "abcd"] == [True, False, True, True]
    assert sum(path.stat().st_size for path in files(cache)) <= 1_000


def test_the_bound_holds_whatever_went_otherwise_and_whoever_else_writes(tmp_path: Path) -> None:
    caches = [CopyCache(tmp_path / "cache", 1_000) for _ in range(3)]
    chance = random.Random(7)
    for turn in range(300):
        cache, size = chance.choice(caches), chance.randint(1, 400)
        given = bytes(size) if chance.random() < 0.8 else bytes(size // 2)
        made = cache.make(f"{turn}", size, of(given))
        age(*files(cache)[: chance.randint(0, 3)])
        if made is not None and chance.random() < 0.2:
            made.unlink()
        if chance.random() < 0.1:
            (cache.folder / ".lock").write_bytes(chance.randbytes(chance.randint(0, 60)))
        assert sum(path.stat().st_size for path in files(cache)) <= 1_000

    age(*files(caches[0]))
    assert caches[0].make("the last", 900, of(bytes(900))) is not None


def test_files_are_not_counted_while_there_is_room(cache: CopyCache, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache.make("a", 5, of(b"bytes"))
    monkeypatch.setattr("storage.copy_cache._entries", lambda folder: pytest.fail("counted"))

    assert cache.make("b", 5, of(b"bytes"))


def test_what_was_used_just_now_is_not_pushed_out(cache: CopyCache) -> None:
    assert cache.make("a", 600, of(bytes(600)))

    assert cache.make("b", 600, of(bytes(600))) is None
    assert cache.find("a") is not None


def test_what_does_not_fit_at_all_is_not_begun_and_pushes_nothing_out(cache: CopyCache) -> None:
    age(cache.make("a", 600, of(bytes(600))))

    assert cache.make("b", 1_001, lambda: pytest.fail("begun")) is None
    assert cache.find("a") is not None


@pytest.mark.parametrize("given", [b"", b"short", b"longer than was promised"])
def test_a_source_of_another_length_leaves_nothing(cache: CopyCache, given: bytes) -> None:
    assert cache.make("one", 10, of(given)) is None
    assert files(cache) == []


def test_a_source_that_fails_says_so_and_leaves_nothing(cache: CopyCache) -> None:
    def broken() -> Iterator[Part]:
        yield b"12345"
        raise Unavailable("blob-store", "The blob store does not answer.", 30)

    with pytest.raises(Unavailable):
        cache.make("one", 10, broken)

    assert files(cache) == []
    assert cache.make("one", 5, of(b"bytes")) is not None


def test_of_many_who_want_it_at_once_one_writes_and_the_others_do_without(cache: CopyCache) -> None:
    begun, go_on, written = threading.Event(), threading.Event(), []

    def slow() -> Iterator[Part]:
        begun.set()
        assert go_on.wait(30)
        yield b"bytes"

    writer = threading.Thread(target=lambda: written.append(cache.make("one", 5, slow)))
    writer.start()
    assert begun.wait(30)
    others = [cache.make("one", 5, of(b"bytes")) for _ in range(3)]
    go_on.set()
    writer.join()

    assert others == [None] * 3
    assert [path.read_bytes() for path in written if path] == [b"bytes"]


def test_what_is_being_written_counts_and_is_not_swept_up_by_another_process(cache: CopyCache) -> None:
    other = CopyCache(cache.folder, 1_000)

    def meanwhile() -> Iterator[Part]:
        assert other.make("b", 600, of(bytes(600))) is None
        yield bytes(600)

    assert cache.make("a", 600, meanwhile) is not None


def test_what_a_killed_process_left_unfinished_makes_room(cache: CopyCache) -> None:
    cache.folder.mkdir()
    (cache.folder / ".part-0123").write_bytes(bytes(900))

    assert cache.make("a", 600, of(bytes(600))) is not None


def test_a_file_of_an_earlier_boot_is_not_used_and_goes(cache: CopyCache) -> None:
    made = cache.make("a", 5, of(b"bytes"))
    assert made is not None
    old = made.with_name("0123456789ab" + made.name[12:])
    made.rename(old)
    (cache.folder / ".lock").write_text(f"0123456789ab {5:<40}")

    assert cache.find("a") is None
    assert cache.make("a", 5, of(b"fresh")) is not None
    assert not old.exists()


def test_a_held_file_stays_although_the_cache_forgets_it(cache: CopyCache) -> None:
    with cache.held("one", 5, of(b"bytes")) as path:
        assert path is not None
        found = cache.find("one")
        assert found is not None
        found.unlink()
        assert path.read_bytes() == b"bytes"

    assert files(cache) == []


def test_what_was_not_used_for_long_is_swept(cache: CopyCache) -> None:
    age(cache.make("old", 5, of(b"bytes")))
    cache.make("new", 5, of(b"bytes"))

    assert cache.sweep(PAST + 100) == 1
    assert (cache.find("old"), cache.find("new") is not None) == (None, True)


def test_a_master_of_which_only_a_part_is_wanted_is_joined_to_its_tail(cache: CopyCache, tmp_path: Path) -> None:
    master = tmp_path / "master"
    master.write_bytes(b"master and more that nobody wants")

    made = cache.make("one", 10, lambda: Chained(FileParts(master.open("rb"), 0, 6, 100), iter([b"tail"])))

    assert made is not None
    assert made.read_bytes() == b"mastertail"
    assert master.read_bytes() == b"master and more that nobody wants"


def test_a_cache_without_room_makes_nothing(tmp_path: Path) -> None:
    assert CopyCache(tmp_path / "cache", 0).make("one", 5, of(b"bytes")) is None
    assert not (tmp_path / "cache").exists()
