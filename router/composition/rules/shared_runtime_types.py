"""A shared field answers the same everywhere, so its possible objects cannot be entirely different."""

from router.composition.landscape import FieldSource, Landscape
from router.composition.report import Report
from router.composition.subgraph import InterfaceType, ObjectType, UnionType
from router.composition.type_refs import named_type


def check(landscape: Landscape, report: Report) -> None:
    """Report shared fields whose subgraphs have no run-time type in common; hint where they differ."""
    for type_name, _ in landscape.composites():
        if landscape.is_interface(type_name):
            continue
        for name, declared in landscape.field_sources(type_name).items():
            sources = [source for source in declared if not source.is_external and source.overridden_by is None]
            if len(sources) < 2:
                continue
            possible = {source.member.name: _runtime_types(source) for source in sources}
            distinct = {types for types in possible.values() if types is not None}
            if None in possible.values() or len(distinct) < 2:
                continue
            described = "; ".join(
                f"{', '.join(sorted(types or ()))} in {subgraph!r}" for subgraph, types in possible.items()
            )
            places = tuple(source.field.at for source in sources)
            if not frozenset.intersection(*distinct):
                report.error(
                    "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES",
                    f"{type_name}.{name} is shared, but has nothing in common: it is {described}.",
                    *places,
                )
            else:
                report.hint(
                    "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN",
                    f"{type_name}.{name} is shared, but may be {described}.",
                    *places,
                )


def _runtime_types(source: FieldSource) -> frozenset[str] | None:
    """Return the objects the field may be in its subgraph; None when that cannot be known there."""
    name = named_type(source.field.type)
    annotations = source.member.annotations
    if name in annotations.interface_objects:
        return None
    definition = source.member.subgraph.types.get(name)
    if isinstance(definition, InterfaceType | UnionType):
        return annotations.implementations.get(name, frozenset())
    return frozenset({name}) if isinstance(definition, ObjectType) else None
