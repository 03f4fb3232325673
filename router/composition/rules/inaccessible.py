"""What is hidden must not be needed by what is seen.

https://specs.apollo.dev/inaccessible/v0.2/
"""

from collections.abc import Iterator

from graphql import ValueNode

from router.composition.api_schema import is_visible
from router.composition.landscape import Landscape
from router.composition.merged import (
    MergedComposite,
    MergedElement,
    MergedEnum,
    MergedField,
    MergedInput,
    MergedInputType,
    MergedUnion,
    Supergraph,
    has_applied,
)
from router.composition.model import SourceLocation
from router.composition.report import Report
from router.composition.type_refs import NonNull, named_type


def check(supergraph: Supergraph, landscape: Landscape, report: Report) -> None:
    """Report visible elements that need a hidden one."""
    if not any(has_applied(element, "inaccessible") for element in _all_elements(supergraph)):
        return
    _Check(supergraph, landscape, report).run()


def _all_elements(supergraph: Supergraph) -> Iterator[MergedElement]:
    for merged in supergraph.types.values():
        yield merged
        match merged:
            case MergedComposite():
                for field in merged.fields.values():
                    yield field
                    yield from field.arguments.values()
            case MergedInputType():
                yield from merged.fields.values()
            case MergedEnum():
                yield from merged.values.values()
            case _:
                continue


class _Check:
    def __init__(self, supergraph: Supergraph, landscape: Landscape, report: Report) -> None:
        self.types = supergraph.types
        self.landscape = landscape
        self.report = report

    def run(self) -> None:
        query = self.types.get("Query")
        if query is not None and not is_visible(query):
            self.report.error(
                "QUERY_ROOT_TYPE_INACCESSIBLE",
                "The query type is @inaccessible: nothing could be asked.",
                *self.landscape.locate("Query"),
            )
            return
        for merged in self.types.values():
            if not is_visible(merged):
                continue
            match merged:
                case MergedComposite():
                    self.check_children(merged.name, [is_visible(field) for field in merged.fields.values()])
                    for field in merged.fields.values():
                        if is_visible(field):
                            self.check_field(merged, field)
                        self.check_implements(merged, field)
                case MergedUnion():
                    members = [self.types[name] for name in merged.types if name in self.types]
                    self.check_children(merged.name, [is_visible(member) for member in members])
                case MergedEnum():
                    self.check_children(merged.name, [is_visible(value) for value in merged.values.values()])
                case MergedInputType():
                    self.check_children(merged.name, [is_visible(value) for value in merged.fields.values()])
                    for value in merged.fields.values():
                        places = self.landscape.locate(merged.name, value.name)
                        self.check_input(f"{merged.name}.{value.name}", value, places)
                case _:
                    continue

    def check_children(self, name: str, visible: list[bool]) -> None:
        if visible and not any(visible):
            self.report.error(
                "ONLY_INACCESSIBLE_CHILDREN",
                f"Type {name!r} is visible, but all of its parts are @inaccessible.",
                *self.landscape.locate(name),
            )

    def is_hidden_type(self, name: str) -> bool:
        merged = self.types.get(name)
        return merged is not None and not is_visible(merged)

    def check_field(self, parent: MergedComposite, field: MergedField) -> None:
        coordinate = f"{parent.name}.{field.name}"
        if self.is_hidden_type(named_type(field.type)):
            self.report.error(
                "REFERENCED_INACCESSIBLE",
                f"{coordinate} is visible, but its type {named_type(field.type)!r} is @inaccessible.",
                *self.landscape.locate(parent.name, field.name),
            )
        for argument in field.arguments.values():
            places = self.landscape.locate(parent.name, field.name, argument.name)
            self.check_input(f"{coordinate}({argument.name}:)", argument, places)

    def check_input(self, coordinate: str, value: MergedInput, places: tuple[SourceLocation, ...]) -> None:
        if not is_visible(value):
            if isinstance(value.type, NonNull) and value.default is None:
                self.report.error(
                    "REQUIRED_INACCESSIBLE",
                    f"{coordinate} is required but @inaccessible: no client could give it.",
                    *places,
                )
            return
        if self.is_hidden_type(named_type(value.type)):
            self.report.error(
                "REFERENCED_INACCESSIBLE",
                f"{coordinate} is visible, but its type {named_type(value.type)!r} is @inaccessible.",
                *places,
            )
        if value.default is not None and self.uses_hidden(value.default, named_type(value.type)):
            self.report.error(
                "DEFAULT_VALUE_USES_INACCESSIBLE",
                f"The default of {coordinate} uses something @inaccessible.",
                *places,
            )

    def uses_hidden(self, default: ValueNode, type_name: str) -> bool:
        """Tell whether *default* names a hidden enum value or a hidden input field."""
        merged = self.types.get(type_name)
        if default.kind == "list_value":
            return any(self.uses_hidden(entry, type_name) for entry in default.values)  # type: ignore[attr-defined]
        if isinstance(merged, MergedEnum) and default.kind == "enum_value":
            value = merged.values.get(default.value)  # type: ignore[attr-defined]
            return value is not None and not is_visible(value)
        if isinstance(merged, MergedInputType) and default.kind == "object_value":
            for given in default.fields:  # type: ignore[attr-defined]
                field = merged.fields.get(given.name.value)
                if field is not None and (
                    not is_visible(field) or self.uses_hidden(given.value, named_type(field.type))
                ):
                    return True
        return False

    def check_implements(self, merged: MergedComposite, field: MergedField) -> None:
        """A visible interface field, or argument of one, cannot be hidden in an implementation."""
        for name in merged.interfaces:
            interface = self.types.get(name)
            if not isinstance(interface, MergedComposite) or not is_visible(interface):
                continue
            expected = interface.fields.get(field.name)
            if expected is None or not is_visible(expected):
                continue
            if not is_visible(field):
                self.report.error(
                    "IMPLEMENTED_BY_INACCESSIBLE",
                    f"{merged.name}.{field.name} is @inaccessible, but implements the visible {name}.{field.name}.",
                    *self.landscape.locate(merged.name, field.name),
                )
                continue
            for argument in field.arguments.values():
                promised = expected.arguments.get(argument.name)
                if promised is not None and is_visible(promised) and not is_visible(argument):
                    self.report.error(
                        "IMPLEMENTED_BY_INACCESSIBLE",
                        f"{merged.name}.{field.name}({argument.name}:) is @inaccessible, but implements the visible"
                        f" {name}.{field.name}({argument.name}:).",
                        *self.landscape.locate(merged.name, field.name, argument.name),
                    )
