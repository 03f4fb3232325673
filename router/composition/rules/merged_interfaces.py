"""After merging, a type still has what its interfaces promise: other subgraphs may have added to these."""

from router.composition.landscape import Landscape
from router.composition.merged import MergedComposite, MergedField, Supergraph
from router.composition.report import Report
from router.composition.type_refs import NonNull, is_subtype


def check(supergraph: Supergraph, landscape: Landscape, report: Report) -> None:
    """Report implementations that the merge has made incomplete, or, if all are complete, unlike their interface."""
    before = report.error_count
    mismatches = Report()
    for merged in supergraph.types.values():
        if not isinstance(merged, MergedComposite):
            continue
        for name in merged.interfaces:
            interface = supergraph.types.get(name)
            if not isinstance(interface, MergedComposite) or not interface.is_interface:
                continue
            for expected in interface.fields.values():
                actual = merged.fields.get(expected.name)
                if actual is None:
                    report.error(
                        "INTERFACE_FIELD_NO_IMPLEM",
                        f"{merged.name} implements {name} in {_where(merged, name, supergraph)} but has no field"
                        f" {expected.name!r}, which {name} has in {_owners(landscape, name, expected.name)}.",
                        *landscape.locate(merged.name),
                        *landscape.locate(name, expected.name),
                    )
                else:
                    _check_field(landscape, merged.name, name, actual, expected, mismatches)
    if report.error_count == before:
        for mismatch in mismatches.errors:
            report.error(mismatch.code, mismatch.message, *mismatch.locations)


def _check_field(
    landscape: Landscape, type_name: str, interface: str, actual: MergedField, expected: MergedField, report: Report
) -> None:
    def refuse(message: str) -> None:
        places = (*landscape.locate(type_name, actual.name), *landscape.locate(interface, expected.name))
        report.error("INVALID_GRAPHQL", f"After merging, {message}.", *places)

    if not is_subtype(actual.type, expected.type, landscape.is_named_subtype):
        refuse(f"{interface}.{expected.name} is {expected.type}, but {type_name}.{actual.name} is {actual.type}")
    for argument in expected.arguments.values():
        own = actual.arguments.get(argument.name)
        if own is None:
            refuse(f"{type_name}.{actual.name} lacks the argument {argument.name!r} of {interface}.{expected.name}")
        elif own.type != argument.type:
            refuse(
                f"{type_name}.{actual.name}({argument.name}:) is {own.type}, but {interface}.{expected.name} takes"
                f" {argument.type}"
            )
    for own in actual.arguments.values():
        if own.name not in expected.arguments and isinstance(own.type, NonNull) and own.default is None:
            refuse(
                f"{type_name}.{actual.name}({own.name}:) is required, but {interface}.{expected.name} has no such"
                " argument"
            )


def _where(merged: MergedComposite, interface: str, supergraph: Supergraph) -> str:
    names = {graph.id: graph.name for graph in supergraph.graphs}
    return ", ".join(repr(names[graph]) for graph, each in merged.implements if each == interface)


def _owners(landscape: Landscape, interface: str, field: str) -> str:
    return ", ".join(repr(source.member.name) for source in landscape.field_sources(interface)[field])
