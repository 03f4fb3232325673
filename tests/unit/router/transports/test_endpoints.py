import pytest

from router.transports.endpoints import Endpoints


def test_a_subgraph_needs_a_url() -> None:
    with pytest.raises(ValueError, match="at least one URL"):
        Endpoints([])


def test_a_resting_endpoint_is_chosen_only_when_all_rest_and_then_the_one_that_rested_longest() -> None:
    endpoints = Endpoints(["a", "b"], rest_s=5)
    a = endpoints.choose(0)
    b = endpoints.choose(0)
    assert a is not None
    assert b is not None
    assert {a.url, b.url} == {"a", "b"}
    endpoints.rest(a, 0)
    assert [endpoints.choose(now_s) for now_s in (0, 1, 4)] == [b, b, b]
    endpoints.rest(b, 3)
    assert [endpoints.choose(now_s) for now_s in (3, 4)] == [a, a]
    assert {endpoints.choose(6), endpoints.choose(6)} == {a}
    assert {endpoints.choose(8), endpoints.choose(8)} == {a, b}


def test_an_endpoint_is_tried_once_per_request() -> None:
    endpoints = Endpoints(["a", "b"])
    first = endpoints.choose(0)
    assert first is not None
    second = endpoints.choose(0, tried=[first])
    assert second is not None
    assert second is not first
    assert endpoints.choose(0, tried=[first, second]) is None


def test_the_endpoint_with_the_fewest_requests_under_way_is_next() -> None:
    endpoints = Endpoints(["a", "b", "c"])
    chosen = []
    for _ in range(7):
        endpoint = endpoints.choose(0)
        assert endpoint is not None
        endpoint.pending += 1
        chosen.append(endpoint.url)
    assert sorted(chosen[:3]) == sorted(chosen[3:6]) == ["a", "b", "c"]
