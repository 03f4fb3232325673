"""The arguments of a shared field fit: same default, types of which one covers the others, required ones everywhere."""

from collections.abc import Mapping, Sequence

from router.composition.landscape import Landscape
from router.composition.merge.type_choice import choose_input_type, same_value
from router.composition.report import Report
from router.composition.rules.field_types import resolving_sources
from router.composition.subgraph import InputValue, directives_named
from router.composition.type_refs import NonNull

Declaration = tuple[str, Mapping[str, InputValue]]
"""A subgraph's name and the arguments it declares."""


def check(landscape: Landscape, report: Report) -> None:
    """Report arguments that cannot be merged."""
    for type_name, _ in landscape.composites():
        for name, declared in landscape.field_sources(type_name).items():
            sources = resolving_sources(declared)
            if len(sources) > 1 and any(source.field.arguments for source in sources):
                check_arguments(
                    landscape,
                    f"{type_name}.{name}",
                    [(source.member.name, source.field.arguments) for source in sources],
                    report,
                )


def check_arguments(landscape: Landscape, owner: str, declarations: Sequence[Declaration], report: Report) -> None:
    """Report the arguments of *owner*, a field or a directive, that cannot be merged."""
    for name in dict.fromkeys(name for _, arguments in declarations for name in arguments):
        present = [(subgraph, arguments[name]) for subgraph, arguments in declarations if name in arguments]
        if any(directives_named(value, "fromContext") for _, value in present):
            _check_context(f"{owner}({name}:)", present, report)
            continue
        missing = [subgraph for subgraph, arguments in declarations if name not in arguments]
        coordinate = f"{owner}({name}:)"
        places = tuple(value.at for _, value in present)
        if missing:
            required = [subgraph for subgraph, value in present if is_required(value)]
            absent = f"missing in {', '.join(map(repr, missing))}"
            if required:
                report.error(
                    "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
                    f"{coordinate} is required in {', '.join(map(repr, required))} but {absent}.",
                    *places,
                )
            else:
                report.hint(
                    "INCONSISTENT_ARGUMENT_PRESENCE",
                    f"{coordinate} is {absent}; the supergraph leaves it out.",
                    *places,
                )
            continue
        _check_present(landscape, coordinate, present, report)


def _check_present(
    landscape: Landscape, coordinate: str, present: Sequence[tuple[str, InputValue]], report: Report
) -> None:
    places = tuple(value.at for _, value in present)
    types = [value.type for _, value in present]
    described = ", ".join(f"{value.type} in {subgraph!r}" for subgraph, value in present)
    chosen = choose_input_type(types, landscape.is_named_subtype)
    if chosen is None:
        report.error("FIELD_ARGUMENT_TYPE_MISMATCH", f"{coordinate} has types that do not fit: {described}.", *places)
    elif len(set(types)) > 1:
        report.hint(
            "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE",
            f"{coordinate} differs: {described}; the supergraph says {chosen}.",
            *places,
        )
    defaults = [value.default for _, value in present]
    given = [default for default in defaults if default is not None]
    if any(not same_value(default, given[0]) for default in given[1:]):
        report.error(
            "FIELD_ARGUMENT_DEFAULT_MISMATCH", f"{coordinate} has different defaults in the subgraphs.", *places
        )
    elif given and len(given) < len(defaults):
        report.hint(
            "INCONSISTENT_DEFAULT_VALUE_PRESENCE",
            f"{coordinate} has a default in some subgraphs only; the supergraph has none.",
            *places,
        )


def _check_context(coordinate: str, present: Sequence[tuple[str, InputValue]], report: Report) -> None:
    plain = [(subgraph, value) for subgraph, value in present if not directives_named(value, "fromContext")]
    for subgraph, value in plain:
        message = f"{coordinate} comes from a context in other subgraphs, but not in {subgraph!r}"
        if is_required(value):
            report.error(
                "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS", f"{message}, which requires it.", value.at
            )
        else:
            report.hint(
                "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS", f"{message}, which never gets it.", value.at
            )


def is_required(value: InputValue) -> bool:
    """Tell whether a client must give *value*."""
    return isinstance(value.type, NonNull) and value.default is None
