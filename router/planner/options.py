"""The ways to get a field of a site, one of which the second stage of planning chooses."""

from dataclasses import dataclass, replace

from router.planner.graph import LocatedField
from router.planner.operation import FieldSelection, SelectionSet
from router.planner.sites import Assignment, Choice, Site

# A request costs about as much as a thousand fields; waiting for one more request before it is the lesser evil.
REQUEST_COST = 1000
WAITING_COST = 10


@dataclass(frozen=True, slots=True)
class Option:
    """One way to resolve one field of one type. *below* is None for a leaf, and for `__typename`."""

    subgraph: str
    is_local: bool
    located: LocatedField | None
    site: Site | None
    below: Assignment | None
    requirement_cost: int

    @property
    def cost(self) -> int:
        """What it costs beside the request that it needs."""
        below_cost = self.below.cost if self.below else 0
        # Requests below one more request come one later.
        waiting_cost = WAITING_COST if below_cost and not self.is_local else 0
        return self.requirement_cost + below_cost + waiting_cost

    @property
    def missing(self) -> SelectionSet | None:
        """What lies below the field and cannot be reached this way."""
        return self.below.missing if self.below else None


@dataclass(frozen=True, slots=True)
class Wish:
    """A field wanted on one concrete type, and the ways to get it from *origin*."""

    field: FieldSelection
    type_name: str
    origin: Site
    is_contested: bool
    options: tuple[Option, ...]

    @property
    def complete_options(self) -> list[Option]:
        """The ways to get all of it."""
        return [option for option in self.options if option.missing is None]


@dataclass(slots=True)
class Question:
    """A field, or leaves that differ in response key, arguments and guard only and so are got alike: *count* of them.

    An interface with a hundred types is asked about thousands of leaves, so each kind of them is looked at once.
    """

    complete: list[Wish]
    incomplete: list[Wish]
    count: int = 0


def join_choices(picked: list[tuple[Wish, Option, FieldSelection]]) -> list[Choice]:
    """Join the choices that one field has for several types, where they agree on everything."""
    groups: dict[tuple[object, ...], set[str]] = {}
    firsts: dict[tuple[object, ...], tuple[Wish, Option, FieldSelection]] = {}
    for wish, option, part in picked:
        located = option.located
        type_text = located.type if located else ""
        requires = located.requires if located else ()
        # Each type's arguments from contexts are its own, but for those of an interface object
        filled = (located.declared_on, located.contexts) if located and located.contexts else ()
        mark = (part.selections, option.subgraph, option.is_local, option.site, type_text, requires, filled)
        groups.setdefault(mark, set()).add(wish.type_name)
        firsts.setdefault(mark, (wish, option, part))
    return [
        Choice(
            field=part if part.types == groups[mark] else replace(part, types=frozenset(groups[mark])),
            subgraph=option.subgraph,
            origin=wish.origin,
            is_contested=wish.is_contested,
            is_local=option.is_local,
            located=option.located,
            site=option.site,
            below=option.below,
        )
        for mark, (wish, option, part) in firsts.items()
    ]
