"""The plan as JSON. The structure is a promise, written down in docs/plan.md: change it only together with VERSION."""

import json
from typing import Any, assert_never

from router.planner.plan import (
    AT_ANY_TIME,
    BatchFetch,
    BatchPart,
    Condition,
    ContextVariable,
    Defer,
    EntityTarget,
    Fetch,
    Flatten,
    KeyElement,
    KeyRename,
    ListElement,
    OperationKind,
    Parallel,
    Plan,
    PlanNode,
    RepresentationField,
    RepresentationFragment,
    RepresentationSelection,
    ResponsePath,
    Sequence,
    TypeElement,
)
from router.planner.plan_text import count_fetches, measure_depth

# Goes up when a member is renamed, removed or changes its meaning; new members and new kinds do not count
VERSION = 1

Json = dict[str, Any]


def print_plan_json(plan: Plan, operation_name: str | None, labels: frozenset[str]) -> str:
    """Return the plan as JSON text, the same for the same plan."""
    return json.dumps(plan_to_json(plan, operation_name, labels), indent=2, ensure_ascii=False) + "\n"


def plan_to_json(plan: Plan, operation_name: str | None = None, labels: frozenset[str] = frozenset()) -> Json:
    """Return the plan as values that JSON can hold; `plan` is None when no subgraph is needed."""
    return {
        "version": VERSION,
        "operation": {"kind": plan.kind.value, "name": operation_name},
        "labels": sorted(labels),
        "requests": count_fetches(plan.root),
        "depth": measure_depth(plan.root),
        "plan": None if plan.root is None else _node(plan.root),
    }


def path_to_json(path: ResponsePath) -> list[str]:
    """Return a path as strings: a response key, `@` for a list's items, `|Book,Film|` for objects of these types."""
    parts: list[str] = []
    for element in path:
        match element:
            case KeyElement(response_key):
                parts.append(response_key)
            case ListElement():
                parts.append("@")
            case TypeElement(type_names):
                parts.append(f"|{','.join(type_names)}|")
            case _:
                assert_never(element)
    return parts


def _node(node: PlanNode) -> Json:
    match node:
        case Fetch():
            return _fetch(node)
        case Flatten(path, fetch):
            return {"kind": "Flatten", "path": path_to_json(path), "node": _fetch(fetch)}
        case BatchFetch():
            return _batch(node)
        case Sequence(nodes):
            return {"kind": "Sequence", "nodes": [_node(one) for one in nodes]}
        case Parallel(nodes):
            return {"kind": "Parallel", "nodes": [_node(one) for one in nodes]}
        case Condition(variable, then, otherwise):
            return {
                "kind": "Condition",
                "variable": variable,
                "then": None if then is None else _node(then),
                "otherwise": None if otherwise is None else _node(otherwise),
            }
        case Defer(primary, blocks):
            return {
                "kind": "Defer",
                "primary": None if primary is None else _node(primary),
                "blocks": [
                    {
                        "deferrals": [
                            {"number": one.number, "path": list(one.path), "label": one.label, "parent": one.parent}
                            for one in block.deferrals
                        ],
                        "waitsFor": list(block.waits_for),
                        "node": _node(block.node),
                    }
                    for block in blocks
                ],
            }
        case _:
            assert_never(node)


def _fetch(fetch: Fetch) -> Json:
    return {
        "kind": "Fetch",
        "subgraph": fetch.subgraph,
        "operation": {"kind": fetch.kind.value, "name": fetch.operation_name},
        "document": fetch.document,
        "variables": list(fetch.variables),
        "requires": [_target(target) for target in fetch.targets],
        "representationsVariable": fetch.representations_variable if fetch.targets else None,
        "renames": [_rename(rename) for rename in fetch.renames],
        "contexts": [_context(context) for context in fetch.contexts],
    }


def _batch(batch: BatchFetch) -> Json:
    return {
        "kind": "BatchFetch",
        "subgraph": batch.subgraph,
        "operation": {"kind": OperationKind.QUERY.value, "name": batch.operation_name},
        "document": batch.document,
        "variables": list(batch.variables),
        "parts": [_part(part) for part in batch.parts],
    }


def _part(part: BatchPart) -> Json:
    return {
        "paths": [path_to_json(path) for path in part.paths],
        "answerKey": part.answer_key,
        "requires": [_target(target) for target in part.targets],
        "representationsVariable": part.representations_variable,
        "renames": [_rename(rename) for rename in part.renames],
        "runsIf": None if part.runs_if == AT_ANY_TIME else [dict(alternative) for alternative in part.runs_if],
        "contexts": [_context(context) for context in part.contexts],
    }


def _target(target: EntityTarget) -> Json:
    return {
        "types": list(target.type_names),
        "sentAs": target.sent_typename,
        "selections": [_selection(selection) for selection in target.selections],
    }


def _selection(selection: RepresentationSelection) -> Json:
    match selection:
        case RepresentationField(name, response_key, selections):
            return {
                "kind": "Field",
                "name": name,
                "responseKey": response_key,
                "selections": [_selection(one) for one in selections],
            }
        case RepresentationFragment(type_names, selections):
            return {
                "kind": "Fragment",
                "types": list(type_names),
                "selections": [_selection(one) for one in selections],
            }
        case _:
            assert_never(selection)


def _context(context: ContextVariable) -> Json:
    return {
        "variable": context.name,
        "type": context.type,
        "levels": context.levels,
        "selections": [_selection(selection) for selection in context.selections],
    }


def _rename(rename: KeyRename) -> Json:
    return {
        "path": path_to_json(rename.path),
        "fetchedKey": rename.fetched_key,
        "responseKey": rename.response_key,
    }
