"""The rules, one per file, in the order in which they are asked.

A rule about one subgraph must hold before the subgraphs are put side by side, a rule about all of them before they are
merged, a rule about the supergraph before it is rendered.
"""

from collections.abc import Callable, Sequence

from router.composition.annotations import Annotations, annotate
from router.composition.landscape import Landscape
from router.composition.merged import Supergraph
from router.composition.model import SubgraphSchema
from router.composition.report import Report
from router.composition.rules import (
    auth_on_interface,
    complete_types,
    composed_directives,
    contexts,
    demand_control,
    description_hints,
    enum_values,
    executable_directives,
    extension_base,
    external_declarations,
    external_fields,
    federation_1_interface_keys,
    field_arguments,
    field_sharing,
    field_types,
    implemented_interfaces,
    import_names,
    inaccessible,
    input_cycles,
    input_fields,
    interface_key_implementations,
    interface_keys,
    interface_object_usage,
    interface_objects,
    key_fields,
    known_directives,
    known_types,
    merged_directive_on_external,
    merged_interfaces,
    names,
    one_of_inputs,
    override_usage,
    overrides,
    provides_fields,
    query_exists,
    requires_fields,
    shareable_usage,
    shared_runtime_types,
    transitive_auth,
    type_kinds,
    value_type_hints,
)
from router.composition.subgraph import Subgraph

# Nothing else makes sense about names that mean nothing.
NAME_RULES: tuple[Callable[[Subgraph, Report], None], ...] = (
    known_types.check,
    known_directives.check,
)

GRAPHQL_RULES: tuple[Callable[[Subgraph, Report], None], ...] = (
    complete_types.check,
    implemented_interfaces.check,
    input_cycles.check,
    one_of_inputs.check,
)

SUBGRAPH_RULES: tuple[Callable[[Subgraph, Annotations, Report], None], ...] = (
    key_fields.check,
    requires_fields.check,
    provides_fields.check,
    external_fields.check,
    shareable_usage.check,
    interface_object_usage.check,
    interface_keys.check,
    auth_on_interface.check,
    demand_control.check,
    contexts.check,
)

# Nothing else makes sense about types that are not there.
PRESENCE_RULES: tuple[Callable[[Landscape, Report], None], ...] = (
    extension_base.check,
    query_exists.check,
    federation_1_interface_keys.check,
)

LANDSCAPE_RULES: tuple[Callable[[Landscape, Report], None], ...] = (
    interface_objects.check,
    override_usage.check,
    overrides.check,
    field_sharing.check,
    merged_directive_on_external.check,
    external_declarations.check,
    field_types.check,
    field_arguments.check,
    input_fields.check,
    enum_values.check,
    shared_runtime_types.check,
    composed_directives.check,
    import_names.check,
    executable_directives.check,
    value_type_hints.check,
    description_hints.check,
)

SUPERGRAPH_RULES: tuple[Callable[[Supergraph, Landscape, Report], None], ...] = (
    transitive_auth.check,
    merged_interfaces.check,
)


def check_names(subgraphs: Sequence[SubgraphSchema], report: Report) -> None:
    """Check the names that the subgraphs are handed in under."""
    names.check(subgraphs, report)


def check_meanings(subgraph: Subgraph, report: Report) -> bool:
    """Check that the types and directives of one subgraph exist; say whether it makes sense to look further."""
    before = report.error_count
    for rule in NAME_RULES:
        rule(subgraph, report)
    return report.error_count == before


def check_subgraph(subgraph: Subgraph, report: Report) -> None:
    """Check what one subgraph says, in GraphQL's terms and in federation's."""
    before = report.error_count
    for graphql_rule in GRAPHQL_RULES:
        graphql_rule(subgraph, report)
    if report.error_count > before:
        return
    annotations = annotate(subgraph)
    for rule in SUBGRAPH_RULES:
        rule(subgraph, annotations, report)


def check_landscape(landscape: Landscape, report: Report) -> None:
    """Check that the subgraphs fit together."""
    for rule in PRESENCE_RULES:
        rule(landscape, report)
    if report.has_errors:
        return
    type_kinds.check(landscape, report)
    interface_key_implementations.check(landscape, report)
    # Nothing else makes sense about a type that is of two kinds.
    of_one_kind = landscape.without(type_kinds.find_mixed_types(landscape))
    for rule in LANDSCAPE_RULES:
        rule(of_one_kind, report)


def check_supergraph(supergraph: Supergraph, landscape: Landscape, report: Report) -> None:
    """Check what came out of merging."""
    for rule in SUPERGRAPH_RULES:
        rule(supergraph, landscape, report)
    if not report.has_errors:
        inaccessible.check(supergraph, landscape, report)
