"""The cache of captured attention: bounded in bytes, shared, newest kept."""

from maskviz.ui.shared.byte_cache import ByteCache


def test_it_keeps_what_fits_and_forgets_the_oldest() -> None:
    cache, made = ByteCache(100), []
    make = lambda name: lambda: made.append(name) or name  # noqa: E731
    for name in ("a", "b", "a", "c", "a", "b"):
        assert cache.get(name, make(name), lambda _: 50) == name
    assert made == ["a", "b", "c", "b"]
    assert cache.bytes == 100


def test_one_value_larger_than_the_limit_is_kept_alone() -> None:
    cache = ByteCache(10)
    assert cache.get("large", lambda: "large", lambda _: 99) == "large"
    assert cache.get("large", lambda: "new", lambda _: 99) == "large"
