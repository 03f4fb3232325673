"""Directives of Federation's specs as they are applied in a supergraph, found under whatever name `@link` gave them.

https://specs.apollo.dev/link/v1.0/
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    value_from_ast_untyped,
)

from router.supergraph.links import read_links

_SPECS = "https://specs.apollo.dev/"


@dataclass(frozen=True, slots=True)
class AppliedDirective:
    """A directive on a type, on one of its fields, or on an argument of one, with its arguments as plain values."""

    name: str
    arguments: dict[str, Any]
    type_name: str
    field_name: str | None = None
    argument_name: str | None = None


def find_applied_directives(supergraph: DocumentNode, spec_names: frozenset[str]) -> tuple[AppliedDirective, ...]:
    """Return what *supergraph* applies of the directives *spec_names*, each under its spec's own name.

    *spec_names* are names such as `authenticated`: the directive that a spec of that name, or the one that declares it,
    defines. Without a `@link` for it a directive is recognised by its name alone.
    """
    names = {local: spec for local, spec in _linked_names(supergraph).items() if spec in spec_names}
    linked = set(names.values())
    names.update({name: name for name in spec_names - linked})
    return tuple(_applied(supergraph, names))


def _linked_names(supergraph: DocumentNode) -> dict[str, str]:
    """Return local directive name -> name in its spec, for every linked spec."""
    names: dict[str, str] = {}
    for feature in read_links(supergraph):
        if not feature.url.startswith(_SPECS):
            continue
        # Cases: the spec's namesake directive goes by `as`; an import goes by its own name or by its own `as`
        names[feature.prefix] = feature.name
        for name, local in feature.imports:
            if name.startswith("@"):
                names[local[1:]] = name[1:]
        # https://specs.apollo.dev/cost/ defines two; unless imported, the second one carries the prefix
        if feature.name == "cost":
            names.setdefault(f"{feature.prefix}__listSize", "listSize")
            names.setdefault("listSize", "listSize")
    return names


def _applied(supergraph: DocumentNode, names: dict[str, str]) -> Iterator[AppliedDirective]:
    for definition in supergraph.definitions:
        match definition:
            case (
                ObjectTypeDefinitionNode()
                | ObjectTypeExtensionNode()
                | InterfaceTypeDefinitionNode()
                | InterfaceTypeExtensionNode()
            ):
                type_name = definition.name.value
                for name, arguments in _matching(definition.directives, names):
                    yield AppliedDirective(name, arguments, type_name)
                for field in definition.fields or ():
                    for name, arguments in _matching(field.directives, names):
                        yield AppliedDirective(name, arguments, type_name, field.name.value)
                    for argument in field.arguments or ():
                        for name, arguments in _matching(argument.directives, names):
                            yield AppliedDirective(name, arguments, type_name, field.name.value, argument.name.value)
            case (
                ScalarTypeDefinitionNode()
                | ScalarTypeExtensionNode()
                | EnumTypeDefinitionNode()
                | EnumTypeExtensionNode()
                | UnionTypeDefinitionNode()
                | UnionTypeExtensionNode()
            ):
                for name, arguments in _matching(definition.directives, names):
                    yield AppliedDirective(name, arguments, definition.name.value)
            case _:
                pass


def _matching(
    directives: tuple[DirectiveNode, ...] | None, names: dict[str, str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for directive in directives or ():
        name = names.get(directive.name.value)
        if name is not None:
            yield name, {argument.name.value: _plain(argument) for argument in directive.arguments or ()}


def _plain(argument: ArgumentNode) -> Any:
    return value_from_ast_untyped(argument.value)
