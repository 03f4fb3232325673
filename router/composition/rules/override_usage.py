"""`@override` in itself: on fields of objects, from another subgraph, with a label that is one."""

import re

from graphql import StringValueNode

from router.composition.landscape import Landscape
from router.composition.report import Report
from router.composition.subgraph import InterfaceType, ObjectType, Subgraph, directives_named

_NAME_LABEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_\-:./]*")
_PERCENT_LABEL = re.compile(r"percent\((\d{1,2}(\.\d{1,8})?|100)\)")


def check(landscape: Landscape, report: Report) -> None:
    """Report overrides that are wrong whatever the other subgraphs say."""
    for member in landscape.members:
        _check_subgraph(member.subgraph, report)


def _check_subgraph(subgraph: Subgraph, report: Report) -> None:
    for definition in subgraph.types.values():
        if not isinstance(definition, ObjectType | InterfaceType):
            continue
        for field in definition.fields.values():
            coordinate = f"{definition.name}.{field.name}"
            for use in directives_named(field, "override"):
                source = use.arguments.get("from")
                label = use.arguments.get("label")
                if isinstance(definition, InterfaceType):
                    report.error(
                        "OVERRIDE_ON_INTERFACE",
                        f"[{subgraph.name}] {coordinate} is a field of an interface and cannot be @override.",
                        use.at,
                    )
                elif isinstance(source, StringValueNode) and source.value == subgraph.name:
                    report.error(
                        "OVERRIDE_FROM_SELF_ERROR",
                        f"[{subgraph.name}] {coordinate} overrides itself: {source.value!r} is this very subgraph.",
                        use.at,
                    )
                if isinstance(label, StringValueNode) and not is_label(label.value):
                    report.error(
                        "OVERRIDE_LABEL_INVALID",
                        f"[{subgraph.name}] {coordinate} has the override label {label.value!r}, which is neither a"
                        " name nor percent(0) to percent(100).",
                        use.at,
                    )


def is_label(text: str) -> bool:
    """Tell whether *text* can label an override."""
    return bool(_NAME_LABEL.fullmatch(text) or _PERCENT_LABEL.fullmatch(text))
