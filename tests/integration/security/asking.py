"""How the rows of expected.py are asked, and how an answer reads."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tests.integration.security.expected import DOORS, NULL, SHOWN, Field, Read, Write
from tests.integration.security.things import Things

# Answered with a number or a truth value, which have no selection
SCALARS = frozenset({"logout", "logoutEverywhere"})


def filled(value: Any, things: Things) -> Any:
    """Return *value* with every `%(name)s` in its texts replaced by what *things* has."""
    match value:
        case str():
            return value % asdict(things)
        case Mapping():
            return {name: filled(inner, things) for name, inner in value.items()}
        case list() | tuple():
            return [filled(inner, things) for inner in value]
        case _:
            return value


def read_document(row: Read | Field, things: Things) -> tuple[str, str]:
    """Return the document for the router, and the path at which to look."""
    if isinstance(row, Read):
        return filled(row.document, things), row.path
    root, _ = DOORS[row.door]
    return f"{{ {filled(root, things)} {{ {row.selection} }} }}", f"{root.partition('(')[0]}.{row.path}"


def direct_document(row: Read | Field, things: Things) -> tuple[str, dict[str, Any], str]:
    """Return document, variables and path for a subgraph: by reference, where the door is an entity."""
    representation = DOORS[row.door][1] if isinstance(row, Field) else None
    if representation is None:
        document, path = read_document(row, things)
        return document, {}, path
    assert isinstance(row, Field)
    type_name = representation["__typename"]
    document = (
        f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on {type_name} {{ {row.selection} }} }} }}"
    )
    return document, {"r": [filled(representation, things)]}, f"_entities.0.{row.path}"


def write_document(row: Write, things: Things) -> tuple[str, dict[str, Any]]:
    """Return the document of a mutation and its variables."""
    selection = "" if row.mutation in SCALARS else " { __typename }"
    if not row.arguments:
        return f"mutation {{ {row.mutation}{selection} }}", {}
    declared = ", ".join(f"${name}: {type_}" for name, (type_, _) in row.arguments.items())
    passed = ", ".join(f"{name}: ${name}" for name in row.arguments)
    variables = {name: filled(value, things) for name, (_, value) in row.arguments.items()}
    return f"mutation({declared}) {{ {row.mutation}({passed}){selection} }}", variables


def read_outcome(response: Mapping[str, Any], path: str) -> str:
    """Return what a read came to: a code, or whether something is at *path*."""
    if response.get("errors"):
        # A refusal comes without what was refused
        assert find(response.get("data"), path) is None, json.dumps(response)[:500]
        return str(response["errors"][0]["extensions"]["code"])
    return NULL if find(response["data"], path) is None else SHOWN


def write_outcome(response: Mapping[str, Any], mutation: str) -> str:
    """Return what a mutation came to: a code, or the type of its result."""
    if response.get("errors"):
        assert (response.get("data") or {}).get(mutation) is None
        return str(response["errors"][0]["extensions"]["code"])
    result = response["data"][mutation]
    return str(result["__typename"]) if isinstance(result, dict) else str(result)


def find(value: Any, path: str) -> Any:
    """Return what is at *path* of an answer; None where a step of it is missing, null, or an empty list."""
    for step in path.split("."):
        if value is None:
            return None
        if step.isdecimal():
            value = value[int(step)] if len(value) > int(step) else None
        else:
            # Of a union, the member that came may not have the field
            value = value.get(step)
    return value
