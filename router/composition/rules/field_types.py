"""A field has one type in all subgraphs, or types of which one covers the others."""

from collections.abc import Iterable

from router.composition.landscape import FieldSource, Landscape
from router.composition.merge.type_choice import choose_output_type
from router.composition.report import Report


def check(landscape: Landscape, report: Report) -> None:
    """Report fields whose types do not fit; hint at those that only just do."""
    for type_name, _ in landscape.composites():
        for name, declared in landscape.field_sources(type_name).items():
            sources = resolving_sources(declared)
            types = [source.field.type for source in sources]
            if len(set(types)) <= 1:
                continue
            chosen = choose_output_type(types, landscape.is_named_subtype)
            described = ", ".join(f"{source.field.type} in {source.member.name!r}" for source in sources)
            places = tuple(source.field.at for source in sources)
            if chosen is None:
                report.error(
                    "FIELD_TYPE_MISMATCH", f"{type_name}.{name} has types that do not fit: {described}.", *places
                )
            else:
                report.hint(
                    "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE",
                    f"{type_name}.{name} differs: {described}; the supergraph says {chosen}.",
                    *places,
                )


def resolving_sources(declared: Iterable[FieldSource]) -> list[FieldSource]:
    """Return the declarations that count: those that are not external."""
    return [source for source in declared if not source.is_external]
