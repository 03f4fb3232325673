"""What an argument from a context is in truth: worked out from the objects above, one after the other.

Written apart from the router's own idea of it, so that both have to be wrong alike for a test to miss it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from router.supergraph import Supergraph
from router.supergraph.model import ContextArgument, FieldSet, FieldSetField, FieldSetFragment

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Placed(Generic[T]):
    """An object where it stands in an answer: below another one, or at the root."""

    source: T
    above: "Placed[T] | None" = None


def place(value: Any, above: Placed[T], kind: type[T]) -> Any:
    """Return a field's value with every object in it placed below *above*."""
    if isinstance(value, list):
        return [place(item, above, kind) for item in value]
    return Placed(value, above) if isinstance(value, kind) else value


def context_arguments(supergraph: Supergraph, type_name: str, field_name: str) -> Iterator[ContextArgument]:
    """Yield the arguments that a field takes from contexts; in tests no two subgraphs take the same one."""
    type_ = supergraph.types[type_name]
    for name in (type_name, *type_.interfaces):
        field = supergraph.types[name].fields.get(field_name)
        for here in field.subgraphs.values() if field else ():
            is_interface_object = (
                name != type_name and supergraph.types[name].subgraphs[here.subgraph].is_interface_object
            )
            if name == type_name or is_interface_object:
                yield from here.context_arguments


def sets_context(supergraph: Supergraph, type_name: str, context: str) -> bool:
    """Tell whether objects of a type set a context."""
    if type_name in (supergraph.mutation_type, supergraph.subscription_type):
        return False
    return any(
        context in type_.contexts
        and (
            type_.name == type_name
            or type_.name in supergraph.types[type_name].interfaces
            or type_name in type_.members
        )
        for type_ in supergraph.types.values()
    )


def fields_on(supergraph: Supergraph, type_name: str, selections: FieldSet) -> Iterator[FieldSetField]:
    """Yield the selected fields that apply to objects of a type."""
    type_ = supergraph.types[type_name]
    for selection in selections:
        match selection:
            case FieldSetField():
                yield selection
            case FieldSetFragment(condition, inner):
                members = supergraph.types[condition].members
                if condition == type_name or condition in type_.interfaces or type_name in members:
                    yield from fields_on(supergraph, type_name, inner)


def fill_arguments(
    supergraph: Supergraph,
    placed: Placed[T],
    field_name: str,
    type_of: Callable[[T], str],
    value_of: Callable[[Placed[T], FieldSetField], Any],
) -> dict[str, Any]:
    """Return a field's arguments from contexts: what the nearest object above says that sets each, else null."""
    filled: dict[str, Any] = {}
    for argument in context_arguments(supergraph, type_of(placed.source), field_name):
        above = placed.above
        while above is not None and not sets_context(supergraph, type_of(above.source), argument.context):
            above = above.above
        assert above is not None, f"nothing above sets {argument.context} for {field_name}"
        filled[argument.name] = _read(supergraph, above, argument.selections, type_of, value_of)
    return filled


def _read(
    supergraph: Supergraph,
    placed: Placed[T],
    selections: FieldSet,
    type_of: Callable[[T], str],
    value_of: Callable[[Placed[T], FieldSetField], Any],
) -> Any:
    chosen = next(fields_on(supergraph, type_of(placed.source), selections), None)
    if chosen is None:
        return None
    if chosen.name == "__typename":
        return type_of(placed.source)

    def read(value: Any) -> Any:
        if isinstance(value, list):
            return [read(item) for item in value]
        if isinstance(value, Placed):
            return _read(supergraph, value, chosen.selections, type_of, value_of)
        return value

    return read(value_of(placed, chosen))
