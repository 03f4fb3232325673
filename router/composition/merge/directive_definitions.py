"""Merge the definitions of directives that stay: composed ones as they are, executable ones by intersection."""

from collections.abc import Sequence

from router.composition.composed import ComposedSpec
from router.composition.landscape import Landscape
from router.composition.merge.directives import DirectiveMerger
from router.composition.merge.fields import merge_arguments
from router.composition.merge.type_choice import choose_description
from router.composition.merged import EXECUTABLE_LOCATIONS, MergedDirectiveDefinition, MergedInput


def merge_directive_definitions(
    landscape: Landscape, composed: Sequence[ComposedSpec], merge_uses: DirectiveMerger
) -> dict[str, MergedDirectiveDefinition]:
    """Return the directive definitions of the supergraph besides those of the specifications."""
    merged: dict[str, MergedDirectiveDefinition] = {}
    for spec in composed:
        for directive in spec.directives:
            definition = directive.definition
            merged[directive.name] = MergedDirectiveDefinition(
                directive.name,
                {
                    argument.name: MergedInput(argument.name, argument.type, argument.default, argument.description)
                    for argument in definition.arguments.values()
                },
                definition.locations,
                definition.repeatable,
                definition.description,
                executable=bool(EXECUTABLE_LOCATIONS & set(definition.locations)),
            )
    for name in sorted(set().union(*(member.subgraph.directive_definitions for member in landscape.members))):
        if name not in merged:
            executable = _merge_executable(landscape, name, merge_uses)
            if executable is not None:
                merged[name] = executable
    return merged


def _merge_executable(landscape: Landscape, name: str, merge_uses: DirectiveMerger) -> MergedDirectiveDefinition | None:
    """Merge an executable directive: clients may use it only where every subgraph understands it."""
    definitions = [
        member.subgraph.directive_definitions[name]
        for member in landscape.members
        if name in member.subgraph.directive_definitions
    ]
    if len(definitions) < len(landscape.members):
        return None
    locations = tuple(
        location
        for location in definitions[0].locations
        if location in EXECUTABLE_LOCATIONS and all(location in each.locations for each in definitions)
    )
    if not locations:
        return None
    return MergedDirectiveDefinition(
        name,
        merge_arguments(landscape, [definition.arguments for definition in definitions], merge_uses),
        locations,
        all(definition.repeatable for definition in definitions),
        choose_description(definition.description for definition in definitions),
        executable=True,
    )
