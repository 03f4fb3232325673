"""Write a query that leads to the field nobody can answer."""

from dataclasses import dataclass

from router.composition.merged import MergedEnum, MergedField, MergedInputType, Supergraph
from router.composition.type_refs import ListOf, Named, NonNull, TypeRef

_SAMPLES = {"Int": "1", "Float": "1.5", "Boolean": "true", "String": '"text"', "ID": '"id"'}


@dataclass(frozen=True, slots=True)
class Step:
    """One level of the query: an operation, a field or `... on Type`."""

    text: str
    field: MergedField | None = None


def format_witness(path: tuple[Step, ...], supergraph: Supergraph) -> str:
    """Write *path* as an indented query; a last field of a composite type gets `{ __typename }`."""
    texts = [step.text + _arguments(step.field, supergraph) for step in path]
    last = path[-1].field
    if last is not None and not _is_leaf(last.type, supergraph):
        texts.append("__typename")
    opening = [f"{'  ' * depth}{text} {{" for depth, text in enumerate(texts[:-1])]
    closing = [f"{'  ' * depth}}}" for depth in reversed(range(len(texts) - 1))]
    return "\n".join((*opening, f"{'  ' * (len(texts) - 1)}{texts[-1]}", *closing))


def _is_leaf(ref: TypeRef, supergraph: Supergraph) -> bool:
    while not isinstance(ref, Named):
        ref = ref.of
    merged = supergraph.types.get(ref.name)
    return merged is None or type(merged).__name__ in {"MergedScalar", "MergedEnum"}


def _arguments(field: MergedField | None, supergraph: Supergraph) -> str:
    if field is None:
        return ""
    required = [
        f"{argument.name}: {_sample(argument.type, supergraph, ())}"
        for argument in field.arguments.values()
        if isinstance(argument.type, NonNull) and argument.default is None
    ]
    return f"({', '.join(required)})" if required else ""


def _sample(ref: TypeRef, supergraph: Supergraph, above: tuple[str, ...]) -> str:
    """Return some value of the type; *above* are the input objects it is in."""
    match ref:
        case NonNull():
            return _sample(ref.of, supergraph, above)
        case ListOf():
            return "[]"
        case Named():
            merged = supergraph.types.get(ref.name)
            match merged:
                case MergedEnum():
                    return next(iter(merged.values))
                case MergedInputType() if ref.name not in above:
                    given = [
                        f"{field.name}: {_sample(field.type, supergraph, (*above, ref.name))}"
                        for field in merged.fields.values()
                        if isinstance(field.type, NonNull) and field.default is None
                    ]
                    return f"{{{', '.join(given)}}}"
                case _:
                    return _SAMPLES.get(ref.name, '"value"')
