"""Field sets: the selections in `@key`, `@requires`, `@provides` and `@fromContext`."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    print_ast,
)


@dataclass(frozen=True, slots=True)
class SelectedField:
    """A field of a field set; *arguments* is their source text, *directives* the names of directives on it."""

    name: str
    selections: "FieldSet" = ()
    arguments: str = ""
    alias: str | None = None
    directives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SelectedFragment:
    """`... on Type { }` of a field set; *type_condition* is None in a bare `... { }`."""

    type_condition: str | None
    selections: "FieldSet" = ()
    directives: tuple[str, ...] = ()


FieldSet = tuple["SelectedField | SelectedFragment", ...]


class FieldSetSyntaxError(ValueError):
    """The text between the quotes is not a selection set."""


@lru_cache(maxsize=4096)
def parse_field_set(text: str) -> FieldSet:
    """Read the text of a field set, with or without its outer braces.

    Raises:
        FieldSetSyntaxError: it is empty, or not a selection set, or spreads a named fragment.
    """
    stripped = text.strip()
    source = stripped if stripped.startswith("{") else "{" + stripped + "}"
    try:
        document = parse(source, no_location=True)
    except GraphQLSyntaxError as error:
        raise FieldSetSyntaxError(error.message) from error
    definition = document.definitions[0]
    if len(document.definitions) != 1 or not isinstance(definition, OperationDefinitionNode):
        raise FieldSetSyntaxError("it must be a single selection set")
    return _read_selections(definition.selection_set)


def _read_selections(selection_set: SelectionSetNode | None) -> FieldSet:
    if selection_set is None:
        return ()
    if not selection_set.selections:
        raise FieldSetSyntaxError("it selects nothing")
    return tuple(_read_selection(selection) for selection in selection_set.selections)


def _read_selection(node: object) -> SelectedField | SelectedFragment:
    match node:
        case FieldNode():
            return SelectedField(
                name=node.name.value,
                selections=_read_selections(node.selection_set),
                arguments=", ".join(print_ast(argument) for argument in node.arguments or ()),
                alias=node.alias.value if node.alias else None,
                directives=tuple(directive.name.value for directive in node.directives or ()),
            )
        case InlineFragmentNode():
            return SelectedFragment(
                type_condition=node.type_condition.name.value if node.type_condition else None,
                selections=_read_selections(node.selection_set),
                directives=tuple(directive.name.value for directive in node.directives or ()),
            )
        case FragmentSpreadNode():
            raise FieldSetSyntaxError(f"it cannot spread the fragment {node.name.value!r}")
        case _:
            raise AssertionError(f"not a selection: {node!r}")


def format_field_set(selections: FieldSet) -> str:
    """Write a field set on one line."""
    return " ".join(_format_selection(selection) for selection in selections)


def _format_selection(selection: SelectedField | SelectedFragment) -> str:
    nested = f" {{ {format_field_set(selection.selections)} }}" if selection.selections else ""
    match selection:
        case SelectedField():
            alias = f"{selection.alias}: " if selection.alias else ""
            arguments = f"({selection.arguments})" if selection.arguments else ""
            return f"{alias}{selection.name}{arguments}{nested}"
        case SelectedFragment(type_condition=None):
            return f"...{nested}"
        case SelectedFragment():
            return f"... on {selection.type_condition}{nested}"


def top_level_fields(selections: FieldSet) -> Iterator[SelectedField]:
    """Yield the fields selected on the type itself, looking into fragments but not into sub-selections."""
    for selection in selections:
        match selection:
            case SelectedField():
                yield selection
            case SelectedFragment():
                yield from top_level_fields(selection.selections)
