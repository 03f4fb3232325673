"""Merge everything."""

from collections.abc import Mapping, Sequence

from router.composition.composed import ComposedSpec, find_composed_specs
from router.composition.landscape import Landscape
from router.composition.merge.directive_definitions import merge_directive_definitions
from router.composition.merge.directives import Uses, merge_directives
from router.composition.merge.interface_auth import propagate_auth
from router.composition.merge.spellings import agreed_spellings
from router.composition.merge.types import add_interface_object_fields, merge_type
from router.composition.merged import (
    BASE_LINKS,
    AppliedDirective,
    Graph,
    MergedComposite,
    MergedEnum,
    MergedInputType,
    MergedType,
    Supergraph,
    SupergraphLink,
)
from router.composition.specs import SPEC_HOST, SUPERGRAPH_SPECS
from router.composition.subgraph import ROOT_NAMES


def merge(landscape: Landscape) -> Supergraph:
    """Merge the subgraphs of *landscape* into one supergraph."""
    composed = find_composed_specs(landscape)
    kept = {directive.name: directive for spec in composed for directive in spec.directives}

    graphs = {member.name: member.graph for member in landscape.members}

    def merge_uses(per_subgraph: Sequence[Uses]) -> tuple[AppliedDirective, ...]:
        return merge_directives(per_subgraph, kept, graphs)

    types: dict[str, MergedType] = {
        name: merge_type(landscape, name, definitions, merge_uses) for name, definitions in landscape.types.items()
    }
    types = propagate_auth(add_interface_object_fields(landscape, types))
    spellings = agreed_spellings(landscape)
    schema_directives = merge_uses([member.subgraph.schema_directives for member in landscape.members])
    return Supergraph(
        graphs=tuple(Graph(member.graph, member.name, member.subgraph.url) for member in landscape.members),
        types=types,
        directive_definitions=merge_directive_definitions(landscape, composed, merge_uses),
        links=(*BASE_LINKS, *_used_specs(types, schema_directives, spellings), *_composed_links(composed)),
        roots={operation: name for operation, name in ROOT_NAMES.items() if name in types},
        schema_directives=schema_directives,
        spellings=spellings,
    )


def _used_specs(
    types: Mapping[str, MergedType], schema_directives: Sequence[AppliedDirective], spellings: Mapping[str, str]
) -> list[SupergraphLink]:
    used = {directive.name for directive in schema_directives}
    for merged in types.values():
        used.update(directive.name for directive in merged.directives)
        match merged:
            case MergedComposite():
                for field in merged.fields.values():
                    used.update(directive.name for directive in field.directives)
                    for argument in field.arguments.values():
                        used.update(directive.name for directive in argument.directives)
                    if any(join.context_arguments for join in field.joins):
                        used.add("context")
            case MergedEnum():
                for value in merged.values.values():
                    used.update(directive.name for directive in value.directives)
            case MergedInputType():
                for input_field in merged.fields.values():
                    used.update(directive.name for directive in input_field.directives)
    return [
        SupergraphLink(
            f"{SPEC_HOST}/{spec.name}/{spec.version}",
            purpose=spec.purpose,
            imports=tuple(
                (f"@{name}", f"@{spellings.get(name, name)}")
                for name in spec.directives
                if name in used and spellings.get(name, name) != spec.name
            ),
        )
        for spec in SUPERGRAPH_SPECS
        if used & set(spec.directives) or (spec.name == "cacheTag" and "join__directive" in used)
    ]


def _composed_links(composed: Sequence[ComposedSpec]) -> list[SupergraphLink]:
    return [
        SupergraphLink(
            f"{spec.identity}/v{spec.version[0]}.{spec.version[1]}",
            imports=tuple(
                (directive.imported_name, f"@{directive.name}")
                for directive in spec.directives
                if directive.imported_name is not None
            ),
            alias=spec.alias,
        )
        for spec in composed
    ]
