"""Contexts: which ones an object sets for what is below it, and which ones a field needs."""

from collections.abc import Iterator
from typing import TypeAlias

from graphql import StringValueNode

from router.composition.annotations import read_context_name, split_context_field
from router.composition.landscape import FieldSource, Landscape
from router.composition.subgraph import directives_named

#: A subgraph's index, and a context's name there: contexts of different subgraphs are different.
Context: TypeAlias = tuple[int, str]


class Contexts:
    """Answers who sets and needs what; remembers what a type sets, since it is met again and again."""

    def __init__(self, landscape: Landscape) -> None:
        self._landscape = landscape
        self._set_by: dict[str, frozenset[Context]] = {}
        #: Whether any type sets one: else no field needs one either, by the rules that come first.
        self.are_used = any(
            directives_named(definition, "context")
            for definitions in landscape.types.values()
            for _, definition in definitions
        )

    def set_by(self, runtime: str) -> frozenset[Context]:
        """Return the contexts that an object of the type *runtime* sets: itself, by its interfaces and unions.

        The roots of mutations and subscriptions set none: to select something there would be one more side effect.
        """
        if runtime not in self._set_by:
            names = (runtime, *self._landscape.supertypes.get(runtime, ()))
            can_set = runtime not in ("Mutation", "Subscription")
            self._set_by[runtime] = frozenset(self._contexts_on(names)) if can_set else frozenset()
        return self._set_by[runtime]

    def _contexts_on(self, names: tuple[str, ...]) -> Iterator[Context]:
        for name in names:
            for member, definition in self._landscape.types.get(name, ()):
                for use in directives_named(definition, "context"):
                    context = read_context_name(use)
                    if context is not None:
                        yield (member.index, context)


def contexts_needed(source: FieldSource) -> frozenset[Context]:
    """Return the contexts that a field's arguments come from."""
    return frozenset(
        (source.member.index, name)
        for argument in source.field.arguments.values()
        for use in directives_named(argument, "fromContext")
        if isinstance(value := use.arguments.get("field"), StringValueNode)
        and (name := split_context_field(value.value)[0]) is not None
    )
