"""Places: where in the response objects stand while the fetch graph is built, and what became of a selection there."""

from dataclasses import dataclass, field

from router.planner.fetch_graph import FetchStep, SelectionTree, Target
from router.planner.guards import ALWAYS, Guard
from router.planner.operation import Block
from router.planner.plan import ContextVariable, RepresentationSelection, ResponsePath
from router.planner.sites import Site


@dataclass(slots=True)
class Emitted:
    """What became of a selection: how to copy it into a representation, and the steps that bring it.

    *guard* tells when all of it is fetched.
    """

    selections: list[RepresentationSelection]
    steps: list[FetchStep]
    guard: Guard = ALWAYS


@dataclass(slots=True)
class Arrival:
    """How objects of a place come to a subgraph: what to wait for, what is sent by type, and the steps that send it.

    *variables* are those sent with the objects that come from objects above them.
    """

    waits_for: list[FetchStep]
    sent: dict[str, Target]
    variables: tuple[ContextVariable, ...] = ()
    steps: set[FetchStep] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Place:
    """A site in the response: where it is, in which step's tree it stands, and the steps that go on from it; grows.

    *above* is the place of the objects that these are fields of, *types_above* the types of those; None at the root.
    *asked* are the subgraphs that are asked at the place in any case.
    """

    site: Site
    path: ResponsePath
    home: FetchStep | None
    tree: SelectionTree | None
    static_type: str
    # No stronger than the truth: it may be looser where conditions are nested many times.
    present_if: Guard = ALWAYS
    above: "Place | None" = None
    types_above: frozenset[str] = frozenset()
    asked: dict[Block, frozenset[str]] = field(default_factory=dict)
    steps: list[FetchStep] = field(default_factory=list)
    below: dict[tuple[object, ...], "Place"] = field(default_factory=dict)
    moves: dict[tuple[Site, str, str, Guard, Block], Emitted] = field(default_factory=dict)
    arrivals: dict[tuple[Site, frozenset[str], str, Guard, Block], Arrival] = field(default_factory=dict)
    tree_types: dict[tuple[Site, frozenset[str], str, str], str | None] = field(default_factory=dict)

    def setter_of(self, context: str) -> tuple["Place", frozenset[str]]:
        """Return the place of the nearest objects above that set a context, and their types."""
        place, types = self, frozenset[str]()
        for _ in range(self.site.levels_to(context)):
            types = place.types_above
            assert place.above is not None
            place = place.above
        return place, types

    def subgraphs_asked(self, block: Block) -> frozenset[str]:
        """Return the subgraphs that are asked at the place for what stands in a block, now or later."""
        known = {step.subgraph for step in self.steps if step.block == block}
        return self.asked.get(block, frozenset()) | known
