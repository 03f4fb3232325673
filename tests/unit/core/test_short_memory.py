"""What was read a moment ago."""

from datetime import UTC, datetime

from core.short_memory import ShortMemory
from tests.testkit.clock import FixedClock

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def test_what_was_read_is_known_for_two_seconds() -> None:
    clock = FixedClock(NOON)
    memory: ShortMemory[str, int] = ShortMemory(clock)
    memory.recall()["a"] = 1
    clock.advance(seconds=1.999)
    memory.recall()["b"] = 2
    assert memory.recall() == {"a": 1, "b": 2}
    clock.advance(seconds=0.001)
    assert memory.recall() == {}


def test_a_change_makes_it_forget_also_what_is_being_read_meanwhile() -> None:
    memory: ShortMemory[str, int] = ShortMemory(FixedClock(NOON))
    known = memory.recall()
    memory.forget()
    known["a"] = 1
    assert memory.recall() == {}
    memory.recall()["a"] = 2
    assert memory.recall() == {"a": 2}
