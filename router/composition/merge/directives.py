"""Merge the directives that subgraphs put on one element.

Most directives are for composition itself and end here. What stays in the supergraph:

1. GraphQL's own (`@deprecated`, `@specifiedBy`, `@oneOf`), where one application wins;
2. `@tag` and other repeatable ones: each different application once;
3. `@inaccessible`, `@authenticated`: once if anywhere;
4. `@requiresScopes`, `@policy`: every subgraph's requirement must hold (a conjunction of alternatives);
5. `@cost`, `@listSize`: the more cautious value;
6. what `@composeDirective` names;
7. `@cacheTag`, subgraph by subgraph, as `@join__directive`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    IntValueNode,
    ListValueNode,
    NameNode,
    ObjectFieldNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
)

from router.composition.composed import ComposedDirective
from router.composition.merge.type_choice import value_key
from router.composition.merged import AppliedDirective
from router.composition.subgraph import DirectiveUse, Family

MERGED_FEDERATION_DIRECTIVES = (
    "tag",
    "inaccessible",
    "authenticated",
    "requiresScopes",
    "policy",
    "cost",
    "listSize",
)
MERGED_BUILT_INS = ("deprecated", "specifiedBy", "oneOf")
Uses = Sequence[DirectiveUse]


def merge_directives(
    per_subgraph: Sequence[Uses], composed: Mapping[str, ComposedDirective], graphs: Mapping[str, str]
) -> tuple[AppliedDirective, ...]:
    """Merge the applications on one element, one entry of *per_subgraph* for each subgraph that has the element.

    *composed* are the custom directives that stay, by the name they are written with; *graphs* maps subgraphs to their
    ids.
    """
    if not any(per_subgraph):
        return ()
    merged: list[AppliedDirective] = []
    for name in (*MERGED_FEDERATION_DIRECTIVES, *MERGED_BUILT_INS):
        family = Family.BUILT_IN if name in MERGED_BUILT_INS else Family.FEDERATION
        found = [[use for use in uses if use.name == name and use.family is family] for uses in per_subgraph]
        found = [uses for uses in found if uses]
        if found:
            merged.extend(_merge_named(name, found))
    for name, directive in sorted(composed.items()):
        found = [
            [
                use
                for use in uses
                if use.written == name
                and use.family in {Family.CUSTOM, Family.LINKED}
                and use.at.subgraph in directive.subgraphs
            ]
            for uses in per_subgraph
        ]
        found = [uses for uses in found if uses]
        if found:
            merged.extend(_each_once(name, found) if directive.definition.repeatable else [_most_frequent(name, found)])
    merged.extend(_join_directives("cacheTag", per_subgraph, graphs))
    return tuple(merged)


def _join_directives(name: str, per_subgraph: Sequence[Uses], graphs: Mapping[str, str]) -> list[AppliedDirective]:
    """Keep a directive with the graphs that it counts for; equal applications become one."""
    found: dict[str, list[DirectiveUse]] = {}
    for uses in per_subgraph:
        for use in uses:
            if use.name == name and use.family is Family.FEDERATION:
                found.setdefault(arguments_key(use), []).append(use)
    return [
        AppliedDirective(
            "join__directive",
            {
                "graphs": ListValueNode(
                    values=tuple(
                        EnumValueNode(value=graph) for graph in dict.fromkeys(graphs[use.at.subgraph] for use in uses)
                    )
                ),
                "name": StringValueNode(value=f"federation__{name}", block=False),
                "args": ObjectValueNode(
                    fields=tuple(
                        ObjectFieldNode(name=NameNode(value=argument), value=value)
                        for argument, value in uses[0].arguments.items()
                    )
                ),
            },
        )
        for uses in found.values()
    ]


def _merge_named(name: str, found: list[list[DirectiveUse]]) -> list[AppliedDirective]:
    match name:
        case "tag":
            return _each_once(name, found)
        case "inaccessible" | "authenticated" | "oneOf":
            return [AppliedDirective(name)]
        case "requiresScopes":
            return [_conjunction(name, "scopes", found)]
        case "policy":
            return [_conjunction(name, "policies", found)]
        case "cost":
            return [AppliedDirective(name, {"weight": _largest(_values(found, "weight"))})]
        case "listSize":
            return [AppliedDirective(name, _merge_list_size(found))]
        case _:
            return [_most_frequent(name, found)]


def _each_once(name: str, found: list[list[DirectiveUse]]) -> list[AppliedDirective]:
    distinct: dict[str, DirectiveUse] = {}
    for uses in found:
        for use in uses:
            distinct.setdefault(arguments_key(use), use)
    return [AppliedDirective(name, use.arguments) for use in distinct.values()]


def arguments_key(use: DirectiveUse) -> str:
    """Return a text that is equal for applications with the same arguments."""
    return ",".join(sorted(f"{name}:{value_key(value)}" for name, value in use.arguments.items()))


def _most_frequent(name: str, found: list[list[DirectiveUse]]) -> AppliedDirective:
    counts: dict[str, int] = {}
    first: dict[str, DirectiveUse] = {}
    for uses in found:
        key = arguments_key(uses[0])
        counts[key] = counts.get(key, 0) + 1
        first.setdefault(key, uses[0])
    winner = max(counts, key=lambda key: counts[key])
    return AppliedDirective(name, first[winner].arguments)


def _values(found: list[list[DirectiveUse]], argument: str) -> list[ValueNode]:
    return [use.arguments[argument] for uses in found for use in uses if argument in use.arguments]


def _largest(values: Iterable[ValueNode]) -> ValueNode:
    return max(
        (value for value in values if isinstance(value, IntValueNode)),
        key=lambda value: int(value.value),
        default=IntValueNode(value="0"),
    )


def _merge_list_size(found: list[list[DirectiveUse]]) -> dict[str, ValueNode]:
    merged: dict[str, ValueNode] = {}
    if sizes := [value for value in _values(found, "assumedSize") if isinstance(value, IntValueNode)]:
        merged["assumedSize"] = _largest(sizes)
    for argument in ("slicingArguments", "sizedFields"):
        if lists := [value for value in _values(found, argument) if isinstance(value, ListValueNode)]:
            distinct = {value_key(entry): entry for value in lists for entry in value.values}
            merged[argument] = ListValueNode(values=tuple(distinct.values()))
    if flags := [value for value in _values(found, "requireOneSlicingArgument") if isinstance(value, BooleanValueNode)]:
        merged["requireOneSlicingArgument"] = BooleanValueNode(value=all(flag.value for flag in flags))
    return merged


def _conjunction(name: str, argument: str, found: list[list[DirectiveUse]]) -> AppliedDirective:
    """Combine requirements in disjunctive normal form: `(a or b) and (c)` is `(a and c) or (b and c)`."""
    requirements = [read_alternatives(uses[0].arguments.get(argument)) for uses in found]
    return AppliedDirective(name, {argument: write_alternatives(conjoin(requirements))})


Alternatives = tuple[tuple[str, ...], ...]


def read_alternatives(value: ValueNode | None) -> Alternatives:
    """Read `[["a", "b"], ["c"]]`: (a and b) or c."""
    if not isinstance(value, ListValueNode):
        return ()
    return tuple(
        tuple(entry.value for entry in group.values if isinstance(entry, StringValueNode))
        for group in value.values
        if isinstance(group, ListValueNode)
    )


def write_alternatives(alternatives: Alternatives) -> ListValueNode:
    """Write alternatives back as a value."""
    return ListValueNode(
        values=tuple(
            ListValueNode(values=tuple(StringValueNode(value=scope, block=False) for scope in group))
            for group in alternatives
        )
    )


def conjoin(requirements: Sequence[Alternatives]) -> Alternatives:
    """Return what satisfies all of *requirements*, without the alternatives that another one makes redundant."""
    present = [requirement for requirement in requirements if requirement]
    if len({_normal(requirement) for requirement in present}) <= 1:
        return present[0] if present else ()
    combined: list[frozenset[str]] = [frozenset()]
    for requirement in present:
        combined = [left | frozenset(right) for left in combined for right in requirement]
    minimal = {group for group in combined if not any(other < group for other in combined)}
    return tuple(sorted(tuple(sorted(group)) for group in minimal))


def _normal(alternatives: Alternatives) -> frozenset[frozenset[str]]:
    return frozenset(frozenset(group) for group in alternatives)


DirectiveMerger = Callable[[Sequence[Uses]], tuple[AppliedDirective, ...]]
