"""Choose response keys for what the planner adds: never one that the client uses for something else."""

from router.planner.fetch_graph import Shape
from router.planner.graph import LocatedField
from router.planner.operation import FieldSelection, Operation, SelectionSet
from router.planner.plan import KeyElement, ResponsePath

_PREFIX = "_pasar_"


def keys_of(path: ResponsePath) -> tuple[str, ...]:
    """Return the response keys of a path."""
    return tuple(element.response_key for element in path if isinstance(element, KeyElement))


def shape_of(located: LocatedField | None, *, is_leaf: bool) -> str:
    """Return what two fields under one response key must have in common: lists, nullability and, if leaves, type.

    https://spec.graphql.org/draft/#SameResponseShape()
    """
    if located is None:
        return "String!"
    return located.type if is_leaf else located.type.replace(located.type_name, "{}")


class ResponseKeys:
    """Knows for each path of the response what stands under which key: the client's fields, then added ones too."""

    def __init__(self, operation: Operation) -> None:
        self._used: dict[tuple[str, ...], dict[str, set[str]]] = {}
        self._clients: set[str] = set()
        self._count = 0
        self._register(operation.selections, ())

    def _register(self, selections: SelectionSet, path: tuple[str, ...]) -> None:
        used = self._used.setdefault(path, {})
        for one in selections.fields:
            used.setdefault(one.response_key, set()).add(one.signature)
            self._clients.add(one.response_key)
            if one.selections:
                self._register(one.selections, (*path, one.response_key))

    def choose(self, path: tuple[str, ...], wanted: FieldSelection, shape_here: Shape, shape: str) -> str:
        """Return a key for an added field: its own name, a client's key for the very same field, or a new one."""
        if wanted.name == "__typename":
            return "__typename"
        used = self._used.setdefault(path, {})
        signature = wanted.signature
        if used.get(wanted.name, {signature}) == {signature} and shape_here.admits(wanted.name, shape):
            used[wanted.name] = {signature}
            return wanted.name
        same = (key for key, signatures in used.items() if signatures == {signature} and shape_here.admits(key, shape))
        known = min(same, default=None)
        if known is not None:
            return known
        key = self.fresh()
        used[key] = {signature}
        return key

    def fresh(self) -> str:
        """Return a key that stands nowhere in the operation."""
        while True:
            key = f"{_PREFIX}{self._count}"
            self._count += 1
            if key not in self._clients:
                return key
