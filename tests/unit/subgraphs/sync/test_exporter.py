from datetime import UTC, datetime, timedelta

from core.mongo import Row
from subgraphs.sync.exporter import MAX_RECENT, plan_batch
from subgraphs.sync.order_feed import OVERLAP, ChangedOrder, OrderBatch

NOW = datetime(2040, 5, 1, 12, 0, tzinfo=UTC)


def order(number: int, *, at: datetime = NOW, fingerprint: str = "f1") -> ChangedOrder:
    return ChangedOrder(f"ord_{number}", at, fingerprint, {"id": f"ord_{number}"})


def remembered(number: int, *, at: datetime = NOW, fingerprint: str = "f1") -> Row:
    return {"id": f"ord_{number}", "fingerprint": fingerprint, "updated_at": at}


def test_what_was_sent_in_the_same_state_is_left_out() -> None:
    batch = OrderBatch((order(1), order(2, fingerprint="f2"), order(3)), None, has_next=False)
    progress = plan_batch(batch, [remembered(1), remembered(2)])
    assert [sent.id for sent in progress.to_send] == ["ord_2", "ord_3"]
    assert progress.recent == (remembered(1), remembered(2), remembered(2, fingerprint="f2"), remembered(3))


def test_what_no_later_run_reads_again_is_forgotten() -> None:
    old, just = NOW - OVERLAP - timedelta(milliseconds=1), NOW - OVERLAP
    progress = plan_batch(
        OrderBatch((order(3),), None, has_next=False), [remembered(1, at=old), remembered(2, at=just)]
    )
    assert progress.recent == (remembered(2, at=just), remembered(3))


def test_an_empty_batch_forgets_nothing() -> None:
    old = remembered(1, at=NOW - timedelta(days=400))
    progress = plan_batch(OrderBatch((), None, has_next=False), [old])
    assert (progress.to_send, progress.recent) == ((), (old,))


def test_what_is_remembered_is_bounded_and_the_newest() -> None:
    batch = OrderBatch((order(-1),), None, has_next=True)
    progress = plan_batch(batch, [remembered(number) for number in range(MAX_RECENT)])
    assert len(progress.recent) == MAX_RECENT
    assert progress.recent[0] == remembered(1)
    assert progress.recent[-1] == remembered(-1)
