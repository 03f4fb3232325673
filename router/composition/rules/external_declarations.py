"""An external field is somebody else's: it must exist there, and be declared as it is there."""

from router.composition.landscape import FieldSource, Landscape
from router.composition.merge.type_choice import choose_output_type, same_value
from router.composition.report import Report
from router.composition.type_refs import is_subtype


def check(landscape: Landscape, report: Report) -> None:
    """Report external fields that nobody resolves, or that differ from what their owners declare."""
    for type_name, _ in landscape.composites():
        for name, sources in landscape.field_sources(type_name).items():
            externals = [source for source in sources if source.is_external]
            owners = [source for source in sources if not source.is_external]
            if not externals:
                continue
            if not owners:
                if _is_left_to_interface_object(landscape, type_name, name):
                    continue
                report.error(
                    "EXTERNAL_MISSING_ON_BASE",
                    f"{type_name}.{name} is @external in every subgraph that has it"
                    f" ({', '.join(repr(source.member.name) for source in externals)}): none resolves it.",
                    *(source.field.at for source in externals),
                )
                continue
            _check_against(landscape, f"{type_name}.{name}", externals, owners, report)


def _is_left_to_interface_object(landscape: Landscape, type_name: str, field: str) -> bool:
    """Tell whether an interface object of one of the type's interfaces resolves the field."""
    for interface in landscape.supertypes.get(type_name, ()):
        for member, definition in landscape.types.get(interface, ()):
            fields = getattr(definition, "fields", {})
            if (
                interface in member.annotations.interface_objects
                and field in fields
                and (interface, field) not in member.annotations.external
            ):
                return True
    return False


def _check_against(
    landscape: Landscape,
    coordinate: str,
    externals: list[FieldSource],
    owners: list[FieldSource],
    report: Report,
) -> None:
    types = {source.field.type for source in owners}
    expected = choose_output_type(sorted(types, key=str), landscape.is_named_subtype) or owners[0].field.type
    owned = owners[0]
    for external in externals:
        where = (external.field.at, owned.field.at)
        here = f"{external.member.name!r}"
        # Where even the owners differ, an external may be stricter than what they have in common.
        fits = external.field.type == expected
        if not fits and len(types) > 1:
            fits = is_subtype(external.field.type, expected, landscape.is_named_subtype)
        if not fits:
            report.error(
                "EXTERNAL_TYPE_MISMATCH",
                f"{coordinate} is {expected} in {owned.member.name!r}, but @external in {here} as"
                f" {external.field.type}.",
                *where,
            )
        for argument in owned.field.arguments.values():
            if any(argument.name not in owner.field.arguments for owner in owners):
                continue
            declared = external.field.arguments.get(argument.name)
            if declared is None:
                report.error(
                    "EXTERNAL_ARGUMENT_MISSING",
                    f"{coordinate} has the argument {argument.name!r} in {owned.member.name!r}, but is @external in"
                    f" {here} without it.",
                    *where,
                )
                continue
            if not is_subtype(argument.type, declared.type, landscape.is_named_subtype):
                report.error(
                    "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
                    f"{coordinate}({argument.name}:) is {argument.type} in {owned.member.name!r}, but {declared.type}"
                    f" where it is @external, in {here}.",
                    *where,
                )
            if not same_value(argument.default, declared.default):
                report.error(
                    "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
                    f"{coordinate}({argument.name}:) has another default in {owned.member.name!r} than where it is"
                    f" @external, in {here}.",
                    *where,
                )
