"""Which request takes a field: one that is there already, wherever that can be, or a new one."""

from router.planner.contexts import arguments_of
from router.planner.fetch_graph import FetchStep, Target, ancestors
from router.planner.guards import Guard, implies
from router.planner.operation import Operation
from router.planner.paths import PathFinder
from router.planner.places import Arrival, Place
from router.planner.plan import (
    OperationKind,
)
from router.planner.representations import can_not_be_merged, merge_representations
from router.planner.sites import Choice


class StepChooser:
    """Finds or makes the step of a place that takes a choice. Mutable: it collects the *steps* that it has made."""

    def __init__(self, finder: PathFinder, operation: Operation) -> None:
        self.steps: list[FetchStep] = []
        self._finder = finder
        self._graph = finder.graph
        self._operation = operation

    def step_for(
        self,
        place: Place,
        choice: Choice,
        arrival: Arrival,
        guard: Guard,
        available: Guard,
    ) -> FetchStep:
        """Return a step of the place that can take the field, or a new one.

        Sharing a step saves a request, so it is done unless
        1. something the field waits for waits for that step: each would wait for the other,
        2. one of them requires what is only fetched under a condition, and the other may count without it,
        3. the field's response key is taken by another field,
        4. their representations differ in a field, because they require it with other arguments, or what they take from
           objects above does,
        5. the subgraph would be asked for a field of objects that do not bring what it requires,
        6. one of them is deferred and the other is not, or by another `@defer`.
        """
        sent, waits_for = arrival.sent, arrival.waits_for
        only_for = None
        if choice.is_contested or (choice.located is not None and choice.located.requires):
            asks_all_alike = any(
                self._graph.is_interface_object(choice.subgraph, target.sent_typename) for target in sent.values()
            )
            only_for = choice.field.types if asks_all_alike else None
        earlier = ancestors(waits_for, until=place.home) if place.steps else set()
        # A subgraph that knows the types itself needs not be told them, whatever it is asked.
        is_told = choice.origin.is_told and self._graph.is_interface_object(choice.subgraph, place.site.type_name)
        unknown_as = place.site.type_name if self._finder.is_unknown(place.site) and not is_told else None
        for step in place.steps:
            if (
                step.subgraph == choice.subgraph
                and step.block == choice.field.block
                and step not in earlier
                and step.unknown_as == unknown_as
                and (step.only_for is None or choice.field.types <= step.only_for)
                and (only_for is None or _suits(step, only_for, sent, choice.is_contested))
                and implies(guard, step.conditional_on)
                and implies(step.conditional_on, available)
                and self._admits(place, step, choice)
                and all(step.contexts.get(one.name, one) == one for one in arrival.variables)
                and (
                    step in arrival.steps
                    or not any(
                        name in step.targets and can_not_be_merged(step.targets[name].selections, target.selections)
                        for name, target in sent.items()
                    )
                )
            ):
                step.wait_for(waits_for)
                step.only_for = step.only_for or only_for
                return step
        is_entity_step = place.home is not None and any(
            self._finder.routes(choice.origin, type_name)[choice.subgraph].sent_typename is not None
            for type_name in choice.field.types
        )
        new = FetchStep(
            number=len(self.steps),
            subgraph=choice.subgraph,
            kind=self._operation.kind if place.home is None else OperationKind.QUERY,
            path=place.path,
            waits_for={},
            is_entity_step=is_entity_step,
            conditional_on=available,
            unknown_as=unknown_as,
            only_for=only_for,
            block=choice.field.block,
        )
        new.wait_for(waits_for)
        place.steps.append(new)
        self.steps.append(new)
        return new

    def tree_type(self, place: Place, choice: Choice) -> str | None:
        """Return the static type under which a step asks for a field: the one sent, or an interface of all types."""
        if place.home is None:
            return place.site.type_name
        mark = (choice.origin, choice.field.types, choice.subgraph, choice.field.name)
        if mark not in place.tree_types:
            place.tree_types[mark] = self._find_tree_type(place, choice)
        return place.tree_types[mark]

    def is_blind(self, place: Place, step: FetchStep) -> bool:
        """Tell whether neither the response so far nor the step's subgraph knows which object is of which type."""
        return step.unknown_as is not None and self._graph.is_interface_object(step.subgraph, place.site.type_name)

    def _admits(self, place: Place, step: FetchStep, choice: Choice) -> bool:
        """Tell whether the step's trees have no other field under the response key that the choice would take.

        Objects sent as an interface object cannot be told apart by type in the request.
        """
        wanted = choice.field
        if wanted.is_internal:
            return True
        for tree in step.trees.values():
            if self._graph.is_interface_object(step.subgraph, tree.type_name):
                for one in tree.fields_at(wanted.response_key):
                    if (
                        one.name != wanted.name
                        or one.arguments != arguments_of(choice, self._operation.variables)
                        or (one.below is not None and one.types != wanted.types and not self.is_blind(place, step))
                    ):
                        return False
        return True

    def _find_tree_type(self, place: Place, choice: Choice) -> str | None:
        types = choice.field.types
        sent = {
            self._finder.routes(choice.origin, type_name)[choice.subgraph].sent_typename or type_name
            for type_name in types
        }
        if len(sent) == 1:
            return sent.pop()
        if choice.located is not None and choice.located.contexts:
            # An interface's field does not have the arguments
            return None
        shared = frozenset.intersection(
            *(frozenset(self._graph.supergraph.types[type_name].interfaces) for type_name in types)
        )
        for interface in sorted(shared, key=lambda name: (name != place.static_type, name)):
            if (
                self._graph.is_abstract_in(choice.subgraph, interface)
                and types <= self._graph.runtime_types(choice.subgraph, interface)
                and self._has_interface_field(choice.subgraph, interface, choice)
            ):
                return interface
        return None

    def _has_interface_field(self, subgraph: str, interface: str, choice: Choice) -> bool:
        located = self._graph.interface_field(subgraph, interface, choice.field.name)
        return (
            choice.located is not None
            and located is not None
            and located.type_name == choice.located.type_name
            and located.provides == choice.located.provides
        )


def _suits(step: FetchStep, only_for: frozenset[str], sent: dict[str, Target], is_contested: bool) -> bool:
    """Tell whether a field for some types only can be asked of all that a step sends.

    That is so if there is nothing else, or if the rest brings the same requirements and may have the field too.
    """
    others = [target for name, target in step.targets.items() if name not in only_for]
    return not others or (
        not is_contested
        and all(
            merge_representations([*other.selections, *target.selections]) == other.selections
            for other in others
            for target in sent.values()
        )
    )
