"""Arguments from contexts (`@fromContext`): the variables that carry them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from router.planner.fetch_graph import FetchStep
from router.planner.graph import LocatedField
from router.planner.guards import Guard
from router.planner.operation import Argument
from router.planner.plan import ContextVariable, RepresentationField, RepresentationFragment, RepresentationSelection
from router.planner.sites import Choice
from router.supergraph.model import ContextArgument


@dataclass(frozen=True, slots=True)
class FilledArgument:
    """An argument's variable, the steps that bring its value, and when they do.

    *brought_if* is for objects above that are there; *guard* for those whose field is filled, which may be there under
    a condition themselves.
    """

    variable: ContextVariable
    steps: tuple[FetchStep, ...]
    brought_if: Guard
    guard: Guard


def name_variable(located: LocatedField, field_name: str, argument: ContextArgument, taken: Collection[str]) -> str:
    """Return the name of an argument's variable, none of those *taken*: in one step an argument has one value."""
    name = f"{located.declared_on}_{field_name}_{argument.name}"
    while name in taken:
        name = f"_{name}"
    return name


def arguments_of(choice: Choice, taken: Collection[str]) -> tuple[Argument, ...]:
    """Return a field's arguments, the client's and those from contexts."""
    located = choice.located
    if located is None or not located.contexts:
        return choice.field.arguments
    filled = tuple(
        Argument(argument.name, f"${name_variable(located, choice.field.name, argument, taken)}")
        for argument in located.contexts
    )
    return (*choice.field.arguments, *filled)


def find_value(selections: Iterable[RepresentationSelection]) -> tuple[RepresentationSelection, ...]:
    """Leave out the names of types that were added on the way to a value, unless such a name is the value."""
    found: list[RepresentationSelection] = []
    for one in selections:
        match one:
            case RepresentationField(name, key, inner):
                found.append(RepresentationField(name, key, find_value(inner)))
            case RepresentationFragment(type_names, inner):
                found.append(RepresentationFragment(type_names, find_value(inner)))
    values = [one for one in found if not isinstance(one, RepresentationField) or one.name != "__typename"]
    return tuple(values or found[:1])
