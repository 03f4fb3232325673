"""An operation made ready: everything about it that does not depend on a request is done here, once."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    parse,
)

from router.executor.compiled_projection import CompiledProjection
from router.executor.contexts import CollectGroups, ContextDocuments, compile_groups
from router.executor.fetched_paths import FetchedPaths, keys_of
from router.executor.introspection import IntrospectionQuery, read_introspection
from router.executor.objects import CollectObjects, Merger, compile_collect, compile_collect_all
from router.executor.renames import ApplyRenames, compile_renames, rename_path
from router.executor.reports import FieldPath
from router.executor.representations import CollectRepresentations, compile_representations
from router.executor.shape import FieldShape, ObjectShape, ShapeReader, condition_variables
from router.planner.plan import (
    AT_ANY_TIME,
    Alternatives,
    BatchFetch,
    BatchPart,
    Condition,
    Defer,
    DeferredBlock,
    DeferredField,
    EntityTarget,
    Fetch,
    Flatten,
    KeyRename,
    OperationKind,
    Parallel,
    Plan,
    PlanNode,
    ResponsePath,
    Sequence,
)


@dataclass(frozen=True, slots=True)
class PreparedFetch:
    """A fetch at the root. *order* is its place in the plan; *root_keys* are the response keys that it answers."""

    order: int
    fetch: Fetch
    is_mutation: bool
    root_keys: tuple[str, ...]
    apply_renames: ApplyRenames | None


@dataclass(frozen=True, slots=True)
class PreparedNestedFetch:
    """A root fetch whose answer belongs to every object at *path*: a field there returns the query type."""

    order: int
    fetch: Fetch
    is_mutation: bool
    root_keys: tuple[str, ...]
    apply_renames: ApplyRenames | None
    path: ResponsePath
    collect_objects: CollectObjects
    may_share: bool


@dataclass(frozen=True, slots=True)
class PreparedEntityPart:
    """One `_entities` selection, for the objects at all of *paths*; *answer_key* is where its answer stands.

    *runs_if* is None when no condition decides. *may_share* is explained at `Merger.merge_entity`. *collect_groups* is
    set where variables come from objects above: it takes the place of *collect_objects*.
    """

    answer_key: str
    representations_variable: str
    renames: tuple[KeyRename, ...]
    apply_renames: ApplyRenames | None
    paths: tuple[ResponsePath, ...]
    collect_objects: CollectObjects
    collect_representations: CollectRepresentations
    may_share: bool
    runs_if: Alternatives | None
    collect_groups: CollectGroups | None = None


@dataclass(frozen=True, slots=True)
class PreparedEntityFetch:
    """An entity fetch, or a batch of them: one request with a selection for each of *parts*.

    *documents* is set where variables come from objects above: their values decide what the document is.
    """

    order: int
    fetch: Fetch | BatchFetch
    is_mutation: bool
    parts: tuple[PreparedEntityPart, ...]
    documents: ContextDocuments | None = None


@dataclass(frozen=True, slots=True)
class PreparedSequence:
    """Nodes that run one after the other."""

    nodes: tuple["PreparedNode", ...]


@dataclass(frozen=True, slots=True)
class PreparedParallel:
    """Nodes that run at the same time."""

    nodes: tuple["PreparedNode", ...]


@dataclass(frozen=True, slots=True)
class PreparedCondition:
    """A choice between two nodes, or a node and nothing."""

    variable: str
    then: "PreparedNode | None"
    otherwise: "PreparedNode | None"


@dataclass(frozen=True, slots=True)
class PreparedBlock:
    """A part of the plan that is deferred; *orders* are the numbers of its own requests.

    *fields* and *waits_for* are explained at the plan's `DeferredBlock`.
    """

    fields: tuple[DeferredField, ...]
    waits_for: tuple[int, ...]
    node: "PreparedNode"
    orders: range


AnyPreparedFetch: TypeAlias = PreparedFetch | PreparedNestedFetch | PreparedEntityFetch
PreparedNode: TypeAlias = AnyPreparedFetch | PreparedSequence | PreparedParallel | PreparedCondition


@dataclass(frozen=True, slots=True)
class PreparedResponse:
    """How the response is made for one choice of the operation's conditions."""

    reader: ShapeReader
    projection: CompiledProjection
    introspection: IntrospectionQuery | None

    def clip_path(self, path: FieldPath, merged: Any) -> FieldPath:
        """Cut *path* off where it leaves what the client selected: the router asks for keys of its own too.

        *merged* is the response so far; where it does not say an object's type, any possible one will do.
        """
        shapes: list[ObjectShape] = [self.reader.root()]
        fields: list[FieldShape] = []
        value = merged
        kept: list[str | int] = []
        for element in path:
            if isinstance(element, str):
                shapes = shapes or [shape for field in fields for shape in self._shapes_of(field, value)]
                fields = [field for shape in shapes if (field := shape.field_at(element)) is not None]
                if not fields:
                    break
                shapes = []
                value = value.get(element) if isinstance(value, dict) else None
            else:
                value = value[element] if isinstance(value, list) and -1 < element < len(value) else None
            kept.append(element)
        return tuple(kept)

    def _shapes_of(self, field: FieldShape, value: Any) -> Iterable[ObjectShape]:
        type_name = value.get("__typename") if isinstance(value, dict) else None
        shape = self.reader.shape_of_typename(field, type_name) if isinstance(type_name, str) else None
        if shape is not None and isinstance(shape.type_, GraphQLObjectType):
            return (shape,)
        return self.reader.possible_shapes(field)


class PreparedOperation:
    """An operation with its plan, ready to be executed any number of times, also at the same time.

    Mutable on purpose: it remembers how the response is made for each choice of `@skip` / `@include` conditions, the
    latest `MAX_CHOICES` of them.
    """

    #: An operation with n conditions has 2**n choices; clients use few of them.
    MAX_CHOICES = 16

    def __init__(
        self,
        api_schema: GraphQLSchema,
        plan: Plan,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        conditions: tuple[str, ...],
    ) -> None:
        self.api_schema = api_schema
        self.plan = plan
        self.kind: OperationKind = plan.kind
        self.document = document
        self.operation = operation
        self.variable_definitions: tuple[VariableDefinitionNode, ...] = tuple(operation.variable_definitions or ())
        self.conditions = conditions
        self.merger = Merger(
            frozenset(name for name, type_ in api_schema.type_map.items() if isinstance(type_, GraphQLObjectType))
        )
        preparation = _Preparation(plan, api_schema)
        #: What the first answer needs, and what comes later.
        self.root: PreparedNode | None = preparation.root
        self.blocks: tuple[PreparedBlock, ...] = preparation.blocks
        self._fragments = fragments
        self._responses: OrderedDict[tuple[bool, ...], PreparedResponse] = OrderedDict()
        self._subgraphs: dict[tuple[str, ...], tuple[str, ...]] | None = None

    def response_for(self, variables: Mapping[str, Any]) -> PreparedResponse:
        """Return how the response is made when the conditions have the values that *variables* gives them."""
        choice = tuple([bool(variables.get(name)) for name in self.conditions])
        response = self._responses.get(choice)
        if response is None:
            reader = ShapeReader(
                self.api_schema, self.operation, self._fragments, dict(zip(self.conditions, choice, strict=True))
            )
            introspection = read_introspection(self.api_schema, self.operation, self._fragments, reader.root())
            response = PreparedResponse(reader, CompiledProjection(reader), introspection)
            self._responses[choice] = response
            if len(self._responses) > self.MAX_CHOICES:
                self._responses.popitem(last=False)
        return response

    def subgraphs_at(self, response_keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return the subgraphs that the plan asks for the field under *response_keys*, sorted."""
        if self._subgraphs is None:
            found: dict[tuple[str, ...], set[str]] = {}
            if self.plan.root is not None:
                _read_subgraphs(self.plan.root, (), found)
            self._subgraphs = {keys: tuple(sorted(names)) for keys, names in found.items()}
        return self._subgraphs.get(response_keys, ())


def prepare_operation(
    api_schema: GraphQLSchema, plan: Plan, document: DocumentNode, operation_name: str | None
) -> PreparedOperation:
    """Make the operation *operation_name* of a valid *document* ready to be executed by *plan*.

    Raises:
        LookupError: the document has no such operation, or several and no name was given.
    """
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if operation_name is not None:
        operations = [node for node in operations if node.name and node.name.value == operation_name]
    if len(operations) != 1:
        raise LookupError(f"the document has {len(operations)} operations for the name {operation_name!r}")
    operation = operations[0]
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    declared = {node.variable.name.value for node in operation.variable_definitions or ()}
    conditions = tuple(name for name in condition_variables(document) if name in declared)
    return PreparedOperation(api_schema, plan, document, operation, fragments, conditions)


class _Preparation:
    """Prepares the nodes of one plan, numbering its fetches."""

    def __init__(self, plan: Plan, api_schema: GraphQLSchema) -> None:
        self._api_schema = api_schema
        self._fetches = 0
        self._fetched_paths = FetchedPaths(plan.root)
        # Generating a function takes longer than all else about a part, and the parts of a batch often send the same.
        self._collectors: dict[tuple[EntityTarget, ...], CollectRepresentations] = {}
        self.blocks: tuple[PreparedBlock, ...] = ()
        match plan.root:
            case Defer(primary=primary, blocks=blocks):
                self.root = self._prepare(primary) if primary else None
                self.blocks = tuple(map(self._prepare_block, blocks))
            case root:
                self.root = self._prepare(root) if root else None

    def _prepare_block(self, block: DeferredBlock) -> PreparedBlock:
        first = self._fetches + 1
        node = self._prepare(block.node)
        return PreparedBlock(block.fields, block.waits_for, node, range(first, self._fetches + 1))

    def _prepare(self, node: PlanNode) -> PreparedNode:
        match node:
            case Fetch():
                return PreparedFetch(
                    order=self._next_order(),
                    fetch=node,
                    is_mutation=node.kind is OperationKind.MUTATION,
                    root_keys=_root_keys(node),
                    apply_renames=compile_renames(node.renames),
                )
            case Flatten(path=path, fetch=fetch) if not fetch.targets:
                return PreparedNestedFetch(
                    order=self._next_order(),
                    fetch=fetch,
                    is_mutation=fetch.kind is OperationKind.MUTATION,
                    root_keys=_root_keys(fetch),
                    apply_renames=compile_renames(fetch.renames),
                    path=path,
                    collect_objects=compile_collect(path),
                    may_share=self._fetched_paths.may_share(node, (path,)),
                )
            case Flatten(path=path, fetch=fetch):
                alone = BatchPart(
                    (path,),
                    "_entities",
                    fetch.representations_variable,
                    fetch.targets,
                    fetch.renames,
                    contexts=fetch.contexts,
                )
                return PreparedEntityFetch(
                    order=self._next_order(),
                    fetch=fetch,
                    is_mutation=fetch.kind is OperationKind.MUTATION,
                    parts=(self._prepare_part(node, alone, cache(partial(_keys_of_objects, fetch.document))),),
                    documents=_documents_of(fetch.document, (alone,)),
                )
            case BatchFetch(parts=parts):
                with_objects = cache(partial(_keys_of_objects, node.document))
                return PreparedEntityFetch(
                    order=self._next_order(),
                    fetch=node,
                    is_mutation=False,
                    parts=tuple(self._prepare_part(part, part, with_objects) for part in parts),
                    documents=_documents_of(node.document, parts),
                )
            case Sequence(nodes=nodes):
                return PreparedSequence(tuple(map(self._prepare, nodes)))
            case Parallel(nodes=nodes):
                return PreparedParallel(tuple(map(self._prepare, nodes)))
            case Condition(variable=variable, then=then, otherwise=otherwise):
                return PreparedCondition(
                    variable, self._prepare(then) if then else None, self._prepare(otherwise) if otherwise else None
                )
            case Defer():
                raise ValueError("only a whole plan can be deferred in parts")

    def _prepare_part(
        self, owner: Flatten | BatchPart, part: BatchPart, with_objects: Callable[[], frozenset[str]]
    ) -> PreparedEntityPart:
        return PreparedEntityPart(
            answer_key=part.answer_key,
            representations_variable=part.representations_variable,
            renames=part.renames,
            apply_renames=compile_renames(part.renames),
            paths=part.paths,
            collect_objects=compile_collect_all(part.paths),
            collect_representations=self._collect_representations(part.targets),
            # what is no object is never changed, so it does not matter where else it stands; to know that takes parsing
            may_share=self._fetched_paths.may_share(owner, part.paths) or part.answer_key not in with_objects(),
            runs_if=None if part.runs_if == AT_ANY_TIME else part.runs_if,
            collect_groups=compile_groups(part.paths, part.contexts) if part.contexts else None,
        )

    def _collect_representations(self, targets: tuple[EntityTarget, ...]) -> CollectRepresentations:
        if targets not in self._collectors:
            self._collectors[targets] = compile_representations(targets, self._api_schema)
        return self._collectors[targets]

    def _next_order(self) -> int:
        self._fetches += 1
        return self._fetches


def _documents_of(document: str, parts: tuple[BatchPart, ...]) -> ContextDocuments | None:
    if not any(part.contexts for part in parts):
        return None
    return ContextDocuments(
        document, tuple((part.answer_key, part.representations_variable, part.contexts) for part in parts)
    )


def _keys_of_objects(document: str) -> frozenset[str]:
    """Return the keys of the answer whose entities are asked for anything with a selection of its own."""

    def has_objects(selection_set: SelectionSetNode) -> bool:
        for selection in selection_set.selections:
            match selection:
                case FieldNode(selection_set=None):
                    continue
                case InlineFragmentNode(selection_set=inner):
                    if has_objects(inner):
                        return True
                case _:
                    return True
        return False

    definitions = parse(document, no_location=True).definitions
    operation = next(node for node in definitions if isinstance(node, OperationDefinitionNode))
    return frozenset(
        _response_key(field)
        for field in operation.selection_set.selections
        if isinstance(field, FieldNode) and field.selection_set is not None and has_objects(field.selection_set)
    )


def _response_key(field: FieldNode) -> str:
    return field.alias.value if field.alias else field.name.value


def _root_keys(fetch: Fetch) -> tuple[str, ...]:
    """Return the response keys that a root fetch answers."""
    definitions = parse(fetch.document, no_location=True).definitions
    fragments = {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}
    operation = next(node for node in definitions if isinstance(node, OperationDefinitionNode))
    keys: dict[str, None] = {}

    def collect(selection_set: SelectionSetNode) -> None:
        for selection in selection_set.selections:
            match selection:
                case FieldNode():
                    keys[_response_key(selection)] = None
                case InlineFragmentNode():
                    collect(selection.selection_set)
                case FragmentSpreadNode(name=name):
                    collect(fragments[name.value].selection_set)

    collect(operation.selection_set)
    keys.pop("__typename", None)  # the router's own: a failure leaves no null there
    return tuple(str(rename_path((key,), fetch.renames)[0]) for key in keys)


def _read_subgraphs(node: PlanNode, keys: tuple[str, ...], found: dict[tuple[str, ...], set[str]]) -> None:
    """Note for every field of every fetch under *node* who is asked for it, by response keys."""
    match node:
        case Fetch(subgraph=subgraph):
            for field_keys in _read_fields(node.document, node.renames, keys):
                found.setdefault(field_keys, set()).add(subgraph)
        case Flatten(path=path, fetch=fetch):
            _read_subgraphs(fetch, keys_of(path), found)
        case BatchFetch(subgraph=subgraph, document=document, parts=parts):
            for part in parts:
                for path in part.paths:
                    for field_keys in _read_fields(document, part.renames, keys_of(path), part.answer_key):
                        found.setdefault(field_keys, set()).add(subgraph)
        case Sequence(nodes=nodes) | Parallel(nodes=nodes):
            for inner in nodes:
                _read_subgraphs(inner, keys, found)
        case Condition(then=then, otherwise=otherwise):
            for branch in (then, otherwise):
                if branch is not None:
                    _read_subgraphs(branch, keys, found)
        case Defer(primary=primary, blocks=blocks):
            for part_node in (primary, *(block.node for block in blocks)):
                if part_node is not None:
                    _read_subgraphs(part_node, keys, found)


def _read_fields(
    document: str, renames: tuple[KeyRename, ...], keys: tuple[str, ...], answer_key: str | None = None
) -> Iterator[tuple[str, ...]]:
    """Yield the response keys of every field of a request whose answer belongs under *keys*.

    With *answer_key* only those of the entities that are asked for under it.
    """
    definitions = parse(document, no_location=True).definitions
    fragments = {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}
    operation = next(node for node in definitions if isinstance(node, OperationDefinitionNode))

    def read(selection_set: SelectionSetNode, at: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for selection in selection_set.selections:
            match selection:
                case FieldNode(name=name, selection_set=inner):
                    key = _response_key(selection)
                    below = (*at, key)
                    if name.value == "_entities":
                        if answer_key not in (None, key):
                            continue
                        # what `_entities` answers stands where the objects stand
                        below = at
                    yield keys + tuple(map(str, rename_path(below, renames)))
                    if inner is not None:
                        yield from read(inner, below)
                case InlineFragmentNode(selection_set=inner):
                    yield from read(inner, at)
                case FragmentSpreadNode(name=name):
                    yield from read(fragments[name.value].selection_set, at)

    yield from read(operation.selection_set, ())
