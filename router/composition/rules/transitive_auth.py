"""A field must ask for at least what the fields it requires ask for: they are fetched in its name."""

from collections.abc import Iterator

from graphql import StringValueNode

from router.composition.annotations import (
    Coordinate,
    read_context_name,
    read_fields_argument,
    split_context_field,
    walk_field_set,
)
from router.composition.field_sets import FieldSetSyntaxError, parse_field_set
from router.composition.landscape import FieldSource, Landscape
from router.composition.merge.directives import Alternatives, conjoin, read_alternatives
from router.composition.merged import Supergraph
from router.composition.report import Report
from router.composition.rules.auth_on_interface import AUTH_DIRECTIVES
from router.composition.subgraph import DirectiveUse, Family, OutputField, directives_named
from router.composition.type_refs import named_type

# Everything as alternatives of names: being logged in is one more name.
_LOGGED_IN: Alternatives = (("",),)


def check(supergraph: Supergraph, landscape: Landscape, report: Report) -> None:
    """Report fields whose `@requires` or `@fromContext` reach behind stricter doors than their own."""
    if not _uses_auth(landscape):
        return
    for type_name, _ in landscape.composites():
        for name, sources in landscape.field_sources(type_name).items():
            for source in sources:
                own = conjoin([*_on_field(landscape, (type_name, name)), *_on_type(landscape, type_name)])
                for use, reached in _reached(source):
                    for coordinate in reached:
                        needed = conjoin([*_on_field(landscape, coordinate), *_on_result(landscape, coordinate)])
                        if not _implies(own, needed):
                            report.error(
                                "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
                                f"[{source.member.name}] {type_name}.{name} needs {'.'.join(coordinate)}, which asks"
                                " for more than it does itself.",
                                use.at,
                            )
                            break


def _uses_auth(landscape: Landscape) -> bool:
    return any(
        use.family is Family.FEDERATION and use.name in AUTH_DIRECTIVES
        for definitions in landscape.types.values()
        for _, definition in definitions
        for uses in (
            definition.directives,
            *(field.directives for field in getattr(definition, "fields", {}).values()),
        )
        for use in uses
    )


def _reached(source: FieldSource) -> Iterator[tuple[DirectiveUse, list[Coordinate]]]:
    subgraph = source.member.subgraph
    for use in directives_named(source.field, "requires"):
        yield use, list(walk_field_set(subgraph, source.type_name, read_fields_argument(use) or ()))
    for argument in source.field.arguments.values():
        for use in directives_named(argument, "fromContext"):
            value = use.arguments.get("field")
            name, text = split_context_field(value.value) if isinstance(value, StringValueNode) else (None, "")
            try:
                selections = parse_field_set(text)
            except FieldSetSyntaxError:
                continue
            for definition in subgraph.types.values():
                if any(read_context_name(context) == name for context in directives_named(definition, "context")):
                    yield use, list(walk_field_set(subgraph, definition.name, selections))


def _on_field(landscape: Landscape, coordinate: Coordinate) -> Iterator[Alternatives]:
    for member, definition in landscape.types.get(coordinate[0], ()):
        field = getattr(definition, "fields", {}).get(coordinate[1])
        if isinstance(field, OutputField) and coordinate not in member.annotations.external:
            yield from _requirements(field.directives)


def _on_type(landscape: Landscape, name: str) -> Iterator[Alternatives]:
    for _, definition in landscape.types.get(name, ()):
        yield from _requirements(definition.directives)


def _on_result(landscape: Landscape, coordinate: Coordinate) -> Iterator[Alternatives]:
    """Yield what the type that a field returns asks for."""
    for _, definition in landscape.types.get(coordinate[0], ()):
        field = getattr(definition, "fields", {}).get(coordinate[1])
        if isinstance(field, OutputField):
            yield from _on_type(landscape, named_type(field.type))
            return


def _requirements(uses: tuple[DirectiveUse, ...]) -> Iterator[Alternatives]:
    for use in uses:
        if use.family is not Family.FEDERATION:
            continue
        match use.name:
            case "authenticated":
                yield _LOGGED_IN
            case "requiresScopes":
                yield _prefixed("scope ", read_alternatives(use.arguments.get("scopes")))
            case "policy":
                yield _prefixed("policy ", read_alternatives(use.arguments.get("policies")))
            case _:
                continue


def _prefixed(prefix: str, alternatives: Alternatives) -> Alternatives:
    """Keep scopes and policies of one name apart."""
    return tuple(tuple(prefix + name for name in group) for group in alternatives)


def _implies(own: Alternatives, needed: Alternatives) -> bool:
    """Tell whether whoever satisfies *own* satisfies *needed*."""
    if not needed:
        return True
    return bool(own) and all(any(set(group) <= set(mine) for group in needed) for mine in own)
