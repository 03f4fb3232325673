"""What one document may ask for: bounds that are checked before validation and planning, which would pay for excess.

https://www.apollographql.com/docs/graphos/routing/security/request-limits
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

from router.config import LimitsConfig
from router.errors import LimitExceeded, OperationNotResolved, ParseFailed

# Comments cost memory and mean nothing here; a generated document has a header comment, not thousands
MAX_COMMENTS = 500

# graphql-core's own words for what it refuses to parse; its errors carry no code
_TOO_MANY_TOKENS = "tokens. Parsing aborted"
_TOO_DEEP = "nested too deeply"

_INTROSPECTION_FIELDS = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a selection set asks for, with every fragment counted as often as it is spread.

    *depth* counts levels of fields (a leaf is 1), *root_fields* the fields of the topmost level.
    """

    depth: int = 0
    root_fields: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0


def parse_document(text: str, limits: LimitsConfig) -> DocumentNode:
    """Parse *text*; raise ParseFailed, or LimitExceeded for a document beyond the lexical limits."""
    try:
        return parse(
            text,
            max_lexical_tokens=limits.max_tokens,
            max_comments=MAX_COMMENTS,
            # Subgraphs need not know the newer grammar that has `{ }`
            allow_empty_selection_sets=False,
        )
    except GraphQLSyntaxError as error:
        if _TOO_MANY_TOKENS in error.message:
            raise LimitExceeded(
                f"the document has more than {limits.max_tokens} tokens", code="MAX_TOKENS_LIMIT"
            ) from None
        if _TOO_DEEP in error.message:
            raise _too_deep(limits) from None
        raise ParseFailed([error]) from None
    except GraphQLError as error:
        raise ParseFailed([error]) from None


def select_operation(document: DocumentNode, operation_name: str | None) -> OperationDefinitionNode:
    """Return the operation to execute; raise OperationNotResolved when it is not clear which.

    https://spec.graphql.org/draft/#GetOperation()
    """
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if operation_name is None:
        if len(operations) == 1:
            return operations[0]
        raise OperationNotResolved(
            "the document has no operation" if not operations else "operationName must name one of several operations"
        )
    for operation in operations:
        if operation.name is not None and operation.name.value == operation_name:
            return operation
    raise OperationNotResolved(f'the document has no operation "{operation_name}"')


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return the document's fragments by name."""
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


def check_limits(document: DocumentNode, operation: OperationDefinitionNode, limits: LimitsConfig) -> Extent:
    """Return the extent of *operation*; raise LimitExceeded for the first limit that it passes."""
    try:
        extent = measure(operation.selection_set, fragments_of(document))
    except RecursionError:
        # A chain of some hundred fragments is deeper than any depth that we would allow
        raise _too_deep(limits) from None
    bounds = (
        ("depth", extent.depth, limits.max_depth, "MAX_DEPTH_LIMIT"),
        ("number of aliases", extent.aliases, limits.max_aliases, "MAX_ALIASES_LIMIT"),
        ("number of root fields", extent.root_fields, limits.max_root_fields, "MAX_ROOT_FIELDS_LIMIT"),
        ("number of fields", extent.fields, limits.max_fields, "MAX_FIELDS_LIMIT"),
        ("number of directives", extent.directives, limits.max_directives, "MAX_DIRECTIVES_LIMIT"),
    )
    for what, actual, allowed, code in bounds:
        if actual > allowed:
            raise LimitExceeded(f"the operation's {what} is {actual}, more than {allowed}", code=code)
    return extent


def measure(selection_set: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Extent:
    """Return the extent of *selection_set*.

    Each fragment is measured once, so that fragments which spread each other twice (and would grow to 2^n fields) cost
    n steps. Unknown and cyclic fragments count nothing here: validation refuses them.
    """
    return _Measuring(fragments).selection_set(selection_set)


@dataclass(slots=True)
class _Measuring:
    """Measures one document. Mutable: remembers fragments."""

    fragments: Mapping[str, FragmentDefinitionNode]
    known: dict[str, Extent] = field(default_factory=dict)

    def selection_set(self, selection_set: SelectionSetNode) -> Extent:
        depth = root_fields = fields = aliases = directives = 0
        for selection in selection_set.selections:
            directives += len(selection.directives or ())
            match selection:
                case FieldNode():
                    inner = self.selection_set(selection.selection_set) if selection.selection_set else Extent()
                    is_introspection = selection.name.value in _INTROSPECTION_FIELDS
                    # Tools ask for 9 levels of `ofType`; how far introspection may go is a validation rule of its own
                    depth = max(depth, 1 if is_introspection else 1 + inner.depth)
                    root_fields += 1
                    fields += 1 + inner.fields
                    aliases += inner.aliases + (selection.alias is not None)
                    directives += inner.directives
                    continue
                case InlineFragmentNode():
                    inner = self.selection_set(selection.selection_set)
                case FragmentSpreadNode():
                    inner = self.fragment(selection.name.value)
                case _:
                    raise TypeError(f"not a selection: {selection.kind}")
            depth = max(depth, inner.depth)
            root_fields += inner.root_fields
            fields += inner.fields
            aliases += inner.aliases
            directives += inner.directives
        return Extent(depth, root_fields, fields, aliases, directives)

    def fragment(self, name: str) -> Extent:
        extent = self.known.get(name)
        if extent is None:
            # Stands for the fragment while it is being measured, which ends a cycle
            self.known[name] = Extent()
            definition = self.fragments.get(name)
            extent = self.selection_set(definition.selection_set) if definition is not None else Extent()
            self.known[name] = extent
        return extent


def _too_deep(limits: LimitsConfig) -> LimitExceeded:
    return LimitExceeded(f"the operation's depth is far more than {limits.max_depth}", code="MAX_DEPTH_LIMIT")
