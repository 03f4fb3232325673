"""The cheapest moves to every field: second stage of planning.

A *site* is a place where objects stand that one subgraph returned. From there a field is reached by a field move in
that subgraph or by an entity move to another one (through others, where keys are not shared directly). The stage
decides for each field of a site which subgraph resolves it. Costs are additive: whatever lies below a field costs the
same whatever its siblings cost, so the decisions of one site need only look at the requests that its fields can share.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from router.planner.contested import find_contested
from router.planner.covering import Candidate, Offer, choose_subgraphs
from router.planner.graph import Graph, LocatedField
from router.planner.guards import ALWAYS
from router.planner.operation import Block, FieldSelection, SelectionSet
from router.planner.options import REQUEST_COST, WAITING_COST, Option, Question, Wish, join_choices
from router.planner.sites import Assignment, Choice, ContextAbove, Route, Site, Source

_T = TypeVar("_T")


class PathFinder:
    """Finds the cheapest moves for one operation; remembers every answer, since many paths ask the same."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._assignments: dict[object, Assignment] = {}
        self._routes: dict[object, dict[str, Route]] = {}
        # Of the arguments in selections
        self._contexts: dict[SelectionSet, frozenset[str]] = {}
        # Questions being answered, with their depth: a question that comes up while it is being answered is a circle,
        # which never is the cheapest way.
        self._open: dict[object, int] = {}
        self._shallowest_circle = _NO_CIRCLE

    @property
    def answer_count(self) -> int:
        """How many questions were worked out: the measure of the stage's work."""
        return len(self._assignments) + len(self._routes)

    def assign(self, site: Site, selections: SelectionSet, present: frozenset[str] = frozenset()) -> Assignment:
        """Decide which subgraph resolves each field. *present* are subgraphs that are asked at this site anyway."""
        return self._answer(
            self._assignments,
            ("assign", site, selections, present),
            lambda: self._assign(site, selections, present),
            lambda: Assignment((), 0, selections),
        )

    def routes(self, site: Site, type_name: str) -> dict[str, Route]:
        """Return how each subgraph that can be asked about the site's objects of a type is reached most cheaply."""
        return self._answer(
            self._routes,
            ("routes", site, type_name),
            lambda: self._find_routes(site, type_name),
            dict,
        )

    def _answer(
        self, memo: dict[object, _T], question: object, work_out: Callable[[], _T], circular: Callable[[], _T]
    ) -> _T:
        """Answer from memory or by working it out.

        An answer that was cut short by a circle back to a question still open may be worse than the truth, so it is
        not remembered.
        """
        known = memo.get(question)
        if known is not None:
            return known
        open_at = self._open.get(question)
        if open_at is not None:
            self._shallowest_circle = min(self._shallowest_circle, open_at)
            return circular()
        depth = len(self._open)
        outer_circle, self._shallowest_circle = self._shallowest_circle, _NO_CIRCLE
        self._open[question] = depth
        try:
            answer = work_out()
        finally:
            del self._open[question]
        if self._shallowest_circle >= depth:
            memo[question] = answer
            self._shallowest_circle = outer_circle
        else:
            self._shallowest_circle = min(self._shallowest_circle, outer_circle)
        return answer

    # --- assignment ---

    def _assign(self, site: Site, selections: SelectionSet, present: frozenset[str]) -> Assignment:
        # An object's type is told with the object, also where only what is deferred depends on it
        selections = self._with_type_name(site, selections, site.block)
        blocks = dict.fromkeys(field.block for field in selections.fields)
        if len(blocks) > 1:
            return self._assign_by_block(site, selections, tuple(blocks), present)
        return self._assign_in_block(site, selections, present)

    def _assign_in_block(self, site: Site, selections: SelectionSet, present: frozenset[str]) -> Assignment:
        divided = self._find_divided(site, selections) if self.graph.has_contexts else frozenset()
        block = selections.fields[0].block if selections.fields else ()
        selections = self._with_type_name(site, selections, block, must_be_told=bool(divided))
        asked = self._ask(site, selections, divided)
        questions = list({id(question): question for _, question in asked}.values())
        choices: list[Choice] = []
        missing: list[FieldSelection] = []
        chosen = set(present)
        cost = 0
        # What has to be divided comes first: whoever is asked for the parts may as well be asked for more.
        for field, question in asked:
            if field.selections is None and question.incomplete:
                missing.append(field)
                continue
            picked: list[tuple[Wish, Option, FieldSelection]] = []
            for wish in question.incomplete:
                parts, left = self._split(wish, chosen)
                for option, part in parts:
                    picked.append((wish, option, part))
                    cost += option.cost
                    if not option.is_local:
                        chosen |= {option.subgraph} | self.routes(wish.origin, wish.type_name)[option.subgraph].via
                if left is not None:
                    missing.append(left)
            choices += join_choices(picked)
        chosen |= self._choose(questions, frozenset(chosen))
        cost += REQUEST_COST * len(chosen - present)
        grouped: dict[int, list[Choice]] = {}
        for question in questions:
            best: list[tuple[Wish, Option, FieldSelection]] = []
            for wish in question.complete:
                option = min(wish.complete_options, key=lambda one: self._preference(wish, one, chosen))
                best.append((wish, option, wish.field))
                cost += option.cost * question.count
            grouped[id(question)] = join_choices(best)
        for field, question in asked:
            group = grouped[id(question)]
            choices += group if question.count == 1 else [one.for_field(field) for one in group]
        return Assignment(
            tuple(choices),
            cost,
            SelectionSet(selections.type_name, _join_types(missing)) if missing else None,
        )

    def _ask(
        self, site: Site, selections: SelectionSet, divided: frozenset[FieldSelection]
    ) -> list[tuple[FieldSelection, Question]]:
        """Return each field with the ways to get it; leaves that are got alike share a question.

        Those *divided* may only be asked for once the objects' types are known.
        """
        runtime = self.runtime_types(site)
        contested = find_contested(selections) | divided
        told = replace(site, is_told=True) if self.is_unknown(site) else site
        questions: dict[object, Question] = {}
        asked: list[tuple[FieldSelection, Question]] = []
        for field in selections.fields:
            is_contested = field in contested
            mark = field if field.selections else (field.name, field.types, field.is_internal, is_contested)
            question = questions.get(mark)
            if question is None:
                question = questions[mark] = Question([], [])
                origin = told if is_contested else site
                for type_name in sorted(field.types & runtime):
                    wish = Wish(field, type_name, origin, is_contested, self._options(origin, type_name, field))
                    (question.complete if wish.complete_options else question.incomplete).append(wish)
            question.count += 1
            asked.append((field, question))
        return asked

    def _assign_by_block(
        self, site: Site, selections: SelectionSet, blocks: tuple[Block, ...], present: frozenset[str]
    ) -> Assignment:
        """Decide for each block apart: what is deferred shares no request with what is not."""
        parts = [
            self._assign_in_block(site, selections.only_block(block), present if block == site.block else frozenset())
            for block in blocks
        ]
        missing = [field for part in parts if part.missing is not None for field in part.missing.fields]
        return Assignment(
            tuple(choice for part in parts for choice in part.choices),
            sum(part.cost for part in parts),
            SelectionSet(selections.type_name, tuple(missing)) if missing else None,
        )

    def runtime_types(self, site: Site) -> frozenset[str]:
        """Return the object types that may stand at a site."""
        if site.subgraph is None:
            return frozenset({site.type_name})
        return self.graph.runtime_types(site.subgraph, site.type_name)

    def is_unknown(self, site: Site) -> bool:
        """Tell whether the site's objects carry an interface's name instead of their own type's."""
        return site.subgraph is not None and self.graph.is_interface_object(site.subgraph, site.type_name)

    def _find_divided(self, site: Site, selections: SelectionSet) -> frozenset[FieldSelection]:
        """Return the fields below which it matters for a context of which type the objects are, if nobody knows that.

        Some of these set a context then that others do not set, and an argument below comes from it.
        """
        if not self.is_unknown(site):
            return frozenset()
        set_here = [self.graph.contexts_of(name) for name in self.runtime_types(site)]
        of_some = frozenset().union(*set_here) - frozenset.intersection(*set_here)
        return frozenset(
            field for field in selections.fields if field.selections and self._comes_from(field.selections, of_some)
        )

    def _comes_from(self, selections: SelectionSet, contexts: frozenset[str]) -> bool:
        """Tell whether an argument in the selections comes from one of the contexts."""
        return not contexts.isdisjoint(self._contexts_in(selections))

    def _contexts_in(self, selections: SelectionSet) -> frozenset[str]:
        """Return the contexts that arguments in the selections come from."""
        if selections not in self._contexts:
            here = (
                argument.context
                for field in selections.fields
                for name in field.types
                for argument in self.graph.context_arguments(name, field.name)
            )
            below = (self._contexts_in(field.selections) for field in selections.fields if field.selections)
            self._contexts[selections] = frozenset(here).union(*below)
        return self._contexts[selections]

    def _with_type_name(
        self, site: Site, selections: SelectionSet, block: Block, *, must_be_told: bool = False
    ) -> SelectionSet:
        """Add `__typename` where objects come from an interface object but what is wanted depends on their type.

        It is added in *block*, where it may stand in another one, too.
        """
        if not self.is_unknown(site):
            return selections
        runtime = self.runtime_types(site)
        if not must_be_told and all(field.types >= runtime for field in selections.fields):
            return selections
        if any(
            field.response_key == "__typename"
            and field.types >= runtime
            and field.guard == ALWAYS
            and field.block == block
            for field in selections.fields
        ):
            return selections
        if ("__typename", block) not in selections.memo:
            type_name = FieldSelection("__typename", "__typename", runtime, is_internal=True, block=block)
            selections.memo["__typename", block] = SelectionSet(selections.type_name, (type_name, *selections.fields))
        return selections.memo["__typename", block]

    def _options(self, site: Site, type_name: str, field: FieldSelection) -> tuple[Option, ...]:
        local = None if site.is_told else self._local_option(site, type_name, field)
        # A deferred field may be slow, so it is not asked with what is not deferred: by its key, of whoever has it
        is_leaving = field.block != site.block and not field.is_internal and not self._is_known(site, type_name, field)
        if local is not None and local.missing is None and local.cost == 0 and not is_leaving:
            return (local,)
        options: list[Option] = []
        for subgraph in self.routes(site, type_name):
            is_return = is_leaving and local is not None and subgraph == site.subgraph
            if is_return and not self.graph.entity_keys(subgraph, type_name):
                # The way back by a key that is not resolvable is for requirements, which have no other
                continue
            option = self._remote_option(site, type_name, field, subgraph)
            if option is not None:
                options.append(option)
        if local is None or (is_leaving and any(option.missing is None for option in options)):
            return tuple(options)
        return (local, *options)

    def _is_known(self, site: Site, type_name: str, field: FieldSelection) -> bool:
        """Tell whether a leaf comes with the site's objects in any case: it takes no time to answer with it."""
        if site.subgraph is None or field.selections is not None:
            return False
        return field.name == "__typename" or any(
            one.name == field.name and not one.arguments
            for key in self.graph.own_keys(site.subgraph, type_name)
            for one in self.graph.field_set(type_name, key.selections).fields
        )

    def _local_option(self, site: Site, type_name: str, field: FieldSelection) -> Option | None:
        if site.subgraph is None:
            return None
        if field.name == "__typename":
            return None if self.is_unknown(site) else Option(site.subgraph, True, None, None, None, 0)
        found = self.local_field(site, type_name, field.name)
        if found is None:
            return None
        contexts = self._contexts_below(site, type_name, is_move=False) if self.graph.has_contexts else ()
        below_site = Site(site.subgraph, found.type_name, found.provides, block=field.block, contexts=contexts)
        below = self.assign(below_site, field.selections) if field.selections else None
        return Option(site.subgraph, True, found, below_site, below, 0)

    def _remote_option(self, site: Site, type_name: str, field: FieldSelection, subgraph: str) -> Option | None:
        if field.name == "__typename":
            if not self.graph.knows_concretely(subgraph, type_name):
                return None
            return Option(subgraph, False, None, None, None, 0)
        found = self.graph.field(subgraph, type_name, field.name)
        if found is None or found.is_external or not self._can_be_filled(site, type_name, found):
            return None
        requirement_cost = 0
        if found.requires:
            required = self.assign(site, self.graph.field_set(type_name, found.requires).in_block(field.block))
            if required.missing is not None:
                return None
            requirement_cost = required.cost
            if required.cost:
                requirement_cost += WAITING_COST
        is_move = site.subgraph is not None and type_name != self.graph.supergraph.query_type
        contexts = self._contexts_below(site, type_name, is_move=is_move) if self.graph.has_contexts else ()
        below_site = Site(subgraph, found.type_name, found.provides, block=field.block, contexts=contexts)
        below = self.assign(below_site, field.selections) if field.selections else None
        return Option(subgraph, False, found, below_site, below, requirement_cost)

    def local_field(self, site: Site, type_name: str, name: str) -> LocatedField | None:
        """Return a field that the site's subgraph can resolve right here, with what is provided below it."""
        if site.subgraph is None:
            return None
        found = self.graph.field(site.subgraph, type_name, name)
        provided = site.provides(type_name, name, self.graph)
        if found is None:
            return None
        if found.contexts and not all(
            any(above.name == one.context and above.is_outside for above in site.contexts) for one in found.contexts
        ):
            # What an answer itself brings cannot be an argument in its request: the objects are asked about once more
            return None
        if provided is not None:
            return replace(found, is_external=False, provides=(*found.provides, *provided))
        if found.is_external or found.requires:
            return None
        return found

    def _can_be_filled(self, site: Site, type_name: str, field: LocatedField) -> bool:
        """Tell whether a request for a field can have its arguments from contexts. One at the root is about nothing."""
        if not field.contexts:
            return True
        return type_name != self.graph.supergraph.query_type and all(
            site.levels_to(one.context) for one in field.contexts
        )

    def _contexts_below(self, site: Site, type_name: str, *, is_move: bool) -> tuple[ContextAbove, ...]:
        """Return the contexts above what a field of the site's objects of a type gives.

        With *is_move* a subgraph is asked for the field by a key of these objects.
        """
        found = {
            one.name: ContextAbove(one.name, one.levels and one.levels + 1, one.is_outside or is_move)
            for one in site.contexts
        }
        set_here = self.graph.contexts_of(type_name)
        if self.is_unknown(site) and not site.is_told:
            of_all = [self.graph.contexts_of(name) for name in self.runtime_types(site)]
            for name in frozenset().union(*of_all) - frozenset.intersection(*of_all):
                found[name] = ContextAbove(name, 0, False)
            set_here = frozenset.intersection(*of_all)
        found.update({name: ContextAbove(name, 1, False) for name in set_here})
        return tuple(found[name] for name in sorted(found))

    def _choose(self, questions: list[Question], present: frozenset[str]) -> frozenset[str]:
        """Choose the subgraphs to ask at a site, those *present* included."""
        offers: Counter[Offer] = Counter()
        for question in questions:
            for wish in question.complete:
                complete = wish.complete_options
                if len(complete) == 1 and complete[0].is_local:
                    continue
                routes = {} if all(one.is_local for one in complete) else self.routes(wish.origin, wish.type_name)
                offer = Offer(
                    home_cost=min((one.cost for one in complete if one.is_local), default=None),
                    candidates=tuple(
                        Candidate(one.subgraph, one.cost, routes[one.subgraph].via, routes[one.subgraph].waiting_cost)
                        for one in complete
                        if not one.is_local
                    ),
                )
                offers[offer] += question.count
        return choose_subgraphs(offers, present, REQUEST_COST) if offers else present

    def _preference(self, wish: Wish, option: Option, chosen: set[str]) -> tuple[int, int, str]:
        """Order options: those within reach of what was chosen by cost, at equal cost the local one first."""
        if option.is_local:
            return (option.cost, 0, option.subgraph)
        route = self.routes(wish.origin, wish.type_name)[option.subgraph]
        new = ({option.subgraph} | route.via) - chosen
        return (option.cost + REQUEST_COST * len(new) + route.waiting_cost, 1, option.subgraph)

    def _split(self, wish: Wish, chosen: set[str]) -> tuple[list[tuple[Option, FieldSelection]], FieldSelection | None]:
        """Divide a field that no single subgraph can resolve in whole among several, the most complete first."""
        parts: list[tuple[Option, FieldSelection]] = []
        left: FieldSelection | None = wish.field
        options = list(wish.options)
        while left is not None and options:

            def incompleteness(option: Option) -> tuple[int, tuple[int, int, str]]:
                preference = self._preference(wish, option, chosen)
                return (option.missing.leaf_count if option.missing else 0, preference)

            options.sort(key=incompleteness)
            best = options.pop(0)
            wanted = left.selections
            if wanted is None or best.missing is None or best.below is None or best.below.choices:
                parts.append((best, left))
                rest = best.missing
                left = replace(left, selections=rest) if rest is not None else None
            if left is not None:
                options = [
                    replace(option, below=self.assign(option.site, left.selections))
                    for option in options
                    if option.site is not None and left.selections is not None
                ]
        return parts, left

    # --- routes ---

    def _find_routes(self, site: Site, type_name: str) -> dict[str, Route]:
        """Find the cheapest way to each subgraph, nearest first (Dijkstra: a farther one goes through nearer ones)."""
        graph = self.graph
        if type_name == graph.supergraph.query_type or site.subgraph is None:
            return {
                subgraph: Route(subgraph, None, (), frozenset(), 0) for subgraph in graph.subgraphs_knowing(type_name)
            }
        routes: dict[str, Route] = {}
        waiting = list(graph.subgraphs_knowing(type_name))
        while waiting:
            best: tuple[int, str, Route] | None = None
            for subgraph in waiting:
                for route in self._routes_to(site, type_name, subgraph, routes):
                    rank = REQUEST_COST * len(route.via) + route.waiting_cost
                    if best is None or (rank, subgraph) < best[:2]:
                        best = (rank, subgraph, route)
            if best is None:
                break
            routes[best[1]] = best[2]
            waiting.remove(best[1])
        return routes

    def _routes_to(self, site: Site, type_name: str, subgraph: str, known: dict[str, Route]) -> Iterable[Route]:
        graph = self.graph
        # A subgraph comes back to its own objects by any key: a requirement could not be met otherwise.
        is_return = subgraph == site.subgraph
        entity_keys = graph.own_keys(subgraph, type_name) if is_return else graph.entity_keys(subgraph, type_name)
        keys = [(key, False) for key in entity_keys or graph.entity_keys(subgraph, type_name)]
        if self.is_unknown(site):
            interface = site.type_name
            # Only the interface's own keys work before the type is known; a concrete name has to be learnt first.
            keys = [(key, site.is_told or key.sent_typename == type_name) for key, _ in keys]
            if graph.knows_concretely(subgraph, type_name):
                keys = [(key, False) for key in graph.interface_keys(subgraph, interface)] + keys
        for key, needs_type_name in keys:
            wanted = graph.field_set(type_name, key.selections)
            sources: list[Source] = []
            via: frozenset[str] = frozenset()
            below_cost = 0
            fields = wanted.fields
            if needs_type_name:
                fields = (self._type_name_field(type_name), *fields)
            for field in fields:
                source = self._cheapest_source(site, type_name, field, known, via)
                if source is None:
                    break
                sources.append(source[0])
                below_cost += source[1]
                if source[0].subgraph is not None:
                    via |= {source[0].subgraph} | known[source[0].subgraph].via
            else:
                waiting_cost = below_cost + (WAITING_COST * (1 + len(via)) if via else 0)
                yield Route(subgraph, key.sent_typename, tuple(sources), via, waiting_cost)

    def choose_source(self, site: Site, type_name: str, source: Source, block: Block) -> Choice:
        """Return the choice that resolves a key's field where its route says, for a move in *block*."""
        wanted = source.field.in_block(block)
        if source.subgraph is None:
            option = self._local_option(site, type_name, wanted)
        else:
            option = self._remote_option(site, type_name, wanted, source.subgraph)
        assert option is not None
        return Choice(
            field=replace(wanted, types=frozenset({type_name})),
            subgraph=option.subgraph,
            origin=site,
            is_contested=False,
            is_local=option.is_local,
            located=option.located,
            site=option.site,
            below=option.below,
        )

    def _type_name_field(self, type_name: str) -> FieldSelection:
        holder = self.graph.possible_types(type_name)
        return FieldSelection("__typename", "__typename", holder, is_internal=True)

    def _cheapest_source(
        self, site: Site, type_name: str, field: FieldSelection, known: dict[str, Route], via: frozenset[str]
    ) -> tuple[Source, int] | None:
        """Return the source of a key's field and what lies below it costs: the site itself or a subgraph nearer by."""
        local = self._local_option(site, type_name, field)
        if local is not None and local.missing is None:
            return Source(field, None), local.cost
        best: tuple[int, str, Source, int] | None = None
        for subgraph, route in known.items():
            found = self.graph.field(subgraph, type_name, field.name)
            if found is not None and (found.requires or found.contexts):
                continue
            option = self._remote_option(site, type_name, field, subgraph)
            if option is None or option.missing is not None:
                continue
            new = ({subgraph} | route.via) - via
            cost = REQUEST_COST * len(new) + option.cost
            if best is None or (cost, subgraph) < best[:2]:
                best = (cost, subgraph, Source(field, subgraph), option.cost)
        return (best[2], best[3]) if best else None


_NO_CIRCLE = 1 << 60


def _join_types(fields: Iterable[FieldSelection]) -> tuple[FieldSelection, ...]:
    """Join fields that differ in their types only; they were one before they were looked at type by type."""
    joined: dict[tuple[object, ...], FieldSelection] = {}
    for field in fields:
        mark = (field.response_key, field.signature, field.guard, field.selections)
        known = joined.get(mark)
        joined[mark] = replace(known, types=known.types | field.types) if known else field
    return tuple(joined.values())
