import pytest

from router.telemetry import Distribution, MeasuredTransport, Telemetry
from router.transports.base import RequestContext, SubgraphRequest, SubgraphUnreachable
from router.transports.fake import FakeTransport

REQUEST = SubgraphRequest("{ a }", {})


def test_a_value_counts_in_every_bucket_that_holds_it() -> None:
    distribution = Distribution((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        distribution.observe(value)
    assert distribution.buckets() == [("1.0", 2), ("2.0", 3), ("+Inf", 4)]
    assert distribution.total == 12.0


def test_an_operation_is_in_flight_until_it_is_finished() -> None:
    telemetry = Telemetry()
    telemetry.start_operation()
    assert b"pasar_router_in_flight 1.0" in telemetry.render()
    telemetry.finish_operation("query", "ok", 0.002)
    text = telemetry.render().decode()
    assert "pasar_router_in_flight 0.0" in text
    assert 'pasar_router_operation_seconds_bucket{kind="query",le="0.001"} 0.0' in text
    assert 'pasar_router_operation_seconds_bucket{kind="query",le="0.0025"} 1.0' in text
    assert 'pasar_router_operation_seconds_count{kind="query"} 1.0' in text


async def test_requests_to_a_subgraph_are_counted_by_what_became_of_them() -> None:
    telemetry = Telemetry()
    inner = FakeTransport([{"data": {"a": 1}}, {"data": None, "errors": [{"message": "x"}]}, SubgraphUnreachable("y")])
    transport = MeasuredTransport("order", inner, telemetry)
    await transport.send(REQUEST, RequestContext())
    await transport.send(REQUEST, RequestContext())
    with pytest.raises(SubgraphUnreachable):
        await transport.send(REQUEST, RequestContext())
    text = telemetry.render().decode()
    for outcome in ("ok", "errors", "SUBREQUEST_HTTP_ERROR"):
        assert f'pasar_router_subgraph_requests_total{{outcome="{outcome}",subgraph="order"}} 1.0' in text
    assert 'pasar_router_subgraph_seconds_count{subgraph="order"} 3.0' in text
    await transport.aclose()
    assert inner.is_closed


def test_two_routers_in_one_process_count_apart() -> None:
    first, second = Telemetry(), Telemetry()
    first.record_cost(7)
    assert b"pasar_router_operation_cost_sum 7.0" in first.render()
    assert b"pasar_router_operation_cost_sum 0.0" in second.render()
