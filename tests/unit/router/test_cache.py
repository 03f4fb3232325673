from router.cache import BoundedCache, CacheCounts


def make_cache(max_entries: int = 2, max_bytes: int = 100) -> BoundedCache[str]:
    return BoundedCache(max_entries=max_entries, max_bytes=max_bytes)


def test_the_least_recently_used_entry_is_forgotten_first() -> None:
    cache = make_cache()
    cache.put("a", "A", 1)
    cache.put("b", "B", 1)
    assert cache.get("a") == "A"
    cache.put("c", "C", 1)
    assert [cache.get(key) for key in "abc"] == ["A", None, "C"]
    assert cache.counts() == CacheCounts(hits=3, misses=1, evictions=1, entries=2, size_bytes=2)


def test_memory_is_bounded_whatever_the_number_of_entries() -> None:
    cache = make_cache(max_entries=10, max_bytes=100)
    for key in "abc":
        cache.put(key, key, 40)
    assert [cache.get(key) for key in "abc"] == [None, "b", "c"]
    assert cache.counts().size_bytes == 80


def test_a_value_larger_than_the_cache_is_not_kept_and_displaces_nothing() -> None:
    cache = make_cache(max_bytes=100)
    cache.put("a", "A", 60)
    cache.put("big", "B", 101)
    assert cache.get("big") is None
    assert cache.get("a") == "A"


def test_putting_a_key_again_replaces_its_value_and_size() -> None:
    cache = make_cache()
    cache.put("a", "A", 60)
    cache.put("a", "B", 10)
    assert cache.get("a") == "B"
    assert cache.counts().size_bytes == 10
