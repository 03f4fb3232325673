"""An input object cannot need itself: no value of it could ever be written.

https://spec.graphql.org/draft/#sec-Input-Objects.Circular-References
"""

from router.composition.report import Report
from router.composition.subgraph import InputType, Subgraph
from router.composition.type_refs import Named, NonNull


def check(subgraph: Subgraph, report: Report) -> None:
    """Report cycles of required input fields, each once."""
    finished: set[str] = set()

    def visit(definition: InputType, path: tuple[str, ...]) -> None:
        if definition.name in path:
            cycle = path[path.index(definition.name) :]
            report.error(
                "INVALID_GRAPHQL",
                f"[{subgraph.name}] Input {definition.name!r} needs itself through"
                f" {' -> '.join((*cycle, definition.name))}.",
                definition.at,
            )
            return
        if definition.name in finished:
            return
        for value in definition.fields.values():
            if isinstance(value.type, NonNull) and isinstance(value.type.of, Named) and value.default is None:
                target = subgraph.types.get(value.type.of.name)
                if isinstance(target, InputType):
                    visit(target, (*path, definition.name))
        finished.add(definition.name)

    for definition in subgraph.types.values():
        if isinstance(definition, InputType):
            visit(definition, ())
