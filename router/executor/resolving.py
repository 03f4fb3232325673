"""The merged data as graphql-core reads it, for answers that come in several parts.

The answer to an operation with `@defer` is divided, numbered and sent by graphql-core's incremental executor, which
asks here for every field's value. A field that is still being fetched is waited for; a null that a subgraph explained
comes as its error; a value that cannot stand where it is comes as an error that does not repeat it.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
)

from router.executor.leaves import UnfitValue, coerce_leaf
from router.executor.reports import SUBREQUEST_MALFORMED_RESPONSE, FieldPath
from router.executor.shape import FieldShape, ShapeReader

#: What graphql-core tells of a field; there is no context.
ResolveInfo: TypeAlias = GraphQLResolveInfo[None]
#: Names the subgraphs that answer for a place in the response, given its response keys.
SubgraphsAt: TypeAlias = Callable[[tuple[str, ...]], tuple[str, ...]]


class AlreadyReported(GraphQLError):
    """A null that an error sent before explains, where no null may be: it goes up without another error."""


class Causes:
    """The errors that fetches reported, each to be sent once: where it leaves a null, or beside a value.

    Mutable on purpose. *stray* are those that have no null to stand for; whoever sends the next part takes them.
    """

    def __init__(self) -> None:
        self.stray: list[dict[str, Any]] = []
        self._waiting: list[tuple[FieldPath, dict[str, Any]]] = []
        self._exact: set[FieldPath] = set()
        self._covered: set[FieldPath] = set()

    def __bool__(self) -> bool:
        return bool(self._exact)

    def add(self, errors: Iterable[dict[str, Any]]) -> None:
        """Take errors as they are formatted for the client; one without a path is for the next part."""
        for error in errors:
            path: FieldPath = tuple(error.get("path") or ())
            if not path:
                self.stray.append(error)
                continue
            self._waiting.append((path, error))
            self._exact.add(path)
            self._covered.update(path[:length] for length in range(1, len(path) + 1))

    def explains(self, path: FieldPath) -> bool:
        """Tell whether an error says why there is a null at *path*: it stands there, below it or above it."""
        return path in self._covered or any(path[:length] in self._exact for length in range(1, len(path)))

    def concerns(self, path: FieldPath) -> bool:
        """Tell whether an error stands at *path* or below it."""
        return path in self._covered

    def take(self, path: FieldPath) -> dict[str, Any] | None:
        """Return an error that explains a null at *path* and was not sent yet; further ones become stray."""
        found = [one for one in self._waiting if one[0][: len(path)] == path]
        found = found or [one for one in self._waiting if path[: len(one[0])] == one[0]]
        self._waiting = [one for one in self._waiting if one not in found]
        self.stray += [error for _, error in found[1:]]
        return found[0][1] if found else None

    def take_beside(self, path: FieldPath) -> None:
        """Make errors stray that stand at *path*, where there is a value nevertheless."""
        self.stray += [error for place, error in self._waiting if place == path]
        self._waiting = [one for one in self._waiting if one[0] != path]


class FieldValues:
    """Resolves fields and types out of the merged data.

    Args:
        schema: what clients see.
        causes: the errors of the fetches that are through.
        gates: what a field has to wait for, by its response keys: for objects of which types, and for what to happen.
        subgraphs_at: who answers for a place.
        reader: reads what the client wants of objects, deferred or not.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        causes: Causes,
        gates: Mapping[tuple[str, ...], tuple[tuple[frozenset[str], asyncio.Event], ...]],
        subgraphs_at: SubgraphsAt,
        reader: ShapeReader,
    ) -> None:
        self._schema = schema
        self._causes = causes
        self._gates = gates
        self._gated_keys = frozenset(keys[-1] for keys in gates)
        self._subgraphs_at = subgraphs_at
        self._reader = reader

    def resolve_field(self, source: dict[str, Any], info: ResolveInfo, **_arguments: Any) -> Any:
        """Return a field's value, or an awaitable of it while it is being fetched."""
        if info.path.key in self._gated_keys:
            keys = tuple(key for key in info.path.as_list() if isinstance(key, str))
            closed = [
                gate
                for type_names, gate in self._gates.get(keys, ())
                if info.parent_type.name in type_names and not gate.is_set()
            ]
            if closed:
                return self._resolve_later(source, info, closed)
        return self._value(source, info)

    async def _resolve_later(self, source: dict[str, Any], info: ResolveInfo, gates: list[asyncio.Event]) -> Any:
        for gate in gates:
            await gate.wait()
        return self._value(source, info)

    def resolve_type(self, value: dict[str, Any], info: ResolveInfo, type_: GraphQLAbstractType) -> str:
        """Return the name of an object's type.

        An object that only carries an interface's name is one of which nothing was asked that depends on its type, so
        any of its possible types reads it alike; or the request that would have told it failed.
        """
        name = value.get("__typename", type_.name)
        named = self._schema.get_type(name) if isinstance(name, str) else None
        if isinstance(named, GraphQLObjectType) and self._schema.is_sub_type(type_, named):
            return named.name
        if named is type_ or (is_abstract_type(named) and self._schema.is_sub_type(type_, named)):
            # The client may have asked under another key only, and then it is known under that one only
            told = (value.get(key) for node in info.field_nodes for key in _type_name_keys(node, info.fragments))
            possible = {each.name for each in self._schema.get_possible_types(named)}
            known = next((name for name in told if name in possible), None)
            if known is not None or self._reads_alike(named.name, info):
                return known or min(possible)
        raise self._unfit(
            tuple(info.path.as_list()),
            f"Field {info.parent_type.name}.{info.field_name} returned an object that is no {type_.name}.",
        )

    def _reads_alike(self, type_name: str, info: ResolveInfo) -> bool:
        """Tell whether the client wants the same of all objects of an interface."""
        selection_sets = tuple(node.selection_set for node in info.field_nodes if node.selection_set)
        field = FieldShape(
            str(info.path.key), info.field_name, info.return_type, tuple(info.field_nodes), selection_sets
        )
        return self._reader.shape_of_typename(field, type_name) is not None

    def _value(self, source: dict[str, Any], info: ResolveInfo) -> Any:
        value = source.get(str(info.path.key))
        if not self._causes:
            type_: Any = get_nullable_type(info.return_type)
            if value is None or (value.__class__ is dict and is_composite_type(type_)):
                return value
            if is_leaf_type(type_):
                with suppress(UnfitValue):
                    return coerce_leaf(type_, value)
        return self._fit(value, info.return_type, tuple(info.path.as_list()), info)

    def _fit(self, value: Any, type_: Any, path: FieldPath, info: ResolveInfo) -> Any:
        """Return *value* with errors in the place of nulls that have a cause, and of what does not fit."""
        is_nullable = not isinstance(type_, GraphQLNonNull)
        inner = type_ if is_nullable else type_.of_type
        if value is None:
            return self._null(path, is_nullable=is_nullable)
        if self._causes.concerns(path):
            self._causes.take_beside(path)
        if isinstance(inner, GraphQLList):
            if not isinstance(value, list):
                return self._unfit(path, f"Expected a list for field {info.parent_type.name}.{info.field_name}.")
            is_tidy = not self._causes and is_composite_type(get_nullable_type(inner.of_type))
            if is_tidy and all(item.__class__ is dict for item in value):
                return value
            return [self._fit(item, inner.of_type, (*path, index), info) for index, item in enumerate(value)]
        if is_leaf_type(inner):
            try:
                return coerce_leaf(inner, value)
            except UnfitValue as reason:
                return self._unfit(path, str(reason))
        if not isinstance(value, dict):
            return self._unfit(path, f"Expected an object for field {info.parent_type.name}.{info.field_name}.")
        return value

    def _null(self, path: FieldPath, *, is_nullable: bool) -> GraphQLError | None:
        if not self._causes.explains(path):
            return None
        cause = self._causes.take(path)
        if cause is not None:
            return GraphQLError(cause["message"], path=cause["path"], extensions=cause["extensions"])
        return None if is_nullable else AlreadyReported("null", path=list(path))

    def _unfit(self, path: FieldPath, message: str) -> GraphQLError:
        return GraphQLError(message, path=list(path), extensions=self.blame(path))

    def blame(self, path: Iterable[str | int]) -> dict[str, Any]:
        """Return the extensions of an error about a value that is out of place at *path*."""
        subgraphs = self._subgraphs_at(tuple(key for key in path if isinstance(key, str)))
        extensions = {"code": SUBREQUEST_MALFORMED_RESPONSE}
        return {**extensions, "serviceName": ", ".join(subgraphs)} if subgraphs else extensions


def _type_name_keys(field: FieldNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[str]:
    """Yield the response keys under which the objects of *field* are asked for their type."""
    waiting = [field.selection_set]
    spread: set[str] = set()
    while waiting:
        selection_set = waiting.pop()
        for selection in selection_set.selections if selection_set else ():
            match selection:
                case FieldNode(name=name) if name.value == "__typename":
                    yield selection.alias.value if selection.alias else "__typename"
                case InlineFragmentNode():
                    waiting.append(selection.selection_set)
                case FragmentSpreadNode(name=name) if name.value not in spread:
                    spread.add(name.value)
                    waiting.append(fragments[name.value].selection_set)
