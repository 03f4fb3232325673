"""A field that several subgraphs resolve must be `@shareable` in each of them."""

from collections.abc import Iterator

from router.composition.landscape import FieldSource, Landscape
from router.composition.report import Report
from router.composition.subgraph import directives_named


def check(landscape: Landscape, report: Report) -> None:
    """Report fields that are resolved in several subgraphs without all of these sharing them."""
    for type_name, _ in landscape.composites():
        is_interface = landscape.is_interface(type_name)
        for name, declared in landscape.field_sources(type_name).items():
            resolving = [
                source
                for source in declared
                if _resolves(source) and (not is_interface or _is_interface_object(source))
            ]
            if type_name == "Subscription":
                for source in resolving:
                    for use in directives_named(source.field, "shareable"):
                        report.error(
                            "INVALID_FIELD_SHARING",
                            f"Subscription.{name} cannot be @shareable: exactly one subgraph sends its events.",
                            use.at,
                        )
            if not is_interface:
                resolving.extend(_through_interface_objects(landscape, type_name, name))
            greedy = [source for source in resolving if not _shares(source)]
            if len(resolving) > 1 and greedy:
                report.error(
                    "INVALID_FIELD_SHARING",
                    f"{type_name}.{name} is resolved in {_names(resolving)}, but is not @shareable in"
                    f" {_names(greedy)}.",
                    *(source.field.at for source in resolving),
                )


def _resolves(source: FieldSource) -> bool:
    if source.is_taken_over:
        return False
    # A labelled override leaves the field in two places on purpose; the source does not count.
    if source.overridden_by is not None:
        return False
    coordinate = (source.type_name, source.field.name)
    return not source.is_external or coordinate in source.member.annotations.provided


def _shares(source: FieldSource) -> bool:
    return source.is_external or (source.type_name, source.field.name) in source.member.annotations.shareable


def _is_interface_object(source: FieldSource) -> bool:
    return source.type_name in source.member.annotations.interface_objects


def _through_interface_objects(landscape: Landscape, type_name: str, field: str) -> Iterator[FieldSource]:
    """Yield the interface objects that resolve *field* for every implementation, *type_name* among them."""
    for interface in sorted(landscape.supertypes.get(type_name, ())):
        if interface not in landscape.types:
            continue
        for source in landscape.field_sources(interface).get(field, ()):
            if _is_interface_object(source) and _resolves(source):
                yield source


def _names(sources: list[FieldSource]) -> str:
    return " and ".join(dict.fromkeys(repr(source.member.name) for source in sources))
