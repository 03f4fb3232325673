"""Choose which subgraphs to ask at a site so that all its fields are covered at the least cost."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

# 2**6 combinations are tried at most; beyond that subgraphs are added one by one, the most useful first.
_MOST_TRIED_TOGETHER = 6
_IMPOSSIBLE = 1 << 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subgraph that can resolve a field at *cost*, once the subgraphs *via* were asked and *waiting_cost* paid."""

    subgraph: str
    cost: int
    via: frozenset[str]
    waiting_cost: int

    @property
    def needed(self) -> frozenset[str]:
        """All the subgraphs to ask."""
        return self.via | {self.subgraph}


@dataclass(frozen=True, slots=True)
class Offer:
    """The ways to resolve one field: at home for *home_cost* (None: not at home), or by a candidate."""

    home_cost: int | None
    candidates: tuple[Candidate, ...]


def choose_subgraphs(
    offers: Iterable[Offer] | Mapping[Offer, int], present: frozenset[str], request_cost: int
) -> frozenset[str]:
    """Return the subgraphs to ask, those *present* included. Offers may be given with how often they are made.

    1. What only one subgraph can resolve decides first, since that subgraph is asked anyway.
    2. Of subgraphs that are never better than another one, only that one is considered: a dozen interchangeable
       subgraphs count as one.
    3. The rest is tried in all combinations if they are few, else grown greedily.
    """
    counted = Counter(offers)
    chosen = present
    for offer in counted:
        if offer.home_cost is None and len(offer.candidates) == 1:
            chosen |= offer.candidates[0].needed
    open_offers = {offer: count for offer, count in counted.items() if offer.candidates}
    names = _undominated(open_offers, chosen, request_cost)
    if not names:
        return chosen
    if len(names) <= _MOST_TRIED_TOGETHER:
        additions = [frozenset(some) for size in range(len(names) + 1) for some in combinations(names, size)]
        return min(
            (_with_routes(chosen, addition, open_offers) for addition in additions),
            key=lambda attempt: (_total(open_offers, attempt, chosen, request_cost), len(attempt), sorted(attempt)),
        )
    return _grow(open_offers, chosen, names, request_cost)


def _grow(open_offers: dict[Offer, int], chosen: frozenset[str], names: list[str], request_cost: int) -> frozenset[str]:
    current, current_total = chosen, _total(open_offers, chosen, chosen, request_cost)
    while True:
        attempts = [_with_routes(current, frozenset({name}), open_offers) for name in names if name not in current]
        ranked = sorted((_total(open_offers, one, chosen, request_cost), sorted(one)) for one in attempts)
        if not ranked or ranked[0][0] >= current_total:
            return current
        current_total, current = ranked[0][0], frozenset(ranked[0][1])


def _with_routes(chosen: frozenset[str], addition: frozenset[str], offers: dict[Offer, int]) -> frozenset[str]:
    """Return the chosen subgraphs and the added ones with all that must be asked before these."""
    needed = {
        name
        for offer in offers
        for candidate in offer.candidates
        if candidate.subgraph in addition
        for name in candidate.needed
    }
    return chosen | needed


def _total(offers: dict[Offer, int], attempt: frozenset[str], base: frozenset[str], request_cost: int) -> int:
    total = request_cost * len(attempt - base)
    for offer, count in offers.items():
        best = offer.home_cost if offer.home_cost is not None else _IMPOSSIBLE
        for candidate in offer.candidates:
            if candidate.needed <= attempt:
                best = min(best, candidate.cost + candidate.waiting_cost)
        total += best * count
    return total


def _undominated(offers: dict[Offer, int], chosen: frozenset[str], request_cost: int) -> list[str]:
    by_name: dict[str, dict[Offer, Candidate]] = {}
    for offer in offers:
        for candidate in offer.candidates:
            if candidate.subgraph not in chosen:
                by_name.setdefault(candidate.subgraph, {})[offer] = candidate
    kept: list[str] = []
    for name in sorted(by_name):
        if not any(
            other != name and _dominates(by_name[other], by_name[name], chosen, other < name) for other in by_name
        ):
            kept.append(name)
    return kept


def _dominates(
    better: dict[Offer, Candidate], worse: dict[Offer, Candidate], chosen: frozenset[str], wins_ties: bool
) -> bool:
    is_strict = len(better) > len(worse)
    for offer, candidate in worse.items():
        other = better.get(offer)
        if other is None:
            return False
        mine = (other.cost + other.waiting_cost, len(other.needed - chosen))
        its = (candidate.cost + candidate.waiting_cost, len(candidate.needed - chosen))
        if mine[0] > its[0] or mine[1] > its[1]:
            return False
        is_strict = is_strict or mine != its
    return is_strict or wins_ties
