from router.planner.covering import Candidate, Offer, choose_subgraphs


def candidate(name: str, cost: int = 0, via: tuple[str, ...] = (), waiting_cost: int = 0) -> Candidate:
    return Candidate(name, cost, frozenset(via), waiting_cost)


def choose(*offers: Offer, present: tuple[str, ...] = ()) -> list[str]:
    return sorted(choose_subgraphs(offers, frozenset(present), 1000))


def test_only_candidate_is_asked() -> None:
    assert choose(Offer(None, (candidate("a"),))) == ["a"]


def test_subgraph_asked_anyway_takes_what_it_can() -> None:
    assert choose(Offer(None, (candidate("b"),)), Offer(None, (candidate("a"), candidate("b")))) == ["b"]


def test_subgraph_that_is_present_costs_nothing() -> None:
    assert choose(Offer(None, (candidate("a"), candidate("z"))), present=("z",)) == ["z"]


def test_fewest_subgraphs_cover_all() -> None:
    offers = (
        Offer(None, (candidate("a"), candidate("c"))),
        Offer(None, (candidate("a"), candidate("d"))),
        Offer(None, (candidate("b"), candidate("c"))),
        Offer(None, (candidate("b"), candidate("d"))),
        Offer(None, (candidate("a"), candidate("b"))),
    )
    assert choose(*offers) == ["a", "b"]


def test_field_stays_at_home_if_that_is_cheapest() -> None:
    assert choose(Offer(0, (candidate("a"),))) == []
    assert choose(Offer(1000, (candidate("a"),))) == []
    assert choose(Offer(2000, (candidate("a"),))) == ["a"]


def test_subgraphs_on_the_way_are_asked_too() -> None:
    assert choose(Offer(None, (candidate("far", via=("near",)),))) == ["far", "near"]


def test_shorter_way_is_preferred() -> None:
    assert choose(Offer(None, (candidate("a", via=("x",)), candidate("b")))) == ["b"]


def test_equal_candidates_are_chosen_by_name() -> None:
    assert choose(Offer(None, (candidate("b"), candidate("a")))) == ["a"]


def test_many_different_candidates_are_chosen_one_by_one() -> None:
    """Eight subgraphs of which each covers two of sixteen neighbours: half of them suffice."""
    names = [f"s{number}" for number in range(8)]
    offers = [
        Offer(None, (candidate(names[number]), candidate(names[(number + 1) % 8]))) for number in range(8) for _ in "ab"
    ]
    assert len(choose(*offers)) == 4
