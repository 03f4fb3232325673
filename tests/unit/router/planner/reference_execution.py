"""Run a plan over a generated world in the plainest way, to judge plans without the router's own executor."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    execute,
)

from router.planner.plan import (
    BatchFetch,
    BatchPart,
    Condition,
    ContextVariable,
    Defer,
    EntityTarget,
    Fetch,
    Flatten,
    KeyElement,
    KeyRename,
    ListElement,
    Parallel,
    Plan,
    PlanNode,
    RepresentationField,
    RepresentationFragment,
    RepresentationSelection,
    ResponsePath,
    Sequence,
    TypeElement,
)
from router.supergraph.model import TypeKind
from tests.unit.router.planner.generated_world import World

#: Values of variables, and the objects that they are for.
ContextGroup: TypeAlias = tuple[dict[str, Any], list[dict[str, Any]]]

_ABSENT = object()


@dataclass
class Run:
    """One execution; *requests* counts what each subgraph was really asked."""

    world: World
    variables: Mapping[str, Any]
    data: dict[str, Any] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)

    def run(self, node: PlanNode | None) -> None:
        match node:
            case None:
                return
            case Sequence(nodes) | Parallel(nodes):
                # The order within Parallel must not matter; so take the one that a planner's mistake would not expect.
                for one in reversed(nodes) if isinstance(node, Parallel) else nodes:
                    self.run(one)
            case Condition(variable, then, otherwise):
                self.run(then if self.variables[variable] else otherwise)
            case Defer(primary, blocks):
                self.run(primary)
                for block in blocks:
                    self.run(block.node)
            case Fetch():
                self._merge(self.data, self._ask(node, {}))
            case Flatten(path, fetch) if fetch.contexts:
                self._run_in_groups(fetch, group_by_context(self.data, (path,), fetch.contexts))
            case Flatten(path, fetch):
                self._run_flatten(fetch, list(locate(self.data, path)))
            case BatchFetch(parts=parts):
                self._run_batch(node, parts)

    def _run_flatten(self, fetch: Fetch, objects: list[dict[str, Any]]) -> None:
        if not fetch.targets:
            if objects:
                answer = self._ask(fetch, {})
                for one in objects:
                    self._merge(one, answer)
            return
        asked = _ask_about(objects, fetch.targets)
        if not asked:
            return
        unique = _unique(asked)
        answer = self._ask(fetch, {fetch.representations_variable: unique})
        self._merge_entities(asked, unique, answer["_entities"])

    def _run_in_groups(self, fetch: Fetch, groups: list[ContextGroup]) -> None:
        """Ask once for each combination of values; all of them together count as the one request they are."""
        before = self.requests[fetch.subgraph]
        for given, objects in groups:
            asked = _ask_about(objects, fetch.targets)
            if asked:
                unique = _unique(asked)
                answer = self._ask(fetch, {**given, fetch.representations_variable: unique})
                self._merge_entities(asked, unique, answer["_entities"])
        self.requests[fetch.subgraph] = min(self.requests[fetch.subgraph], before + 1)

    def _run_batch(self, batch: BatchFetch, parts: tuple[BatchPart, ...]) -> None:
        groups: dict[str, list[ContextGroup]] = {}
        for part in parts:
            runs = any(all(self.variables[name] is value for name, value in one) for one in part.runs_if)
            groups[part.answer_key] = group_by_context(self.data, part.paths, part.contexts) if runs else []
        before = self.requests[batch.subgraph]
        # Each part's first group goes with the others' first ones, and so on: all that are left are of no objects
        for number in range(max(map(len, groups.values()))):
            chosen = {key: found[number] if number < len(found) else ({}, []) for key, found in groups.items()}
            self._ask_batch(batch, parts, chosen)
        self.requests[batch.subgraph] = min(self.requests[batch.subgraph], before + 1)

    def _ask_batch(self, batch: BatchFetch, parts: tuple[BatchPart, ...], groups: dict[str, ContextGroup]) -> None:
        asked = {part.answer_key: _ask_about(groups[part.answer_key][1], part.targets) for part in parts}
        if not any(asked.values()):
            return
        unique = {part.answer_key: _unique(asked[part.answer_key]) for part in parts}
        variables: dict[str, Any] = {}
        for part in parts:
            nothing = {one.name: None for one in part.contexts}
            variables |= {**nothing, **groups[part.answer_key][0]}
            variables[part.representations_variable] = unique[part.answer_key]
        answer = self._ask(batch, variables)
        for part in parts:
            key = part.answer_key
            for rename in part.renames:
                for root in answer[key]:
                    apply_rename(root, rename)
            self._merge_entities(asked[key], unique[key], answer[key])

    def _merge_entities(
        self,
        asked: list[tuple[dict[str, Any], dict[str, Any]]],
        unique: list[dict[str, Any]],
        entities: list[dict[str, Any] | None],
    ) -> None:
        for one, representation in asked:
            entity = entities[unique.index(representation)]
            if entity is not None:
                self._merge(one, entity)

    def _ask(self, fetch: Fetch | BatchFetch, variables: Mapping[str, Any]) -> dict[str, Any]:
        self.requests[fetch.subgraph] += 1
        given = {name: self.variables[name] for name in fetch.variables if name in self.variables}
        answer = self.world.ask(fetch.subgraph, fetch.document, {**given, **variables})
        if isinstance(fetch, Fetch):
            roots = answer["_entities"] if fetch.targets else [answer]
            for rename in fetch.renames:
                for root in roots:
                    apply_rename(root, rename)
        return answer

    def _merge(self, into: dict[str, Any], answer: Mapping[str, Any]) -> None:
        """Merge an answer into an object, deeply; the later value of a leaf wins, but for a type that is known."""
        for key, value in answer.items():
            if key == "__typename" and self.world.supergraph.types[value].kind is TypeKind.INTERFACE:
                into.setdefault(key, value)
            else:
                into[key] = self._merged(into.get(key, _ABSENT), value)

    def _merged(self, old: Any, new: Any) -> Any:
        if isinstance(old, dict) and isinstance(new, dict):
            self._merge(old, new)
            return old
        if isinstance(old, list) and isinstance(new, list):
            assert len(old) == len(new)
            return [self._merged(one, other) for one, other in zip(old, new, strict=True)]
        if isinstance(new, dict):
            copied: dict[str, Any] = {}
            self._merge(copied, new)
            return copied
        if isinstance(new, list):
            return [self._merged(_ABSENT, one) for one in new]
        return new


def group_by_context(
    root: dict[str, Any], paths: tuple[ResponsePath, ...], contexts: tuple[ContextVariable, ...]
) -> list[ContextGroup]:
    """Return the objects at *paths* by the values that each one's own objects above give to the variables."""
    groups: list[ContextGroup] = []
    for path in paths:
        for chain in _locate_with_chain(root, path, ()):
            # A lacking value is a mistake of the plan here: no request fails in these tests
            given = {one.name: _read_value(chain[-1 - one.levels], one.selections) for one in contexts}
            known = next((objects for values, objects in groups if values == given), None)
            if known is None:
                groups.append((given, known := []))
            known.append(chain[-1])
    return groups


def _locate_with_chain(
    value: Any, path: ResponsePath, chain: tuple[dict[str, Any], ...]
) -> Iterator[tuple[dict[str, Any], ...]]:
    """Yield the objects at a path, each with the objects on the way to it, one for each response key."""
    if value is None:
        return
    if isinstance(value, list):
        for one in value:
            yield from _locate_with_chain(one, path[1:] if path and path[0] == ListElement() else path, chain)
        return
    match path:
        case ():
            yield (*chain, value)
        case (KeyElement(key), *rest):
            yield from _locate_with_chain(value.get(key), tuple(rest), (*chain, value))
        case (ListElement(), *rest):
            # Lists in lists are stepped into by one element
            yield from _locate_with_chain(value, tuple(rest), chain)
        case (TypeElement(type_names), *rest):
            if value["__typename"] in type_names:
                yield from _locate_with_chain(value, tuple(rest), chain)


def _read_value(value: Any, selections: tuple[RepresentationSelection, ...]) -> Any:
    if isinstance(value, list):
        return [_read_value(one, selections) for one in value]
    if value is None:
        return None
    for one in selections:
        match one:
            case RepresentationField(_, key, ()):
                return value[key]
            case RepresentationField(_, key, inner):
                return _read_value(value[key], inner)
            case RepresentationFragment(type_names, inner) if value["__typename"] in type_names:
                return _read_value(value, inner)
    return None


def _ask_about(
    objects: Iterable[dict[str, Any]], targets: tuple[EntityTarget, ...]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the objects that are asked about, each with its representation."""
    asked: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for one in objects:
        target = _target_of(one, targets)
        if target is not None:
            # An object without its key is not asked; if that was wrong, the answer will tell.
            with suppress(KeyError):
                asked.append((one, {"__typename": target.sent_typename, **copy(one, target.selections)}))
    return asked


def _unique(asked: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> list[dict[str, Any]]:
    unique: list[dict[str, Any]] = []
    for _, representation in asked:
        if representation not in unique:
            unique.append(representation)
    return unique


def apply_rename(root: Any, rename: KeyRename) -> None:
    """Move a value to the client's key wherever the path leads to an object that has it."""
    if root is None:
        return
    for one in locate(root, rename.path):
        if rename.fetched_key in one:
            one[rename.response_key] = one.pop(rename.fetched_key)


def locate(value: Any, path: ResponsePath) -> Iterator[dict[str, Any]]:
    """Yield the objects at a path."""
    if value is None:
        return
    if not path:
        if isinstance(value, list):
            for one in value:
                yield from locate(one, path)
        else:
            yield value
        return
    match path[0]:
        case KeyElement(key):
            yield from locate(value.get(key), path[1:])
        case ListElement():
            for one in value:
                yield from locate(one, path[1:] if not isinstance(one, list) else path)
        case TypeElement(type_names):
            if value["__typename"] in type_names:
                yield from locate(value, path[1:])


def copy(value: Mapping[str, Any], selections: Iterable[RepresentationSelection]) -> dict[str, Any]:
    """Copy a representation's fields."""
    copied: dict[str, Any] = {}
    for one in selections:
        match one:
            case RepresentationField(name, key, inner):
                copied[name] = _copy_value(value[key], inner)
            case RepresentationFragment(type_names, inner):
                if value["__typename"] in type_names:
                    copied.update(copy(value, inner))
    return copied


def _copy_value(value: Any, inner: tuple[RepresentationSelection, ...]) -> Any:
    if isinstance(value, list):
        return [_copy_value(one, inner) for one in value]
    return copy(value, inner) if inner and value is not None else value


def _target_of(value: Mapping[str, Any], targets: tuple[EntityTarget, ...]) -> EntityTarget | None:
    return next((one for one in targets if value["__typename"] in one.type_names), None)


def run_plan(world: World, plan: Plan, variables: Mapping[str, Any]) -> Run:
    """Run a plan and return what came together."""
    run = Run(world, variables)
    run.run(plan.root)
    return run


def project(
    schema: GraphQLSchema, document: DocumentNode, data: Mapping[str, Any], variables: Mapping[str, Any]
) -> ExecutionResult:
    """Return the client's operation answered from what came together; a field that nobody fetched is an error."""

    def resolve(source: Mapping[str, Any], info: GraphQLResolveInfo[Any], **_arguments: Any) -> Any:
        return source[str(info.path.key)]

    def type_of(value: Mapping[str, Any], info: GraphQLResolveInfo[Any], abstract: Any) -> str:
        name = value["__typename"]
        possible = [one.name for one in info.schema.get_possible_types(abstract)]
        # An interface object's own name says no more than that any type will do.
        return name if name in possible else possible[0]

    operation = next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    assert operation is not None
    result = execute(
        schema, document, data, variable_values=dict(variables), field_resolver=resolve, type_resolver=type_of
    )
    assert isinstance(result, ExecutionResult)
    return result
