"""The values of an enum depend on its use: sent, the common ones; received, all; both, they must be the same."""

from router.composition.landscape import Landscape
from router.composition.report import Report
from router.composition.subgraph import EnumType, has_directive


def check(landscape: Landscape, report: Report) -> None:
    """Report enums that cannot be merged."""
    for name, definitions in landscape.types.items():
        enums = [(member, definition) for member, definition in definitions if isinstance(definition, EnumType)]
        if len(enums) < len(definitions):
            continue
        is_input, is_output = name in landscape.used_as_input, name in landscape.used_as_output
        if not is_input and not is_output:
            report.hint(
                "UNUSED_ENUM_TYPE",
                f"Enum {name!r} is used by no field and no argument; the supergraph keeps all of its values.",
                *(definition.at for _, definition in enums),
            )
        common = 0
        for value in dict.fromkeys(value for _, definition in enums for value in definition.values):
            present = [definition.values[value].at for _, definition in enums if value in definition.values]
            missing = [member.name for member, definition in enums if value not in definition.values]
            # A value that is hidden from clients anyway is how a new value is brought in, subgraph by subgraph.
            hidden = any(
                has_directive(definition.values[value], "inaccessible")
                for _, definition in enums
                if value in definition.values
            )
            if not missing or hidden:
                common += 1
                continue
            message = f"Value {name}.{value} is missing in {', '.join(map(repr, missing))}"
            if is_input and is_output:
                report.error(
                    "ENUM_VALUE_MISMATCH", f"{message}, and {name} is used both as input and as output.", *present
                )
            elif is_input:
                report.hint(
                    "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM", f"{message}; the supergraph leaves it out.", *present
                )
            else:
                report.hint(
                    "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM",
                    f"{message}; the supergraph has it all the same.",
                    *present,
                )
        if common == 0 and is_input and not is_output:
            report.error(
                "EMPTY_MERGED_ENUM_TYPE",
                f"Enum {name!r} has no value that all of its subgraphs have, and clients send it.",
                *(definition.at for _, definition in enums),
            )
