"""The three rules about field sets share this walk: find the directive, read its text, ask what is wrong with it."""

from collections.abc import Mapping

from graphql import EnumValueNode

from router.composition.annotations import Annotations, read_fields_text
from router.composition.field_set_problems import Flaw, find_problems
from router.composition.field_sets import FieldSetSyntaxError, parse_field_set
from router.composition.merge.type_choice import value_key
from router.composition.report import Report
from router.composition.subgraph import DirectiveUse, Subgraph


def check_field_set(
    subgraph: Subgraph,
    annotations: Annotations,
    use: DirectiveUse,
    owner: str,
    target: str,
    codes: Mapping[Flaw, str],
    report: Report,
) -> None:
    """Report what is wrong with the field set of *use* on *owner*, which selects fields of the type *target*.

    *codes* names the code of each flaw that matters to the directive.
    """
    value = use.arguments.get("fields")
    if value is None:
        return  # known_directives reports the missing argument
    prefix = use.name.upper()
    written = f"@{use.written}(fields: {value_key(value)})"
    is_list = value.kind == "list_value"
    text = read_fields_text(value)
    if isinstance(value, EnumValueNode) and subgraph.is_federation_1:
        text = value.value
    if text is None or (is_list and not subgraph.is_federation_1):
        report.error(
            f"{prefix}_INVALID_FIELDS_TYPE",
            f"[{subgraph.name}] On {owner}, the fields of {written} must be a string.",
            use.at,
        )
        return
    try:
        selections = parse_field_set(text)
    except FieldSetSyntaxError as error:
        report.error(
            f"{prefix}_INVALID_FIELDS", f"[{subgraph.name}] On {owner}, {written} cannot be read: {error}.", use.at
        )
        return
    problems = [
        problem for problem in find_problems(subgraph, annotations, target, selections) if problem.flaw in codes
    ]
    # A field set that makes no sense need not also be told that its fields should be external.
    basic = [problem for problem in problems if problem.flaw is not Flaw.NOT_EXTERNAL]
    for problem in problems:
        if problem.flaw is (basic or problems)[0].flaw:
            message = f"[{subgraph.name}] On {owner}, {written} is not possible: {problem.message}."
            report.error(codes[problem.flaw], message, use.at)
