"""A subgraph may define federation's directives itself, as long as it defines them as federation does."""

from router.composition.report import Report
from router.composition.specs import FEDERATION_DIRECTIVES
from router.composition.subgraph import DirectiveDefinition


def check_federation_definition(subgraph: str, name: str, definition: DirectiveDefinition, report: Report) -> None:
    """Refuse a definition of one of federation's directives that promises more than federation gives."""
    known = FEDERATION_DIRECTIVES[name]

    def refuse(why: str) -> None:
        report.error(
            "DIRECTIVE_DEFINITION_INVALID",
            f"[{subgraph}] The definition of @{definition.name} is not federation's: {why}.",
            definition.at,
        )

    for argument in definition.arguments.values():
        parameter = known.parameter(argument.name)
        if parameter is None:
            refuse(f"it has no argument {argument.name!r}")
        elif not _same_shape(str(argument.type), parameter.type):
            refuse(f"argument {argument.name!r} is {parameter.type}, not {argument.type}")
    for parameter in known.parameters:
        if parameter.type.endswith("!") and parameter.name not in definition.arguments:
            refuse(f"argument {parameter.name!r} is missing")
    foreign = sorted(set(definition.locations) - set(known.locations))
    if foreign:
        refuse(f"it cannot be applied to {', '.join(foreign)}")
    if definition.repeatable and not known.repeatable:
        refuse("it is not repeatable")


def _same_shape(written: str, expected: str) -> bool:
    """Compare types whatever the scalar of federation is called; a non-null where federation has none is harmless."""

    def shape(text: str) -> str:
        return "".join(character for character in text if character in "[]")

    def scalar(text: str) -> str:
        return text.strip("[]!")

    if shape(written) != shape(expected):
        return False
    plain = {"Int", "String", "Boolean"}
    if scalar(expected) in plain:
        return scalar(written) == scalar(expected)
    return scalar(written).rsplit("__", 1)[-1].lstrip("_") == scalar(expected) or scalar(written) == "String"
