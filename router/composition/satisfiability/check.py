"""Walk the API schema and look for fields that no reachable subgraph resolves."""

from collections import deque
from dataclasses import dataclass

from router.composition.api_schema import is_visible
from router.composition.landscape import Landscape
from router.composition.merged import MergedComposite, MergedField, MergedUnion, Supergraph
from router.composition.model import SourceLocation
from router.composition.report import Report
from router.composition.satisfiability.contexts import Context, Contexts, contexts_needed
from router.composition.satisfiability.moves import Moves, Places
from router.composition.satisfiability.places import Place, Resolvers, is_interface_object
from router.composition.satisfiability.reasons import explain
from router.composition.satisfiability.witness import Step, format_witness
from router.composition.type_refs import named_type

# A schema with one broken key can make thousands of fields unreachable; the first ones tell what is wrong.
MAX_ERRORS = 50


@dataclass(frozen=True, slots=True)
class _Visit:
    """An object or abstract type that a query reaches, the places it comes from, and the way there.

    *contexts* are those that objects on the way set.
    """

    type_name: str
    entries: Places
    path: tuple[Step, ...]
    contexts: frozenset[Context] = frozenset()


def check_satisfiability(landscape: Landscape, supergraph: Supergraph, api: Supergraph, report: Report) -> None:
    """Report every visible field that some query reaches and no subgraph can answer there."""
    labelled = any(
        override.label is not None and override.is_active
        for overrides in landscape.overrides.values()
        for override in overrides
    )
    # With progressive overrides, both sides must be answerable.
    for labels_active in (False, True) if labelled else (False,):
        resolvers = Resolvers(landscape, labels_active=labels_active)
        walk = _Walk(landscape, supergraph, api, Moves(landscape, resolvers), report)
        try:
            walk.run()
        except RecursionError:
            report.error(
                "SATISFIABILITY_ERROR",
                f"Keys and requirements of {'.'.join(walk.asked)} lead on to each other over so many steps that they"
                " cannot be followed.",
                *landscape.locate(*walk.asked),
                remedy="Shorten the chain: require what a subgraph resolves without requirements of its own.",
            )


class _Walk:
    def __init__(
        self, landscape: Landscape, supergraph: Supergraph, api: Supergraph, moves: Moves, report: Report
    ) -> None:
        self.landscape = landscape
        self.supergraph = supergraph
        self.api = api
        self.moves = moves
        self.report = report
        self.contexts = Contexts(landscape)
        self.queue: deque[_Visit] = deque()
        self.answered: dict[str, list[tuple[Places, frozenset[Context]]]] = {}
        self.reported: set[tuple[str, str]] = set()
        self.asked: tuple[str, ...] = ()
        """The type, or the type and the field, that is looked at right now."""

    def run(self) -> None:
        for operation, name in self.api.roots.items():
            entries = frozenset(Place(member.index, name) for member, _ in self.landscape.types[name])
            self.queue.append(_Visit(name, entries, (Step(operation),)))
        while self.queue and len(self.reported) < MAX_ERRORS:
            self.visit(self.queue.popleft())

    def visit(self, visit: _Visit) -> None:
        """Look at every object the visited type may be.

        Having more places or contexts never hurts, so a type that was fine with fewer of them is fine with these.
        """
        runtime_types = self.moves.runtime_types(visit.type_name, visit.entries)
        for concrete, entries in runtime_types.items():
            frozen = frozenset(entries)
            known = self.answered.setdefault(concrete, [])
            if any(fewer <= frozen and contexts <= visit.contexts for fewer, contexts in known):
                continue
            known.append((frozen, visit.contexts))
            path = visit.path
            if concrete != visit.type_name:
                path = (*path, Step(f"... on {concrete}"))
            self.visit_object(_Visit(visit.type_name, frozen, path, visit.contexts), concrete)

    def visit_object(self, visit: _Visit, concrete: str) -> None:
        """Look at all fields of an object that may be of the type *concrete*."""
        entries, path = visit.entries, visit.path
        self.asked = (concrete,)
        places = self.moves.reach_all(concrete, entries)
        if all(is_interface_object(self.moves.resolvers.member(place), place.type_name) for place in places):
            self.fail(concrete, "__typename", None, places, visit)
        below = visit.contexts | self.contexts.set_by(concrete)
        for field in self.fields_of(visit.type_name, concrete):
            self.asked = (concrete, field.name)
            found = list(self.moves.find_resolvers(concrete, places, field.name))
            if self.contexts.are_used:
                found = [resolver for resolver in found if contexts_needed(resolver.source) <= visit.contexts]
            if not found:
                self.fail(concrete, field.name, field, places, visit)
                continue
            target = self.supergraph.types.get(named_type(field.type))
            if isinstance(target, MergedComposite | MergedUnion):
                self.queue.append(
                    _Visit(
                        target.name,
                        frozenset(resolver.target for resolver in found),
                        (*path, Step(field.name, field)),
                        below,
                    )
                )

    def fields_of(self, declared: str, concrete: str) -> list[MergedField]:
        """Return what clients may ask of the object: of a hidden type, only what its visible interface offers."""
        merged = self.api.types.get(concrete) or self.api.types.get(declared)
        if not isinstance(merged, MergedComposite):
            return []
        hidden = self.supergraph.types.get(concrete)
        if isinstance(hidden, MergedComposite):
            return [field for field in merged.fields.values() if field.name in hidden.fields and is_visible(field)]
        return list(merged.fields.values())

    def fail(self, type_name: str, field_name: str, field: MergedField | None, places: Places, visit: _Visit) -> None:
        if (type_name, field_name) in self.reported:
            return
        self.reported.add((type_name, field_name))
        witness = format_witness((*visit.path, Step(field_name, field)), self.supergraph)
        reasons = explain(self.moves, type_name, field_name, places, visit.contexts)
        self.report.error(
            "SATISFIABILITY_ERROR",
            f"The query\n{witness}\ncannot be answered by the subgraphs:\n"
            + "\n".join(f"- {reason}" for reason in reasons),
            *(self.resolving_places(type_name, field_name) or self.landscape.locate(type_name, field_name)),
            query=witness,
            field=f"{type_name}.{field_name}",
        )

    def resolving_places(self, type_name: str, field_name: str) -> tuple[SourceLocation, ...]:
        """Return where the field is declared by subgraphs that resolve it."""
        sources = self.landscape.field_sources(type_name).get(field_name, ())
        return tuple(source.field.at for source in sources if not source.is_external)
