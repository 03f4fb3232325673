"""Field sets: the text of `@key(fields:)`, `requires` and `provides` as values."""

from graphql import FieldNode, GraphQLSyntaxError, InlineFragmentNode, OperationDefinitionNode, parse, print_ast
from graphql.language.ast import SelectionSetNode

from router.supergraph.model import FieldSet, FieldSetField, FieldSetFragment, FieldSetSelection


class InvalidFieldSet(ValueError):
    """The text is not a selection set without operation syntax, aliases or variables."""


def parse_field_set(text: str) -> FieldSet:
    """Take the text of a field set, with or without its braces, and return its selections; raise InvalidFieldSet."""
    if not text.strip():
        raise InvalidFieldSet("the field set is empty")
    braced = text if text.lstrip().startswith("{") else f"{{{text}}}"
    try:
        document = parse(braced, no_location=True)
    except GraphQLSyntaxError as error:
        raise InvalidFieldSet(error.message) from None
    if len(document.definitions) != 1 or not isinstance(document.definitions[0], OperationDefinitionNode):
        raise InvalidFieldSet("the field set is not one selection set")
    return _read_selections(document.definitions[0].selection_set)


def _read_selections(node: SelectionSetNode) -> FieldSet:
    selections: list[FieldSetSelection] = []
    for selection in node.selections or ():
        if isinstance(selection, FieldNode):
            selections.append(
                FieldSetField(
                    selection.name.value,
                    tuple((argument.name.value, print_ast(argument.value)) for argument in selection.arguments or ()),
                    _read_selections(selection.selection_set) if selection.selection_set else (),
                )
            )
        elif isinstance(selection, InlineFragmentNode):
            inner = _read_selections(selection.selection_set)
            if selection.type_condition is None:
                selections.extend(inner)
            else:
                selections.append(FieldSetFragment(selection.type_condition.name.value, inner))
        else:
            raise InvalidFieldSet("a field set has no named fragments")
    return tuple(selections)


def print_field_set(field_set: FieldSet) -> str:
    """Return the field set as one line without outer braces."""
    return " ".join(_print_selection(selection) for selection in field_set)


def _print_selection(selection: FieldSetSelection) -> str:
    match selection:
        case FieldSetField(name, arguments, selections):
            head = name
            if arguments:
                head += "(" + ", ".join(f"{name}: {value}" for name, value in arguments) + ")"
            return f"{head} {{ {print_field_set(selections)} }}" if selections else head
        case FieldSetFragment(type_name, selections):
            return f"... on {type_name} {{ {print_field_set(selections)} }}"
