"""Input objects keep the fields every subgraph has: none that one requires may be lost, and one must remain."""

from router.composition.landscape import Landscape
from router.composition.merge.type_choice import choose_input_type, same_value
from router.composition.report import Report
from router.composition.rules.field_arguments import is_required
from router.composition.subgraph import InputType, has_directive


def check(landscape: Landscape, report: Report) -> None:
    """Report input objects that cannot be merged."""
    for name, definitions in landscape.types.items():
        inputs = [(member, definition) for member, definition in definitions if isinstance(definition, InputType)]
        if len(inputs) < len(definitions) or len(inputs) < 2:
            continue
        common = 0
        for field in dict.fromkeys(field for _, definition in inputs for field in definition.fields):
            present = [
                (member, definition.fields[field]) for member, definition in inputs if field in definition.fields
            ]
            missing = [member.name for member, definition in inputs if field not in definition.fields]
            places = tuple(value.at for _, value in present)
            coordinate = f"{name}.{field}"
            given = [value.default for _, value in present if value.default is not None]
            if given and len(given) < len(present):
                report.hint(
                    "INCONSISTENT_DEFAULT_VALUE_PRESENCE",
                    f"{coordinate} has a default in some subgraphs only; the supergraph has none.",
                    *places,
                )
            if missing:
                absent = f"missing in {', '.join(map(repr, missing))}"
                required = [member.name for member, value in present if is_required(value)]
                if required:
                    report.error(
                        "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
                        f"{coordinate} is required in {', '.join(map(repr, required))} but {absent}.",
                        *places,
                    )
                elif any(has_directive(value, "inaccessible") for _, value in present):
                    common += 1
                else:
                    report.hint(
                        "INCONSISTENT_INPUT_OBJECT_FIELD",
                        f"{coordinate} is {absent}; the supergraph leaves it out.",
                        *places,
                    )
                continue
            common += 1
            types = [value.type for _, value in present]
            chosen = choose_input_type(types, landscape.is_named_subtype)
            described = ", ".join(f"{value.type} in {member.name!r}" for member, value in present)
            if chosen is None:
                report.error("FIELD_TYPE_MISMATCH", f"{coordinate} has types that do not fit: {described}.", *places)
            elif len(set(types)) > 1:
                report.hint(
                    "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE",
                    f"{coordinate} differs: {described}; the supergraph says {chosen}.",
                    *places,
                )
            if any(not same_value(default, given[0]) for default in given[1:]):
                report.error(
                    "INPUT_FIELD_DEFAULT_MISMATCH", f"{coordinate} has different defaults in the subgraphs.", *places
                )
        if common == 0 and any(definition.fields for _, definition in inputs):
            report.error(
                "EMPTY_MERGED_INPUT_TYPE",
                f"Input {name!r} has no field that all of its subgraphs have.",
                *(definition.at for _, definition in inputs),
            )
