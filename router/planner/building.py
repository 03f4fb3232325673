"""Build the fetch graph: walk the choices of the second stage and put every field into a step."""

from dataclasses import replace

from router.planner.contexts import FilledArgument, arguments_of, find_value, name_variable
from router.planner.errors import PlanningError, PlanningErrorCode
from router.planner.fetch_graph import FetchStep, SelectionTree, Target, TreeField, ancestors
from router.planner.graph import LocatedField
from router.planner.guards import ALWAYS, Guard, both, both_or_looser, implies, relax
from router.planner.operation import Block, FieldSelection, Operation, SelectionSet
from router.planner.paths import PathFinder
from router.planner.places import Arrival, Emitted, Place
from router.planner.plan import (
    ContextVariable,
    KeyElement,
    KeyRename,
    ListElement,
    OperationKind,
    PathElement,
    RepresentationField,
    RepresentationFragment,
    RepresentationSelection,
    TypeElement,
)
from router.planner.representations import merge_representations, select_for_type
from router.planner.response_keys import ResponseKeys, keys_of, shape_of
from router.planner.sites import Assignment, Choice, Site
from router.planner.step_choice import StepChooser


def build_fetch_graph(finder: PathFinder, operation: Operation) -> tuple[tuple[FetchStep, ...], ...]:
    """Return the operation's steps. A mutation has a group for each run of root fields, to be run one after another.

    Raises PlanningError when a field cannot be reached.
    """
    builder = _Builder(finder, operation)
    if operation.kind is OperationKind.MUTATION:
        return builder.build_in_series()
    return builder.build_at_once()


class _Builder:
    def __init__(self, finder: PathFinder, operation: Operation) -> None:
        self._finder = finder
        self._graph = finder.graph
        self._operation = operation
        self._chooser = StepChooser(finder, operation)
        self._keys = ResponseKeys(operation)
        # Places by the response keys of their path: different ones may bring objects to the same path.
        self._places: dict[tuple[str, ...], list[Place]] = {}

    # --- the root ---

    def build_at_once(self) -> tuple[tuple[FetchStep, ...], ...]:
        """Build the steps of a query or subscription."""
        place = self._root_place()
        self._emit(place, self._assign_root(self._operation.selections))
        self._guard_shared_places()
        return (tuple(self._chooser.steps),) if self._chooser.steps else ()

    def build_in_series(self) -> tuple[tuple[FetchStep, ...], ...]:
        """Build the steps of a mutation: a run of root fields of one subgraph shares a step."""
        groups: list[tuple[FetchStep, ...]] = []
        runs: list[tuple[str, list[FieldSelection]]] = []
        for one in self._operation.selections.fields:
            subgraph = self._choose_for_root(one, runs[-1][0] if runs else None)
            if runs and runs[-1][0] == subgraph:
                runs[-1][1].append(one)
            else:
                runs.append((subgraph, [one]))
        for subgraph, fields in runs:
            self._chooser.steps = []
            selections = SelectionSet(self._operation.selections.type_name, tuple(fields))
            self._emit(self._root_place(), self._assign_root(selections, frozenset({subgraph})))
            groups.append(tuple(self._chooser.steps))
        self._guard_shared_places()
        return tuple(groups)

    def _choose_for_root(self, field: FieldSelection, before: str | None) -> str:
        """Return who resolves a root field of a mutation; at equal cost the subgraph that resolves the one *before*."""
        type_name = self._operation.selections.type_name
        resolvers = self._graph.subgraphs_resolving(type_name, field.name)
        if len(resolvers) == 1:
            return resolvers[0]
        present = frozenset() if before is None else frozenset({before})
        choices = self._finder.assign(self._root_site(), SelectionSet(type_name, (field,)), present).choices
        return choices[0].subgraph if choices else ""

    def _guard_shared_places(self) -> None:
        """Let steps of a conditional place run only under its condition, if others bring objects to the same path.

        Those objects may be there without the condition, but then without the keys that the place's steps send.
        """
        for places in self._places.values():
            guards = {place.present_if for place in places}
            unsure = {guard for guard in guards if not all(implies(other, guard) for other in guards)}
            for place in places:
                if place.present_if not in unsure:
                    continue
                for step in place.steps:
                    step.conditional_on = both(place.present_if, step.conditional_on)
                    for tree in step.trees.values():
                        for one in tree.fields:
                            one.guard = both(place.present_if, one.guard)

    def _root_site(self) -> Site:
        return Site(None, self._operation.selections.type_name)

    def _root_place(self) -> Place:
        return Place(self._root_site(), (), None, None, self._operation.selections.type_name)

    def _assign_root(self, selections: SelectionSet, present: frozenset[str] = frozenset()) -> Assignment:
        assignment = self._finder.assign(self._root_site(), selections, present)
        if assignment.missing is not None:
            raise self._unsatisfiable(assignment.missing)
        return assignment

    def _unsatisfiable(self, missing: SelectionSet) -> PlanningError:
        """Return the error for the first field that cannot be reached."""
        path: list[str] = []
        field = None
        below: SelectionSet | None = missing
        while below is not None and below.fields:
            field = below.fields[0]
            path.append(field.response_key)
            below = field.selections
        contexts = {
            argument.context
            for type_name in (field.types if field is not None else ())
            for argument in self._graph.context_arguments(type_name, field.name if field is not None else "")
        }
        if contexts:
            names = ", ".join(map(repr, sorted(contexts)))
            return PlanningError(
                PlanningErrorCode.CONTEXT_NOT_SET,
                f"{'.'.join(path)} takes an argument from context {names}, which no object above it is known to set",
            )
        return PlanningError(
            PlanningErrorCode.UNSATISFIABLE, f"no subgraph can resolve {'.'.join(path)}, nor several together"
        )

    # --- one place ---

    def _emit(self, place: Place, assignment: Assignment, guard: Guard = ALWAYS) -> Emitted:
        """Put everything of an assignment into steps; return what became of the planner's own fields in it.

        Fields with requirements come last: what they require may then be taken from steps that are there anyway.
        """
        emitted = Emitted([], [])
        if self._graph.has_contexts:
            for choice in assignment.choices:
                if not choice.is_local:
                    block = choice.field.block
                    place.asked[block] = place.asked.get(block, frozenset()) | {choice.subgraph}
        for choice in sorted(assignment.choices, key=_rank):
            if choice.is_local:
                parts = [(choice, self._emit_local(place, choice, guard))]
            else:
                parts = [(one, self._emit_remote(place, one, guard)) for one in self._split_by_tree(place, choice)]
            if not choice.field.is_internal:
                # No representation copies what only the client wants
                continue
            for one, part in parts:
                emitted.selections.extend(self._for_types(place, one, part.selections))
                emitted.steps.extend(step for step in part.steps if step not in emitted.steps)
                emitted.guard = both(emitted.guard, part.guard)
        return emitted

    def _split_by_tree(self, place: Place, choice: Choice) -> list[Choice]:
        """Split a choice into one per type, unless a request can ask for all types at once."""
        if len(choice.field.types) == 1 or self._chooser.tree_type(place, choice) is not None:
            return [choice]
        return [
            replace(choice, field=replace(choice.field, types=frozenset({type_name})))
            for type_name in sorted(choice.field.types)
        ]

    def _for_types(
        self, place: Place, choice: Choice, selections: list[RepresentationSelection]
    ) -> list[RepresentationSelection]:
        if not selections or choice.field.types >= self._finder.runtime_types(place.site):
            return selections
        return [RepresentationFragment(tuple(sorted(choice.field.types)), tuple(selections))]

    def _emit_local(self, place: Place, choice: Choice, guard: Guard) -> Emitted:
        assert place.home is not None
        assert place.tree is not None
        wanted = choice.field
        own_guard = both(guard, wanted.guard)
        if wanted.is_internal and wanted.selections is None:
            # A leaf that comes along with its object is not worth a condition.
            own_guard = ALWAYS
        types = self._finder.runtime_types(place.site) if self._finder.is_unknown(place.site) else wanted.types
        if choice.located is not None and choice.located.contexts:
            depth = len(keys_of(place.path)) - len(keys_of(place.home.path))
            filled = [
                replace(one, variable=replace(one.variable, levels=one.variable.levels - depth))
                for one in self._fill_arguments(place, choice, own_guard)
            ]
            if not self._can_fill_along(place.home, filled):
                # What is to be sent with the request comes only after it, or not always: it takes another request
                if any(place.home.subgraph not in self._finder.routes(place.site, name) for name in wanted.types):
                    raise self._unsatisfiable(SelectionSet(place.static_type, (wanted,)))
                return self._emit_remote(place, choice, guard)
            place.home.fill(one.variable for one in filled)
            place.home.wait_for(step for one in filled for step in one.steps)
        return self._add_field(place, place.home, place.tree, choice, types, own_guard)

    def _emit_remote(self, place: Place, choice: Choice, guard: Guard) -> Emitted:
        own_guard = both(guard, choice.field.guard)
        arrival, available = self._arrive(place, choice, own_guard)
        step = self._chooser.step_for(place, choice, arrival, own_guard, available)
        if step not in arrival.steps:
            arrival.steps.add(step)
            step.fill(arrival.variables)
            for type_name, target in arrival.sent.items():
                known = step.targets.setdefault(type_name, Target(target.sent_typename, []))
                known.selections = merge_representations([*known.selections, *target.selections])
        tree_type = self._chooser.tree_type(place, choice)
        assert tree_type is not None
        # Objects whose types nobody can tell are all asked, and what comes below them stands below all of them.
        asked = self._finder.runtime_types(place.site) if self._chooser.is_blind(place, step) else choice.field.types
        return self._add_field(place, step, _tree(step, tree_type, asked), choice, asked, own_guard)

    def _arrive(self, place: Place, choice: Choice, guard: Guard) -> tuple[Arrival, Guard]:
        """Fetch all that must be sent to the choice's subgraph; return it, and when all of it is fetched.

        Fields without requirements arrive alike, which is found out once: there may be thousands, of many types.
        """
        block = choice.field.block
        requires = choice.located.requires if choice.located is not None else ()
        is_plain = choice.located is None or not (requires or choice.located.contexts)
        mark = (choice.origin, choice.field.types, choice.subgraph, guard, block)
        if is_plain and mark in place.arrivals:
            return place.arrivals[mark], ALWAYS
        required: list[Emitted] = []
        moves: list[Emitted] = []
        types = sorted(choice.field.types)
        for type_name in types:
            if place.home is not None:
                moves.append(self._move(place, choice.origin, type_name, choice.subgraph, guard, block))
            if requires:
                wanted = self._graph.field_set(type_name, requires).in_block(block)
                present = frozenset(step.subgraph for step in place.steps if step.block == block)
                required.append(self._emit(place, self._finder.assign(place.site, wanted, present), guard))
        filled = [] if is_plain else self._fill_arguments(place, choice, guard)
        available = ALWAYS
        for guarded in (*(one.guard for one in required), *(one.guard for one in filled)):
            available = both(available, guarded)
        waits_for = dict.fromkeys(step for one in (*moves, *required) for step in one.steps)
        waits_for.update(dict.fromkeys(step for one in filled for step in one.steps))
        arrival = Arrival(
            waits_for=list(waits_for),
            sent=self._representations(place, choice, types, moves, required),
            variables=tuple(one.variable for one in filled),
        )
        if is_plain:
            place.arrivals[mark] = arrival
        return arrival, available

    def _fill_arguments(self, place: Place, choice: Choice, guard: Guard) -> list[FilledArgument]:
        """Fetch what a field's arguments are filled with, of the objects above that set their contexts."""
        located = choice.located
        filled: list[FilledArgument] = []
        if located is None:
            return filled
        for argument in located.contexts:
            setter, types = place.setter_of(argument.context)
            block = choice.field.block
            wanted = self._graph.context_selections(types, argument.selections).in_block(block)
            assignment = self._finder.assign(setter.site, wanted, setter.subgraphs_asked(block))
            if assignment.missing is not None:
                raise self._unsatisfiable(assignment.missing)
            emitted = self._emit(setter, assignment, relax(both_or_looser(place.present_if, guard), setter.present_if))
            variable = ContextVariable(
                name=name_variable(located, choice.field.name, argument, self._operation.variables),
                type=argument.type,
                levels=place.site.levels_to(argument.context),
                selections=find_value(emitted.selections),
                may_be_null=self._graph.may_be_null(types, argument.selections),
            )
            steps = emitted.steps or ([setter.home] if setter.home is not None else [])
            filled.append(FilledArgument(variable, tuple(steps), emitted.guard, relax(emitted.guard, place.present_if)))
        return filled

    def _can_fill_along(self, home: FetchStep, filled: list[FilledArgument]) -> bool:
        """Tell whether a step can have the values that a field in its answer needs, whenever it runs."""
        needed = ancestors(step for one in filled for step in one.steps)
        return home not in needed and all(
            implies(home.conditional_on, one.brought_if)
            and home.contexts.get(one.variable.name, one.variable) == one.variable
            for one in filled
        )

    def _representations(
        self, place: Place, choice: Choice, types: list[str], moves: list[Emitted], required: list[Emitted]
    ) -> dict[str, Target]:
        """Return how the objects of each type are sent; empty for what needs no key."""
        sent: dict[str, Target] = {}
        for number, type_name in enumerate(types if place.home is not None else ()):
            route = self._finder.routes(choice.origin, type_name)[choice.subgraph]
            if route.sent_typename is not None:
                parts = [*moves[number].selections, *(required[number].selections if required else ())]
                # The type's name is sent anyway, and as the route says.
                selections = [one for one in select_for_type(parts, type_name) if not _is_type_name(one)]
                sent[type_name] = Target(route.sent_typename, selections)
        return sent

    def _move(self, place: Place, origin: Site, type_name: str, subgraph: str, guard: Guard, block: Block) -> Emitted:
        """Fetch what an entity move to the subgraph needs; return it and the steps to wait for."""
        mark = (origin, type_name, subgraph, guard, block)
        if mark in place.moves:
            return place.moves[mark]
        assert place.home is not None
        assert place.tree is not None
        route = self._finder.routes(origin, type_name)[subgraph]
        result = Emitted([], [place.home])
        if route.sent_typename is not None:
            place.tree.add_type_name()
        for source in route.sources:
            key_field = self._finder.choose_source(place.site, type_name, source, block)
            emit = self._emit_local if source.subgraph is None else self._emit_remote
            part = emit(place, key_field, guard)
            result.selections.extend(part.selections)
            result.steps.extend(step for step in part.steps if step not in result.steps)
        place.moves[mark] = result
        return result

    # --- one field ---

    def _add_field(
        self,
        place: Place,
        step: FetchStep,
        tree: SelectionTree,
        choice: Choice,
        types: frozenset[str],
        guard: Guard,
    ) -> Emitted:
        wanted = choice.field
        shape = shape_of(choice.located, is_leaf=wanted.selections is None)
        if wanted.is_internal:
            key = self._keys.choose(keys_of(place.path), wanted, tree.shape, shape)
            fetched_key = key
        else:
            key = wanted.response_key
            fetched_key = key
            if not tree.shape.admits(key, shape):
                fetched_key = self._keys.fresh()
                relative = place.path[len(step.path) :]
                step.renames.append(KeyRename(relative, fetched_key, key))
        tree.shape.of_key.setdefault(fetched_key, shape)
        arguments = arguments_of(choice, self._operation.variables)
        tree_field = TreeField(fetched_key, wanted.name, arguments, wanted.directives, types, guard)
        if wanted.selections is None:
            known = tree.add_leaf(tree_field)
            return Emitted([RepresentationField(wanted.name, key)], [step], known.guard)
        assert choice.site is not None
        assert choice.located is not None
        assert choice.below is not None
        below, own_guard = self._place_below(place, step, tree, choice, tree_field, key)
        # In a place that is there under more conditions, what is added keeps its own.
        inner = self._emit(below, choice.below, ALWAYS if own_guard == guard else guard)
        steps = [step, *(one for one in inner.steps if one is not step)]
        selections = inner.selections
        if self._graph.is_abstract(wanted.selections.type_name):
            # Whoever gets this in a representation has to know what it is.
            type_name = RepresentationField("__typename", "__typename")
            selections = [type_name, *(one for one in selections if not _is_type_name(one))]
        return Emitted([RepresentationField(wanted.name, key, tuple(selections))], steps, both(own_guard, inner.guard))

    def _place_below(
        self,
        place: Place,
        step: FetchStep,
        tree: SelectionTree,
        choice: Choice,
        tree_field: TreeField,
        key: str,
    ) -> tuple[Place, Guard]:
        """Return the place below a composite field, and its guard; the same one if the field was selected before."""
        assert choice.site is not None
        assert choice.located is not None
        wanted = choice.field
        assert wanted.selections is not None
        mark = (step.number, tree.type_name, key, wanted.signature, tree_field.types, choice.site)
        for guard in (ALWAYS, tree_field.guard):
            if (*mark, guard) in place.below:
                return place.below[(*mark, guard)], guard
        site = choice.site
        static_type = wanted.selections.type_name
        tree_field.below = SelectionTree(
            site.type_name,
            self._finder.runtime_types(site),
            tree.shape.at(tree_field.response_key),
        )
        tree.add_composite(tree_field)
        if self._graph.is_abstract(static_type) or self._graph.is_abstract(site.type_name):
            tree_field.below.add_type_name()
        path = (*place.path, *self._type_element(place, tree_field.types), *_elements(key, choice.located))
        new = Place(
            site,
            path,
            step,
            tree_field.below,
            static_type,
            both_or_looser(place.present_if, tree_field.guard),
            above=place,
            types_above=tree_field.types,
        )
        place.below[(*mark, tree_field.guard)] = new
        self._places.setdefault(keys_of(path), []).append(new)
        return new, tree_field.guard

    def _type_element(self, place: Place, types: frozenset[str]) -> tuple[PathElement, ...]:
        if types >= self._finder.runtime_types(place.site):
            return ()
        return (TypeElement(tuple(sorted(types))),)


def _elements(key: str, located: LocatedField) -> tuple[PathElement, ...]:
    return (KeyElement(key), ListElement()) if located.is_list else (KeyElement(key),)


def _is_type_name(selection: RepresentationSelection) -> bool:
    return isinstance(selection, RepresentationField) and selection.name == "__typename"


def _rank(choice: Choice) -> tuple[int, int]:
    """Order the choices of a place: local ones, plain moves, moves with requirements, and last the conditional ones.

    What an unconditional field requires is there for a conditional one too, which then can share its request.
    """
    if choice.is_local:
        return (0, 0)
    if choice.located is None or not (choice.located.requires or choice.located.contexts):
        return (1, 0)
    return (2, sum(len(alternative) for alternative in choice.field.guard))


def _tree(step: FetchStep, type_name: str, types: frozenset[str]) -> SelectionTree:
    tree = step.trees.get(type_name)
    if tree is None:
        tree = step.trees[type_name] = SelectionTree(type_name, types, step.shape)
    tree.types |= types
    return tree
