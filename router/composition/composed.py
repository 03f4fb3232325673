"""`@composeDirective`: which custom directives stay in the supergraph, and from which specification."""

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import StringValueNode

from router.composition.landscape import Landscape, Member
from router.composition.subgraph import DirectiveDefinition, DirectiveUse, Link


@dataclass(frozen=True, slots=True)
class ComposedDirective:
    """A custom directive that stays: *imported_name* is its `@name` in its specification, None if it needs no import.

    *subgraphs* are those that compose it; what others apply ends with composition.
    """

    name: str
    imported_name: str | None
    definition: DirectiveDefinition
    subgraphs: frozenset[str]


@dataclass(frozen=True, slots=True)
class ComposedSpec:
    """A specification of composed directives, at the newest version that a subgraph uses."""

    identity: str
    version: tuple[int, int]
    alias: str | None
    directives: tuple[ComposedDirective, ...]


@dataclass(frozen=True, slots=True)
class Composition:
    """One valid `@composeDirective` application."""

    member: Member
    use: DirectiveUse
    name: str
    link: Link
    imported_name: str | None


def find_compositions(landscape: Landscape) -> Iterator[Composition]:
    """Yield the applications of `@composeDirective` that name a directive of a linked specification."""
    for member in landscape.members:
        for use in member.subgraph.composed_directives:
            name = composed_name(use)
            if name is None:
                continue
            found = find_link_of(member, name)
            if found is not None:
                yield Composition(member, use, name, *found)


def composed_name(use: DirectiveUse) -> str | None:
    """Return the directive that `@composeDirective(name:)` names, without its `@`; None if it has none."""
    value = use.arguments.get("name")
    if isinstance(value, StringValueNode) and value.value.startswith("@") and len(value.value) > 1:
        return value.value[1:]
    return None


def find_link_of(member: Member, name: str) -> tuple[Link, str | None] | None:
    """Return the link that brings directive *name*, and its name there (None for the one called like its namespace)."""
    for link in member.subgraph.links:
        for entry in link.imports:
            if entry.alias == f"@{name}":
                return link, entry.name
        if name == link.namespace:
            return link, None
        if name.startswith(f"{link.namespace}__"):
            return link, f"@{name.removeprefix(f'{link.namespace}__')}"
    return None


def find_composed_specs(landscape: Landscape) -> tuple[ComposedSpec, ...]:
    """Return the specifications whose directives stay in the supergraph, sorted by identity."""
    by_identity: dict[str, list[Composition]] = {}
    for composition in find_compositions(landscape):
        if composition.name in composition.member.subgraph.directive_definitions:
            by_identity.setdefault(composition.link.identity, []).append(composition)
    specs = []
    for identity, compositions in sorted(by_identity.items()):
        newest = max(compositions, key=lambda each: each.link.version or (0, 0))
        directives: dict[str, ComposedDirective] = {}
        for composition in sorted(compositions, key=lambda each: each.link.version or (0, 0), reverse=True):
            definition = composition.member.subgraph.directive_definitions[composition.name]
            users = frozenset(each.member.name for each in compositions if each.name == composition.name)
            directives.setdefault(
                composition.name, ComposedDirective(composition.name, composition.imported_name, definition, users)
            )
        namespace = newest.link.namespace
        specs.append(
            ComposedSpec(
                identity,
                newest.link.version or (0, 0),
                namespace if namespace != identity.rsplit("/", 1)[-1] else None,
                tuple(directive for _, directive in sorted(directives.items())),
            )
        )
    return tuple(specs)
