"""Run a plan over a generated world in the plainest way, to judge plans without the router's own executor."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

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

    def _run_batch(self, batch: BatchFetch, parts: tuple[BatchPart, ...]) -> None:
        asked: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
        for part in parts:
            runs = any(all(self.variables[name] is value for name, value in one) for one in part.runs_if)
            objects = [one for path in part.paths for one in locate(self.data, path)] if runs else []
            asked[part.answer_key] = _ask_about(objects, part.targets)
        if not any(asked.values()):
            return
        unique = {part.answer_key: _unique(asked[part.answer_key]) for part in parts}
        answer = self._ask(batch, {part.representations_variable: unique[part.answer_key] for part in parts})
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
