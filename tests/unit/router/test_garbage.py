import gc

from router.garbage import MIDDLE, OLD, YOUNG, rarely_collecting


def test_the_collector_looks_less_often_and_not_at_what_was_there() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with rarely_collecting():
        assert gc.get_threshold() == (YOUNG, MIDDLE, OLD)
        assert gc.get_freeze_count() > frozen
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
