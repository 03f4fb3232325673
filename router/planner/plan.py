"""The plan: which requests go to which subgraphs, in which order, and where their results belong.

    PlanNode = Fetch | Flatten | BatchFetch | Sequence | Parallel | Condition | Defer

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
class ContextVariable:
    """A variable of an entity fetch whose value comes from an object above each of those asked about.

    That object stands *levels* response keys up; *selections* lead to one value in it, or to none, which counts as
    null. Unless it *may_be_null*, a null means that it could not be fetched. *type* is the variable's type as text.
    """

    name: str
    type: str
    levels: int
    selections: tuple[RepresentationSelection, ...]
    may_be_null: bool = True


@dataclass(frozen=True, slots=True)
class EntityTarget:
    """One alternative of an entity fetch: objects of *type_names* are sent as *sent_typename* with *selections*.

    *sent_typename* differs from the object's type where the subgraph knows it as an interface object.
    """

    type_names: tuple[str, ...]
    sent_typename: str
    selections: tuple[RepresentationSelection, ...]


@dataclass(frozen=True, slots=True)
class KeyRename:
    """Move a value of a fetch's answer from *fetched_key* to *response_key* before it is merged.

    Needed where a subgraph could not answer under the client's response key, because in its own schema two objects
    give that key types of different shapes. *path* leads from the answer's root (for an entity fetch: from each
    entity) to the objects that hold the key; an empty path means the root itself.
    """

    path: ResponsePath
    fetched_key: str
    response_key: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to one subgraph.

    An entity fetch has *targets*: its operation takes `$representations: [_Any!]!` (spelled *representations_variable*,
    since a client may have a variable of that name) and selects `_entities`.
    *variables* are the client's variables that the operation uses. *renames* are applied to the answer, innermost
    objects last, before anything else reads it; nearly always empty.

    What an executor has to know beyond the obvious:

    - A Flatten whose fetch has no *targets* is a root fetch below the root: run it once if any object stands at the
      path, and merge the same answer into every object there (a field that returns `Query`).
    - `__typename` of an entity fetch's answer replaces the one merged before: an object reached through an interface
      object carries the interface's name until a fetch learns the real one. Hence *type_names* of a target may
      contain an interface's name. The other way round, an interface's name never replaces an object type's.
    - An object that lacks a field of its representation is passed over: what it lacks was asked only under a condition
      that does not hold, and then nothing is wanted of the object (or it was asked and failed).
    - A leaf may be fetched by several steps; the values are equal by the rules of composition, so any may win.
    - Objects whose *contexts* have different values cannot share a selection of `_entities`: the document, as it stands
      here, is for one combination of values. For several, its selection is repeated under further response keys, each
      with variables of its own. One entity may stand below objects that differ, and then has an answer for each place.
    - An object is passed over, too, if what a context selects of the object above lacks, or is null though its type
      forbids it: then it could not be fetched, and any value in its place would be made up.
    """

    subgraph: str
    kind: OperationKind
    document: str
    operation_name: str | None = None
    variables: tuple[str, ...] = ()
    targets: tuple[EntityTarget, ...] = ()
    renames: tuple[KeyRename, ...] = ()
    representations_variable: str = "representations"
    contexts: tuple[ContextVariable, ...] = ()


@dataclass(frozen=True, slots=True)
class Flatten:
    """Run an entity fetch for the objects at *path* of the response so far."""

    path: ResponsePath
    fetch: Fetch


#: When something runs: one of the alternatives must hold, each a tuple of variables with the values they must have.
Alternatives: TypeAlias = tuple[tuple[tuple[str, bool], ...], ...]

#: The alternative that demands nothing.
AT_ANY_TIME: Alternatives = ((),)


@dataclass(frozen=True, slots=True)
class BatchPart:
    """One `_entities` selection of a batch, about the objects at all of *paths*.

    An entity that stands at several of the paths is sent once, and its answer belongs to all of them. *answer_key* is
    the selection's key in the answer, *representations_variable* the variable that carries its representations.
    Unless *runs_if* holds, nothing is asked about the part's objects: its representations are an empty list, for the
    variable has to have a value. *targets*, *renames* and *contexts* are those of an entity fetch.
    """

    paths: tuple[ResponsePath, ...]
    answer_key: str
    representations_variable: str
    targets: tuple[EntityTarget, ...]
    renames: tuple[KeyRename, ...] = ()
    runs_if: Alternatives = AT_ANY_TIME
    contexts: tuple[ContextVariable, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchFetch:
    """One request that is several entity fetches to one subgraph; what is said of those at Fetch holds for each part.

    The request is left out when no part has anything to ask. An answer's part that is null (an error in it that went
    up that far) costs only this part's objects.
    """

    subgraph: str
    document: str
    parts: tuple[BatchPart, ...]
    operation_name: str | None = None
    variables: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Deferral:
    """One use of `@defer`: where its fragment is spread, by response keys, and the client's label for it.

    *number* tells apart those of one operation; *parent* is the number of the `@defer` around it, None for none.
    """

    number: int
    path: tuple[str, ...]
    label: str | None = None
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class DeferredField:
    """A field at which a block begins: its response keys, and the types of the objects that it belongs to."""

    path: tuple[str, ...]
    type_names: frozenset[str]


@dataclass(frozen=True, slots=True)
class DeferredBlock:
    """What is fetched for fields that stand in the same uses of `@defer`, and nowhere outside of them.

    *node* may start as soon as the fetches numbered *waits_for* are through: every request of the plan has a number,
    from 1, in the order in which the plan is written. *fields* are not there before *node* is through.
    """

    deferrals: tuple[Deferral, ...]
    fields: tuple[DeferredField, ...]
    waits_for: tuple[int, ...]
    node: "PlanNode"


@dataclass(frozen=True, slots=True)
class Defer:
    """Answer with what *primary* brings, and send later what the blocks bring. Stands at the root of a plan only."""

    primary: "PlanNode | None"
    blocks: tuple[DeferredBlock, ...]


PlanNode: TypeAlias = Fetch | Flatten | BatchFetch | Sequence | Parallel | Condition | Defer


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole operation's plan; *root* is None when no subgraph is needed (introspection, `__typename`)."""

    kind: OperationKind
    root: PlanNode | None
