"""The values of the second stage: where objects stand, and by which moves their fields are reached."""

from dataclasses import dataclass, replace

from router.planner.graph import Graph, LocatedField
from router.planner.guards import ALWAYS, print_guard
from router.planner.operation import Block, FieldSelection, SelectionSet, print_block
from router.supergraph.model import FieldSet, FieldSetField, FieldSetFragment


@dataclass(frozen=True, slots=True)
class ContextAbove:
    """A context that is set above some objects: by the nearest that does, *levels* response keys up.

    0 levels: some of the objects there set it, and nobody can tell which. *is_outside*: the request that brings the
    objects is made when that one is there already, so what comes from it can be sent along.
    """

    name: str
    levels: int
    is_outside: bool


@dataclass(frozen=True, slots=True)
class Site:
    """A place where objects stand: who returned them, as what, and what that path provides beyond the usual.

    *subgraph* is None above the root fields, where nothing has been asked yet. *is_told* is set for moves away from an
    interface object's objects that may only be made once these have been told their own types. *block* is what of a
    `@defer` brought the objects; what is wanted of them in another one has to be asked for apart. *contexts* are those
    set above the objects, not by themselves, sorted.
    """

    subgraph: str | None
    type_name: str
    provided: FieldSet = ()
    is_told: bool = False
    block: Block = ()
    contexts: tuple[ContextAbove, ...] = ()

    def levels_to(self, context: str) -> int:
        """Return how many response keys up the nearest object stands that sets a context; 0 if there is none."""
        return next((one.levels for one in self.contexts if one.name == context), 0)

    def provides(self, type_name: str, field_name: str, graph: Graph) -> FieldSet | None:
        """Return what is provided below a field of the objects of a type; None if the field itself is not provided."""
        below: list[FieldSet] = []
        waiting = [self.provided]
        while waiting:
            for selection in waiting.pop():
                match selection:
                    case FieldSetField(name, _, inner) if name == field_name:
                        below.append(inner)
                    case FieldSetFragment(condition, inner) if type_name in graph.possible_types(condition):
                        waiting.append(inner)
                    case _:
                        pass
        return tuple(selection for inner in below for selection in inner) if below else None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a field of a key comes from: the site itself (None) or a subgraph asked before."""

    field: FieldSelection
    subgraph: str | None


@dataclass(frozen=True, slots=True)
class Route:
    """How a subgraph can be asked about objects at a site.

    *sent_typename* is None for a root move: an object of the query type needs no key. *via* are the subgraphs asked
    before; *waiting_cost* is what this costs beyond their number.
    """

    subgraph: str
    sent_typename: str | None
    sources: tuple[Source, ...]
    via: frozenset[str]
    waiting_cost: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A field, for some types, and the subgraph that resolves it.

    *origin* is where the move to it starts; *site* and *below* tell how it goes on. *is_contested*: its response key
    stands for another field on objects of other types.
    """

    field: FieldSelection
    subgraph: str
    origin: Site
    is_contested: bool
    is_local: bool
    located: LocatedField | None
    site: Site | None
    below: "Assignment | None"

    def for_field(self, field: FieldSelection) -> "Choice":
        """Return the choice for another field that is resolved alike, for the same types."""
        types = self.field.types
        return replace(self, field=field if field.types == types else replace(field, types=types))


@dataclass(frozen=True, slots=True)
class Assignment:
    """The choices for a selection set at a site, what they cost, and what cannot be reached (None: nothing)."""

    choices: tuple[Choice, ...]
    cost: int
    missing: SelectionSet | None


def format_assignment(assignment: Assignment) -> str:
    """Return the stage as text: every field with the subgraph that resolves it, `->` where it is another one."""
    lines: list[str] = []
    _format(assignment, "", lines)
    return "\n".join(lines)


def _format(assignment: Assignment, indent: str, lines: list[str]) -> None:
    for choice in assignment.choices:
        field = choice.field
        move = "in" if choice.is_local else "->"
        guard = f" if {print_guard(field.guard)}" if field.guard != ALWAYS else ""
        types = "|".join(sorted(field.types))
        alias = f"{field.response_key}: " if field.response_key != field.name else ""
        block = f" in {print_block(field.block)}" if field.block else ""
        lines.append(f"{indent}{alias}{types}.{field.signature} {move} {choice.subgraph}{guard}{block}")
        if choice.below:
            _format(choice.below, indent + "  ", lines)
