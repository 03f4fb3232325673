"""A subgraph that obeys its SDL to the letter, over the test's world.

It refuses what a real one could not answer: unknown fields (by validation), external fields that no path provides,
entities without a resolvable key, required fields that the representation does not bring. What it refuses is noted
as a violation, so that a test fails even where the router would turn the refusal into a null.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    execute_sync,
    parse,
    parse_value,
    validate,
    value_from_ast_untyped,
)

from router.supergraph import Supergraph
from router.supergraph.model import FieldInSubgraph, FieldSet, FieldSetField, FieldSetFragment, Type
from router.transports.base import RequestContext, SubgraphRequest, TransportError
from router.transports.in_process import InProcessTransport
from tests.testkit.federation.world import World, WorldObject

_MISSING = object()


@dataclass(frozen=True, slots=True, eq=False)
class Handle:
    """An object as one subgraph holds it: what a representation brought, and what the path to it provides."""

    source: WorldObject
    type_here: str
    representation: Mapping[str, Any] | None = None
    provided: FieldSet = ()


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as it arrived."""

    document: str
    variables: Mapping[str, Any]


@dataclass(slots=True)
class FakeSubgraph:
    """One subgraph of *supergraph* over *world*. Mutable on purpose: it counts.

    Set *failure* to have every request fail with that error.
    """

    name: str
    supergraph: Supergraph
    world: World
    schema: GraphQLSchema = field(init=False)
    requests: list[ReceivedRequest] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    failure: TransportError | None = None
    _documents: dict[str, tuple[DocumentNode, list[GraphQLError]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.schema = _schema_of(self.supergraph, self.name)

    def transport(self) -> InProcessTransport:
        """Return the way to this subgraph."""
        return InProcessTransport(self.execute, self.subscribe)

    async def execute(self, request: SubgraphRequest, _context: RequestContext) -> Mapping[str, Any]:
        """Answer *request*."""
        return self._answer(request, None)

    async def subscribe(self, request: SubgraphRequest, _context: RequestContext) -> AsyncIterator[Mapping[str, Any]]:
        """Answer the subscription *request* once per event of the world."""
        type_name = self.supergraph.subscription_type
        assert type_name is not None
        for event in self.world.events(type_name, root_field(parse(request.document))):
            yield self._answer(request, Handle(event, type_name))

    def _answer(self, request: SubgraphRequest, root: Handle | None) -> Mapping[str, Any]:
        self.requests.append(ReceivedRequest(request.document, request.variables))
        if self.failure is not None:
            raise self.failure
        document, problems = self._read(request.document)
        if problems:
            self._violate(f"invalid document: {'; '.join(each.message for each in problems)}: {request.document}")
            return {"errors": [each.formatted for each in problems]}
        result = execute_sync(
            self.schema,
            document,
            root_value=root,
            variable_values=dict(request.variables),
            operation_name=request.operation_name,
            field_resolver=self._resolve,
            type_resolver=self._resolve_type,
        )
        assert isinstance(result, ExecutionResult)
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            for error in result.errors:
                if error.path is None:
                    self._violate(f"{error.message}: {request.document} {request.variables}")
            answer["errors"] = [error.formatted for error in result.errors]
        return answer

    def _read(self, text: str) -> tuple[DocumentNode, list[GraphQLError]]:
        known = self._documents.get(text)
        if known is None:
            document = parse(text)
            known = self._documents[text] = document, validate(self.schema, document)
        return known

    def _violate(self, message: str) -> None:
        self.violations.append(f"{self.name}: {message}")

    def _refuse(self, message: str) -> GraphQLError:
        self._violate(message)
        return GraphQLError(message)

    def _resolve(self, source: Any, info: GraphQLResolveInfo[Any], /, **arguments: Any) -> Any:
        if info.field_name == "_entities":
            return [self._entity(each) for each in arguments["representations"]]
        if not isinstance(source, Handle):
            type_name = info.parent_type.name
            if info.operation.operation.value == "mutation":
                self.world.mutated.append(str(info.path.key))
            source = Handle(self.world.root(type_name), type_name)
        here = self._field_here(source, info.field_name)
        if (here.is_external or here.is_used_overridden) and not self._may_answer_external(source, info.field_name):
            raise self._refuse(f"{source.type_here}.{info.field_name} is external and not provided: {info.path}")
        if here.requires:
            self._check_requirement(source, info.field_name, here)
        for argument in here.context_arguments:
            if argument.name not in arguments:
                raise self._refuse(f"{source.type_here}.{info.field_name} was asked for without {argument.name}")
        value = self.world.value_of(source.source, info.field_name, arguments, str(info.return_type))
        provided = here.provides or tuple(
            inner
            for each in _fields_for(source.provided, source.source.type_name)
            if each.name == info.field_name
            for inner in each.selections
        )
        return self._hold(value, provided)

    def _hold(self, value: Any, provided: FieldSet) -> Any:
        if isinstance(value, list):
            return [self._hold(item, provided) for item in value]
        if isinstance(value, WorldObject):
            return Handle(value, self._type_here(value), provided=provided)
        return value

    def _type_here(self, source: WorldObject) -> str:
        """Return the name under which this subgraph knows the type of *source*."""
        type_ = self.supergraph.types[source.type_name]
        if self.name in type_.subgraphs:
            return source.type_name
        for interface in type_.interfaces:
            here = self.supergraph.types[interface].subgraphs.get(self.name)
            if here is not None and here.is_interface_object:
                return interface
        return source.type_name

    def _resolve_type(self, value: Any, _info: GraphQLResolveInfo[Any], _type: Any) -> str:
        assert isinstance(value, Handle)
        return value.type_here

    def _field_here(self, source: Handle, name: str) -> FieldInSubgraph:
        return self.supergraph.types[source.type_here].fields[name].subgraphs[self.name]

    def _may_answer_external(self, source: Handle, name: str) -> bool:
        if any(each.name == name for each in _fields_for(source.provided, source.source.type_name)):
            return True
        keys = self.supergraph.types[source.type_here].subgraphs[self.name].keys
        return any(each.name == name for key in keys for each in _fields_for(key.selections, source.type_here))

    def _check_requirement(self, source: Handle, name: str, here: FieldInSubgraph) -> None:
        if source.representation is None:
            raise self._refuse(f"{source.type_here}.{name} needs a representation with what it requires")
        expected = self._select(source.source, here.requires)
        for key, value in expected.items():
            given = _pick(source.representation.get(key, _MISSING), value)
            if given != value:
                raise self._refuse(
                    f"{source.type_here}.{name} requires {key} = {value!r}, but {source.representation!r} was sent"
                )

    def _entity(self, representation: Mapping[str, Any]) -> Handle | None:
        type_name = representation.get("__typename")
        type_ = self.supergraph.types.get(str(type_name))
        here = type_.subgraphs.get(self.name) if type_ else None
        if type_ is None or here is None or not here.keys:
            raise self._refuse(f"no entity {type_name} here")
        for key in here.keys:
            if not (key.resolvable or self._has_requirements(type_)) or not _has_all(representation, key.selections):
                continue
            for candidate in self.world.of_types(self._concrete_types(type_)):
                expected = self._select(candidate, key.selections)
                if all(_pick(representation.get(name), value) == value for name, value in expected.items()):
                    return Handle(candidate, self._type_here(candidate), representation)
            return None
        raise self._refuse(f"no resolvable key of {type_name} in {representation}")

    def _has_requirements(self, type_: Type) -> bool:
        """Tell whether fields of *type_* here need a representation: then the subgraph answers any key of its own."""
        return any(here.requires for each in type_.fields.values() if (here := each.subgraphs.get(self.name)))

    def _concrete_types(self, type_: Type) -> frozenset[str]:
        implementing = {each.name for each in self.supergraph.types.values() if type_.name in each.interfaces}
        return frozenset({type_.name} | implementing)

    def _select(self, source: WorldObject, selections: FieldSet) -> dict[str, Any]:
        """Return the values that a field set has for *source*."""
        selected: dict[str, Any] = {}
        for each in _fields_for(selections, source.type_name, self.supergraph):
            if each.name == "__typename":
                continue
            arguments = {name: value_from_ast_untyped(parse_value(text)) for name, text in each.arguments}
            if arguments:
                type_text = self.supergraph.types[source.type_name].fields[each.name].type
                value = self.world.value_of(source, each.name, arguments, type_text)
            else:
                value = self.world.plain_value(source, each.name)
            selected[each.name] = self._select_in(value, each.selections)
        return selected

    def _select_in(self, value: Any, selections: FieldSet) -> Any:
        if isinstance(value, list):
            return [self._select_in(item, selections) for item in value]
        if isinstance(value, WorldObject):
            return self._select(value, selections)
        return value


def root_field(document: DocumentNode) -> str:
    """Return the name of the one field at the root of a subscription."""
    [operation] = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    [selection] = operation.selection_set.selections
    assert isinstance(selection, FieldNode)
    return selection.name.value


@cache
def _schema_of(supergraph: Supergraph, name: str) -> GraphQLSchema:
    return supergraph.subgraph_schema(name)


def _fields_for(selections: FieldSet, type_name: str, supergraph: Supergraph | None = None) -> Iterator[FieldSetField]:
    for selection in selections:
        match selection:
            case FieldSetField():
                yield selection
            case FieldSetFragment(type_name=condition, selections=inner):
                interfaces = supergraph.types[type_name].interfaces if supergraph else ()
                members = supergraph.types[condition].members if supergraph else ()
                if condition == type_name or condition in interfaces or type_name in members:
                    yield from _fields_for(inner, type_name, supergraph)


def _has_all(representation: Any, selections: FieldSet) -> bool:
    """Tell whether *representation* brings every field of *selections*."""
    if isinstance(representation, list):
        return all(_has_all(item, selections) for item in representation)
    if not isinstance(representation, Mapping):
        return representation is None
    return all(
        each.name in representation and (not each.selections or _has_all(representation[each.name], each.selections))
        for each in selections
        if isinstance(each, FieldSetField) and each.name != "__typename"
    )


def _pick(given: Any, pattern: Any) -> Any:
    """Return of *given* what *pattern* has: a representation may bring more than one field asks for."""
    match given, pattern:
        case dict(), dict():
            return {name: _pick(given.get(name, _MISSING), value) for name, value in pattern.items()}
        case list(), list() if len(given) == len(pattern):
            return [_pick(item, value) for item, value in zip(given, pattern, strict=True)]
    return given
