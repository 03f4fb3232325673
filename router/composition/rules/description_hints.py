"""Hints about descriptions and directive arguments that differ between subgraphs: one of them wins."""

from collections.abc import Iterator, Sequence

from router.composition.landscape import Landscape
from router.composition.merge.directives import arguments_key
from router.composition.report import Report
from router.composition.rules.field_types import resolving_sources
from router.composition.subgraph import Element, EnumType, Family, InputType, ObjectType

_ONE_WINS = frozenset({"deprecated", "specifiedBy"})
_INHERITED = frozenset({"requiresScopes", "policy"})
_COMBINED = frozenset({"requiresScopes", "policy", "cost", "listSize"})


def check(landscape: Landscape, report: Report) -> None:
    """Hint at elements that are described, or directed, differently."""
    for owner, elements in _elements(landscape):
        if len(elements) < 2:
            continue
        descriptions = {element.description for element in elements if element.description}
        if len(descriptions) > 1:
            report.hint(
                "INCONSISTENT_DESCRIPTION",
                f"{owner} has {len(descriptions)} descriptions; the supergraph has the most frequent one.",
                *(element.at for element in elements),
            )
        for name in sorted(_ONE_WINS | _COMBINED):
            if _differs(name, elements):
                code = (
                    "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS"
                    if name in _ONE_WINS
                    else "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS"
                )
                outcome = "the most frequent one wins" if name in _ONE_WINS else "they are combined"
                report.hint(
                    code,
                    f"{owner} has @{name} with different arguments; {outcome}.",
                    *(element.at for element in elements),
                )

    for owner, elements in _implementing_elements(landscape):
        for name in sorted(_INHERITED):
            if _differs(name, elements):
                report.hint(
                    "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
                    f"{owner} gets @{name} from its implementations, where the arguments differ; they are combined.",
                    *(element.at for element in elements),
                )


def _differs(name: str, elements: Sequence[Element]) -> bool:
    found = {
        arguments_key(use)
        for element in elements
        for use in element.directives
        if use.name == name and use.family in {Family.FEDERATION, Family.BUILT_IN}
    }
    return len(found) > 1


def _implementing_elements(landscape: Landscape) -> Iterator[tuple[str, Sequence[Element]]]:
    """Yield, for each interface and each of its fields, what implements it."""
    for name, objects in landscape.implementations.items():
        if name not in landscape.types or not landscape.is_interface(name):
            continue
        definitions = [
            definition
            for implementation in sorted(objects)
            for _, definition in landscape.types.get(implementation, ())
            if isinstance(definition, ObjectType)
        ]
        yield name, definitions
        for field in landscape.field_sources(name):
            yield (
                f"{name}.{field}",
                [definition.fields[field] for definition in definitions if field in definition.fields],
            )


def _elements(landscape: Landscape) -> Iterator[tuple[str, Sequence[Element]]]:
    for name, definitions in landscape.types.items():
        yield name, [definition for _, definition in definitions]
        if all(isinstance(definition, InputType | EnumType) for _, definition in definitions):
            parts = [
                definition.fields if isinstance(definition, InputType) else getattr(definition, "values", {})
                for _, definition in definitions
            ]
            for part in dict.fromkeys(part for table in parts for part in table):
                yield f"{name}.{part}", [table[part] for table in parts if part in table]
    for name, _ in landscape.composites():
        for field_name, declared in landscape.field_sources(name).items():
            fields = [source.field for source in resolving_sources(declared)]
            yield f"{name}.{field_name}", fields
            for argument in dict.fromkeys(argument for field in fields for argument in field.arguments):
                yield (
                    f"{name}.{field_name}({argument}:)",
                    [field.arguments[argument] for field in fields if argument in field.arguments],
                )
