"""The fetch graph: third stage of planning. Steps (requests to be) with what they select and on what they wait.

Everything here grows in place while `building` works; afterwards the passes return new lists of the same steps.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from router.planner.guards import ALWAYS, Guard, either
from router.planner.operation import Argument, Block
from router.planner.plan import ContextVariable, KeyRename, OperationKind, RepresentationSelection, ResponsePath


@dataclass(slots=True, eq=False)
class Shape:
    """The shapes of the values that one request gives to the response keys of one path; grows.

    GraphQL wants one shape per key even where the objects can never be the same, so trees for different types at one
    path share this.
    """

    of_key: dict[str, str] = field(default_factory=dict)
    below: dict[str, "Shape"] = field(default_factory=dict)

    def admits(self, response_key: str, shape: str) -> bool:
        """Tell whether the key is free or has this shape already."""
        return self.of_key.get(response_key, shape) == shape

    def agrees_with(self, other: "Shape") -> bool:
        """Tell whether no key has two shapes in both together."""
        return all(self.admits(key, shape) for key, shape in other.of_key.items()) and all(
            self.below[key].agrees_with(below) for key, below in other.below.items() if key in self.below
        )

    def take(self, other: "Shape") -> None:
        """Add the other's shapes."""
        self.of_key.update(other.of_key)
        for key, below in other.below.items():
            self.at(key).take(below)

    def at(self, response_key: str) -> "Shape":
        """Return the shapes below a key."""
        return self.below.setdefault(response_key, Shape())


@dataclass(slots=True, eq=False)
class TreeField:
    """A field of a request, for some of the types at its place; grows."""

    response_key: str
    name: str
    arguments: tuple[Argument, ...]
    directives: tuple[Argument, ...]
    types: frozenset[str]
    guard: Guard
    below: "SelectionTree | None" = None


@dataclass(slots=True, eq=False)
class SelectionTree:
    """What a request selects on objects whose static type in the subgraph is *type_name*; grows.

    *types* are the object types that can stand here.
    """

    type_name: str
    types: frozenset[str]
    shape: Shape
    fields: list[TreeField] = field(default_factory=list)
    # Leaves by what they ask for, and all fields by response key; they spare a search through a wide selection.
    index: dict[tuple[object, ...], list[TreeField]] = field(default_factory=dict)
    by_key: dict[str, list[TreeField]] = field(default_factory=dict)

    def fields_at(self, response_key: str) -> list[TreeField]:
        """Return the fields under a response key: several where they are for objects of different types."""
        return self.by_key.get(response_key, [])

    def add_leaf(self, new: TreeField) -> TreeField:
        """Add a leaf, unless it is there or one that is there can be widened; return the one that stands for it."""
        alike = self.index.setdefault((new.response_key, new.name, new.arguments, new.directives), [])
        for known in alike:
            if known.types >= new.types and known.guard in (ALWAYS, new.guard):
                return known
        for known in alike:
            if known.types == new.types:
                known.guard = either(known.guard, new.guard)
                return known
            if known.guard == new.guard:
                known.types |= new.types
                return known
        alike.append(new)
        self._add(new)
        return new

    def add_type_name(self) -> None:
        """Select `__typename` first, unless it is selected."""
        new = TreeField("__typename", "__typename", (), (), self.types, ALWAYS)
        self.shape.of_key["__typename"] = "String!"
        known = self.add_leaf(new)
        if known is new:
            self.fields.insert(0, self.fields.pop())

    def add_composite(self, new: TreeField) -> None:
        """Add a field with a selection of its own."""
        self._add(new)

    def _add(self, new: TreeField) -> None:
        self.fields.append(new)
        self.by_key.setdefault(new.response_key, []).append(new)


@dataclass(slots=True)
class Target:
    """How objects of one type are sent in an entity step; grows."""

    sent_typename: str
    selections: list[RepresentationSelection]


# Compared by identity: a step is a node of a graph.
@dataclass(slots=True, eq=False)
class FetchStep:
    """One request to be; grows.

    *waits_for* has steps as keys, in the order in which they were found. *targets* are an entity step's, by object
    type, and *trees* its selections by static type; any other step has one tree, of its root type. The step may only
    run if *conditional_on* holds, because something it requires is only fetched then. *unknown_as* is the interface
    under whose name its objects may stand in the response as long as nobody has told their own type. *only_for* is set
    where a field's requirements are sent for objects of some types, but the subgraph cannot tell these from others.
    *block* are the uses of `@defer` that all it asks for stands in. *contexts* are the variables that it takes from
    objects above its own, by name. *batched* are entity steps of the same subgraph that are sent in this one's request.
    """

    number: int
    subgraph: str
    kind: OperationKind
    path: ResponsePath
    waits_for: dict["FetchStep", None]
    is_entity_step: bool
    conditional_on: Guard = ALWAYS
    unknown_as: str | None = None
    only_for: frozenset[str] | None = None
    block: Block = ()
    trees: dict[str, SelectionTree] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)
    renames: list[KeyRename] = field(default_factory=list)
    contexts: dict[str, ContextVariable] = field(default_factory=dict)
    shape: Shape = field(default_factory=Shape)
    batched: list["FetchStep"] = field(default_factory=list)

    def fill(self, variables: Iterable[ContextVariable]) -> None:
        """Take variables from objects above."""
        self.contexts.update({variable.name: variable for variable in variables})

    def wait_for(self, steps: Iterable["FetchStep"]) -> None:
        """Add steps to wait for, each once."""
        for step in steps:
            if step is not self:
                self.waits_for[step] = None


def ancestors(steps: Iterable[FetchStep], *, until: FetchStep | None = None) -> set[FetchStep]:
    """Return the steps and all that they wait for, not looking beyond *until*."""
    found: set[FetchStep] = set()
    waiting = list(steps)
    while waiting:
        step = waiting.pop()
        if step not in found:
            found.add(step)
            if step is not until:
                waiting.extend(step.waits_for)
    return found


def in_order(steps: Iterable[FetchStep]) -> list[FetchStep]:
    """Return the steps so that each comes after those it waits for, else by number."""
    known = sorted(steps, key=lambda step: step.number)
    if len(known) == 1:
        return known
    waits = dict.fromkeys(known, 0)
    dependents: dict[FetchStep, list[FetchStep]] = {step: [] for step in known}
    for step in known:
        for one in step.waits_for:
            if one in waits:
                waits[step] += 1
                dependents[one].append(step)
    # How often the steps would have to be gone through by number until a step's turn comes.
    rounds = {step: 0 for step in known if not waits[step]}
    free = list(rounds)
    for step in free:
        for one in dependents[step]:
            rounds[one] = max(rounds.get(one, 0), rounds[step] + (step.number > one.number))
            waits[one] -= 1
            if not waits[one]:
                free.append(one)
    assert len(free) == len(known), "steps wait for each other"
    return sorted(known, key=lambda step: (rounds[step], step.number))


def measure_depths(steps: Iterable[FetchStep]) -> dict[FetchStep, int]:
    """Return for each step the length of the longest chain of these steps that ends with it.

    Each request takes about as long as any other, so this is when the step runs at the earliest.
    """
    depths: dict[FetchStep, int] = {}
    for step in in_order(steps):
        depths[step] = 1 + max((depths.get(one, 0) for one in step.waits_for), default=0)
    return depths
