"""The plan: which requests go to which subgraphs, in which order, and where their results belong.

    PlanNode = Fetch | Flatten | Sequence | Parallel | Condition

A plan is immutable and holds no value of a request, so one plan serves every request with the same document.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class OperationKind(Enum):
    """The kind of a GraphQL operation, spelled as in a document."""

    QUERY = "query"
    MUTATION = "mutation"
    SUBSCRIPTION = "subscription"


@dataclass(frozen=True, slots=True)
class KeyElement:
    """Step into an object's response key."""

    response_key: str


@dataclass(frozen=True, slots=True)
class ListElement:
    """Step into every item of a list (and of the lists in it)."""


@dataclass(frozen=True, slots=True)
class TypeElement:
    """Stay only on objects whose __typename is one of *type_names*."""

    type_names: tuple[str, ...]


PathElement: TypeAlias = KeyElement | ListElement | TypeElement
ResponsePath: TypeAlias = tuple[PathElement, ...]


@dataclass(frozen=True, slots=True)
class RepresentationField:
    """A field copied from the response so far into a representation.

    *name* is the field's name in the representation, *response_key* where it stands in the response so far.
    """

    name: str
    response_key: str
    selections: tuple["RepresentationSelection", ...] = ()


@dataclass(frozen=True, slots=True)
class RepresentationFragment:
    """Fields copied only when the object is one of *type_names* (concrete types)."""

    type_names: tuple[str, ...]
    selections: tuple["RepresentationSelection", ...]


RepresentationSelection: TypeAlias = RepresentationField | RepresentationFragment


@dataclass(frozen=True, slots=True)
class EntityTarget:
    """One alternative of an entity fetch: objects of *type_names* are sent as *sent_typename* with *selections*.

    *sent_typename* differs from the object's type where the subgraph knows it as an interface object.
    """

    type_names: tuple[str, ...]
    sent_typename: str
    selections: tuple[RepresentationSelection, ...]


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to one subgraph.

    An entity fetch has *targets*: its operation takes `$representations: [_Any!]!` and selects `_entities`.
    *variables* are the client's variables that the operation uses.
    """

    subgraph: str
    kind: OperationKind
    document: str
    operation_name: str | None = None
    variables: tuple[str, ...] = ()
    targets: tuple[EntityTarget, ...] = ()


@dataclass(frozen=True, slots=True)
class Flatten:
    """Run an entity fetch for the objects at *path* of the response so far."""

    path: ResponsePath
    fetch: Fetch


@dataclass(frozen=True, slots=True)
class Sequence:
    """Run the nodes one after the other."""

    nodes: tuple["PlanNode", ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    """Run the nodes at the same time."""

    nodes: tuple["PlanNode", ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """Run *then* if the Boolean variable is true, else *otherwise*; None means nothing to do."""

    variable: str
    then: "PlanNode | None"
    otherwise: "PlanNode | None"


PlanNode: TypeAlias = Fetch | Flatten | Sequence | Parallel | Condition


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole operation's plan; *root* is None when no subgraph is needed (introspection, `__typename`)."""

    kind: OperationKind
    root: PlanNode | None
