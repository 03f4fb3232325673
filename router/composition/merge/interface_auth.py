"""Interfaces ask for what their implementations ask for.

A query on an interface may meet any implementation, so a router that only looks at the interface must find there all
that the implementations demand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from router.composition.merge.directives import conjoin, read_alternatives, write_alternatives
from router.composition.merged import AppliedDirective, MergedComposite, MergedField, MergedType

_ALTERNATIVES = {"requiresScopes": "scopes", "policy": "policies"}


def propagate_auth(types: Mapping[str, MergedType]) -> dict[str, MergedType]:
    """Return *types* with the authorisation directives of objects also on their interfaces, field by field.

    The other way round, what an interface object demands for a field holds for the field of every implementation.
    """
    implementations: dict[str, list[MergedComposite]] = {}
    for merged in types.values():
        if isinstance(merged, MergedComposite) and not merged.is_interface:
            for interface in merged.interfaces:
                implementations.setdefault(interface, []).append(merged)
    completed = dict(types)
    for name, objects in implementations.items():
        interface_type = types.get(name)
        if isinstance(interface_type, MergedComposite):
            for each in objects:
                known = completed[each.name]
                assert isinstance(known, MergedComposite)
                fields = {
                    field.name: replace(
                        field,
                        directives=_combine([field.directives, _directives_of(interface_type.fields.get(field.name))]),
                    )
                    for field in known.fields.values()
                }
                completed[each.name] = replace(known, fields=fields)
            completed[name] = replace(
                interface_type,
                directives=_combine([interface_type.directives, *(each.directives for each in objects)]),
                fields={
                    field.name: _with_auth(field, [each.fields.get(field.name) for each in objects])
                    for field in interface_type.fields.values()
                },
            )
    return completed


def _directives_of(field: MergedField | None) -> tuple[AppliedDirective, ...]:
    return field.directives if field is not None else ()


def _with_auth(field: MergedField, implementing: Sequence[MergedField | None]) -> MergedField:
    # A field that an interface object gave to the implementations says nothing that the interface does not.
    own = [each for each in implementing if each is not None and not any(join.graph is None for join in each.joins)]
    return replace(field, directives=_combine([field.directives, *(each.directives for each in own)]))


def _combine(sources: Sequence[tuple[AppliedDirective, ...]]) -> tuple[AppliedDirective, ...]:
    """Keep the first source's directives, with the authorisation of all sources combined into them."""
    kept = [directive for directive in sources[0] if directive.name not in {"authenticated", *_ALTERNATIVES}]
    auth: list[AppliedDirective] = []
    if any(directive.name == "authenticated" for source in sources for directive in source):
        auth.append(AppliedDirective("authenticated"))
    for name, argument in _ALTERNATIVES.items():
        demands = [
            read_alternatives(directive.arguments.get(argument))
            for source in sources
            for directive in source
            if directive.name == name
        ]
        if demands:
            auth.append(AppliedDirective(name, {argument: write_alternatives(conjoin(demands))}))
    return (*kept, *auth) if auth else sources[0]
