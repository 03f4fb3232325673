"""`@context` names what a type offers to the fields below it; `@fromContext` fills an argument from it."""

import re

from graphql import StringValueNode

from router.composition.annotations import Annotations, read_context_name, split_context_field
from router.composition.field_set_problems import Flaw, find_problems
from router.composition.field_sets import (
    FieldSet,
    FieldSetSyntaxError,
    SelectedField,
    SelectedFragment,
    parse_field_set,
)
from router.composition.report import Report
from router.composition.subgraph import (
    DirectiveUse,
    InputValue,
    InterfaceType,
    ObjectType,
    Subgraph,
    UnionType,
    directives_named,
)
from router.composition.type_refs import ListOf, Named, NonNull, TypeRef, is_subtype, named_type, nullable

_NAME = re.compile(r"[A-Za-z][0-9A-Za-z]*")


def check(subgraph: Subgraph, annotations: Annotations, report: Report) -> None:
    """Report context names that are none and arguments that their context cannot fill."""
    setters: dict[str, list[str]] = {}
    for definition in subgraph.types.values():
        for use in directives_named(definition, "context"):
            name = read_context_name(use)
            if name is None:
                continue
            if _NAME.fullmatch(name):
                setters.setdefault(name, []).append(definition.name)
            else:
                report.error(
                    "CONTEXT_NAME_INVALID",
                    f"[{subgraph.name}] {name!r} on {definition.name} cannot name a context: letters and digits only.",
                    use.at,
                )
    for definition in subgraph.types.values():
        if not isinstance(definition, ObjectType | InterfaceType):
            continue
        for field in definition.fields.values():
            for argument in field.arguments.values():
                for use in directives_named(argument, "fromContext"):
                    coordinate = f"{definition.name}.{field.name}({argument.name}:)"
                    abstract = _abstract_field(subgraph, definition, field.name)
                    if abstract is not None:
                        # Whoever asks for the field on the interface could not give it the argument
                        report.error(
                            "CONTEXT_NOT_SET",
                            f"[{subgraph.name}] {coordinate} cannot come from a context, for {abstract} is a field"
                            " of an interface.",
                            use.at,
                            remedy="Take the argument in a field that no interface has.",
                        )
                        continue
                    if isinstance(definition, ObjectType) and not any(
                        key.resolvable for key in annotations.keys.get(definition.name, ())
                    ):
                        report.error(
                            "CONTEXT_NO_RESOLVABLE_KEY",
                            f"[{subgraph.name}] {coordinate} comes from a context, so {definition.name} needs a"
                            " resolvable @key.",
                            use.at,
                        )
                    _check_argument(subgraph, annotations, coordinate, argument, use, setters, report)


def _abstract_field(subgraph: Subgraph, definition: ObjectType | InterfaceType, name: str) -> str | None:
    """Return the interface's field that a field is or implements, as a coordinate; None if there is none."""
    if isinstance(definition, InterfaceType):
        return f"{definition.name}.{name}"
    for interface in definition.interfaces:
        declared = subgraph.types.get(interface)
        if isinstance(declared, InterfaceType) and name in declared.fields:
            return f"{interface}.{name}"
    return None


def _check_argument(
    subgraph: Subgraph,
    annotations: Annotations,
    coordinate: str,
    argument: InputValue,
    use: DirectiveUse,
    setters: dict[str, list[str]],
    report: Report,
) -> None:
    value = use.arguments.get("field")
    name, text = split_context_field(value.value) if isinstance(value, StringValueNode) else (None, "")
    if name is None:
        report.error(
            "NO_CONTEXT_IN_SELECTION",
            f"[{subgraph.name}] {coordinate}: @fromContext must name a context first, like `$context {{ field }}`.",
            use.at,
        )
        return
    if name not in setters:
        report.error("CONTEXT_NOT_SET", f"[{subgraph.name}] {coordinate}: no type sets the context {name!r}.", use.at)
        return

    def refuse(why: str) -> None:
        report.error(
            "CONTEXT_INVALID_SELECTION", f"[{subgraph.name}] {coordinate} cannot come from {name!r}: {why}.", use.at
        )

    if argument.default is not None:
        refuse("an argument from a context has no default")
        return
    if isinstance(argument.type, NonNull):
        # Null is sent where the selection finds null, or selects nothing on the object
        refuse(f"the argument is {argument.type}, but must allow null")
        return
    try:
        selections = parse_field_set(text)
    except FieldSetSyntaxError as error:
        refuse(str(error))
        return
    for setter in setters[name]:
        applicable = _selections_for(subgraph, annotations, setter, selections)
        problems = [
            problem.message
            for problem in find_problems(subgraph, annotations, setter, applicable)
            if problem.flaw in {Flaw.INVALID, Flaw.DIRECTIVE}
        ]
        if problems:
            refuse(problems[0])
            continue
        selected = _selected_type(subgraph, setter, applicable)
        if selected is None:
            refuse(f"the selection on {setter} must lead to one field")
        elif not is_subtype(selected, argument.type, lambda sub, of: False):
            refuse(f"it is {selected} there, but the argument is {argument.type}")


def _selections_for(subgraph: Subgraph, annotations: Annotations, setter: str, selections: FieldSet) -> FieldSet:
    """Keep the top-level fragments that can be on *setter*: one text may serve several types."""
    possible = annotations.implementations.get(setter, frozenset()) | {setter}

    def applies(selection: SelectedField | SelectedFragment) -> bool:
        if isinstance(selection, SelectedField) or selection.type_condition is None:
            return True
        condition = selection.type_condition
        if condition not in subgraph.types:
            return True  # unknown types are a problem wherever they stand
        return bool(possible & (annotations.implementations.get(condition, frozenset()) | {condition}))

    return tuple(selection for selection in selections if applies(selection))


def _selected_type(subgraph: Subgraph, type_name: str, selections: FieldSet) -> TypeRef | None:
    """Return the type of the one field that *selections* lead to; None when they lead to several or none."""
    fields = [selection for selection in selections if isinstance(selection, SelectedField)]
    fragments = [selection for selection in selections if isinstance(selection, SelectedFragment)]
    if fragments and not fields:
        found = {
            _selected_type(subgraph, fragment.type_condition or type_name, fragment.selections)
            for fragment in fragments
        }
        return found.pop() if len(found) == 1 else None
    if len(fields) != 1 or fragments:
        return None
    if fields[0].name == "__typename":
        return NonNull(Named("String"))
    definition = subgraph.types.get(type_name)
    if isinstance(definition, UnionType) or not isinstance(definition, ObjectType | InterfaceType):
        return None
    field = definition.fields.get(fields[0].name)
    if field is None:
        return None
    if not fields[0].selections:
        return field.type
    inner = _selected_type(subgraph, named_type(field.type), fields[0].selections)
    return None if inner is None else _wrap(field.type, inner)


def _wrap(outer: TypeRef, inner: TypeRef) -> TypeRef:
    """Return the type of *inner* seen through *outer*: null if either is, a list if *outer* is."""
    match outer:
        case NonNull():
            wrapped = _wrap(outer.of, inner)
            return (
                wrapped
                if isinstance(wrapped, NonNull) or not isinstance(inner, NonNull)
                else NonNull(nullable(wrapped))
            )
        case ListOf():
            return ListOf(_wrap(outer.of, inner))
        case _:
            return nullable(inner)
