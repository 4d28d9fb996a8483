"""The cache that is bounded in bytes: shared by arrays and models, the newest kept."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from maskviz.byte_cache import ByteCache


class Value:
    """Something that can be watched, as arrays' owners and networks can."""


def test_it_keeps_what_fits_and_forgets_the_one_longest_unused() -> None:
    cache, made = ByteCache(100), []
    make = lambda name: lambda: made.append(name) or name  # noqa: E731
    for name in ("a", "b", "a", "c", "a", "b"):
        assert cache.get(name, make(name), lambda _: 50) == name
    assert made == ["a", "b", "c", "b"]
    assert cache.bytes == 100
    assert cache.held() == [("a", 50), ("b", 50)]


def test_one_value_larger_than_the_limit_is_kept_alone() -> None:
    cache = ByteCache(10)
    assert cache.get("large", lambda: "large", lambda _: 99) == "large"
    assert cache.get("large", lambda: "new", lambda _: 99) == "large"


def test_what_two_values_share_is_counted_once() -> None:
    cache = ByteCache(100)
    cache.put("one", Value(), lambda _: {"encoder": 60, "head": 10})
    cache.put("two", Value(), lambda _: {"encoder": 60, "other head": 20})
    assert (cache.bytes, len(cache.held())) == (90, 2)
    cache.put("three", Value(), lambda _: {"another": 15})
    assert (cache.bytes, [key for key, _ in cache.held()]) == (95, ["two", "three"])


@pytest.mark.parametrize(("room", "left"), [(10, 3), (40, 2), (100, 0), (1000, 0)])
def test_room_is_made_before_a_value_is(room: int, left: int) -> None:
    cache, seen = ByteCache(100), []
    for name in "abc":
        cache.put(name, name, lambda _: 30)
    cache.get("new", lambda: seen.append(len(cache.held())) or "new", lambda _: room, lambda: room)
    assert seen == [left]
    assert cache.held()[-1] == ("new", room)


def test_a_dropped_value_is_found_as_long_as_somebody_uses_it() -> None:
    cache, size = ByteCache(10), lambda _: 10
    used = cache.get("used", Value, size)
    cache.get("other", Value, size)
    assert [key for key, _ in cache.held()] == ["other"]
    assert cache.get("used", Value, size) is used
    assert [key for key, _ in cache.held()] == ["used"]
    del used
    cache.get("third", Value, size)
    assert cache.find("used", size) is None


def test_the_limit_is_asked_for_each_time() -> None:
    limits = [100, 100]
    cache = ByteCache(lambda: limits[0])
    for name in "abc":
        cache.put(name, name, lambda _: 30)
    limits[0] = 60
    cache.put("d", "d", lambda _: 30)
    assert [key for key, _ in cache.held()] == ["c", "d"]


def test_threads_that_ask_for_one_value_wait_for_the_one_that_makes_it() -> None:
    cache, made, begun = ByteCache(100), [], threading.Barrier(4)

    def make() -> Value:
        made.append(threading.get_ident())
        return Value()

    def ask(_: int) -> Value:
        begun.wait()
        return cache.get("one", make, lambda _: 10)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(4)))
    assert len(made) == len(set(map(id, found))) == 1


def test_a_value_that_could_not_be_made_is_made_by_the_next() -> None:
    cache = ByteCache(100)
    with pytest.raises(ZeroDivisionError):
        cache.get("one", lambda: 1 // 0, lambda _: 10)
    assert cache.get("one", lambda: "there", lambda _: 10) == "there"
