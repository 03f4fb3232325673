"""Hints about types that subgraphs define differently: legal, and often a mistake."""

from router.composition.landscape import Landscape
from router.composition.report import Report
from router.composition.subgraph import ROOT_NAMES, InterfaceType, ObjectType, UnionType


def check(landscape: Landscape, report: Report) -> None:
    """Hint at value types, interfaces, unions and entities that differ."""
    for name, definitions in landscape.types.items():
        if len(definitions) < 2:
            continue
        if all(isinstance(definition, UnionType) for _, definition in definitions):
            _check_union(landscape, name, report)
        elif all(isinstance(definition, InterfaceType) for _, definition in definitions):
            if any(member.annotations.keys.get(name) for member, _ in definitions):
                continue
            _check_fields(landscape, name, "INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD", report)
        elif all(isinstance(definition, ObjectType) for _, definition in definitions):
            with_key = [member.name for member, _ in definitions if member.annotations.keys.get(name)]
            if not with_key and name in ROOT_NAMES.values():
                continue
            if not with_key:
                _check_fields(landscape, name, "INCONSISTENT_OBJECT_VALUE_TYPE_FIELD", report)
            elif len(with_key) < len(definitions):
                without = [member.name for member, _ in definitions if member.name not in with_key]
                report.hint(
                    "INCONSISTENT_ENTITY",
                    f"{name} has a @key in {', '.join(map(repr, with_key))} but none in"
                    f" {', '.join(map(repr, without))}.",
                    *(definition.at for _, definition in definitions),
                )


def _check_fields(landscape: Landscape, name: str, code: str, report: Report) -> None:
    owners = [member.name for member, _ in landscape.types[name]]
    for field, sources in landscape.field_sources(name).items():
        if any(source.is_taken_over or source.is_external for source in sources):
            continue
        present = {source.member.name for source in sources}
        missing = [owner for owner in owners if owner not in present]
        if missing:
            report.hint(
                code,
                f"{name}.{field} is missing in {', '.join(map(repr, missing))}.",
                *(source.field.at for source in sources),
            )


def _check_union(landscape: Landscape, name: str, report: Report) -> None:
    unions = [(member, definition) for member, definition in landscape.types[name] if isinstance(definition, UnionType)]
    for each in dict.fromkeys(each for _, definition in unions for each in definition.members):
        missing = [member.name for member, definition in unions if each not in definition.members]
        if missing:
            report.hint(
                "INCONSISTENT_UNION_MEMBER",
                f"{each} is a member of {name} in some subgraphs only, not in {', '.join(map(repr, missing))}.",
                *(definition.at for _, definition in unions),
            )
