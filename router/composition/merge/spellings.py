"""How subgraphs spell the directives that stay in the supergraph."""

from collections.abc import Iterator

from router.composition.landscape import Landscape
from router.composition.merge.directives import MERGED_FEDERATION_DIRECTIVES
from router.composition.model import SourceLocation
from router.composition.subgraph import (
    DirectiveUse,
    EnumType,
    Family,
    InputType,
    InterfaceType,
    ObjectType,
    Subgraph,
)


def collect_spellings(landscape: Landscape) -> dict[str, dict[str, dict[str, SourceLocation]]]:
    """Map each merged federation directive in use to its spellings, and these to the subgraphs with their first use."""
    found: dict[str, dict[str, dict[str, SourceLocation]]] = {}
    for member in landscape.members:
        for use in _used(member.subgraph):
            # A namespace prefix is no renaming: `@federation__tag` is `@tag`.
            spelling = use.name if use.written.endswith(f"__{use.name}") else use.written
            found.setdefault(use.name, {}).setdefault(spelling, {}).setdefault(member.name, use.at)
    return {name: dict(sorted(spellings.items())) for name, spellings in sorted(found.items())}


def agreed_spellings(landscape: Landscape) -> dict[str, str]:
    """Map each merged federation directive to the name all of its users import it by."""
    return {
        name: next(iter(spellings)) for name, spellings in collect_spellings(landscape).items() if len(spellings) == 1
    }


def _used(subgraph: Subgraph) -> Iterator[DirectiveUse]:
    for uses in _all_uses(subgraph):
        for use in uses:
            if use.family is Family.FEDERATION and use.name in MERGED_FEDERATION_DIRECTIVES:
                yield use


def _all_uses(subgraph: Subgraph) -> Iterator[tuple[DirectiveUse, ...]]:
    yield subgraph.schema_directives
    for definition in subgraph.types.values():
        yield definition.directives
        match definition:
            case ObjectType() | InterfaceType():
                for field in definition.fields.values():
                    yield field.directives
                    for argument in field.arguments.values():
                        yield argument.directives
            case InputType():
                for input_field in definition.fields.values():
                    yield input_field.directives
            case EnumType():
                for value in definition.values.values():
                    yield value.directives
            case _:
                continue
