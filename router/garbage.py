"""The garbage collector, for a program that makes many objects and hardly any cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# How many more containers must have been made than freed before the youngest are looked at. A large response is some
# 10,000 dicts and lists that reference counting frees by itself. With CPython's settings, and start-up's objects in
# sight, looking cost a third of the router's time (benchmarks/router.py, heavy, 50 connections: 6.2 against 4 ms).
YOUNG = 10_000
# After so many looks at one generation the next older one is looked at, too
MIDDLE, OLD = 20, 50


@contextmanager
def rarely_collecting() -> Iterator[None]:
    """Let the collector pass over what exists now and look at the rest less often, for the duration of the block.

    Enter it once everything that lasts has been built. The settings are the whole process's.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
