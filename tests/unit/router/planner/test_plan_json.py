"""The plan as JSON: a promise."""

import json

from router.planner.plan import (
    AT_ANY_TIME,
    BatchFetch,
    BatchPart,
    Condition,
    ContextVariable,
    Defer,
    Deferral,
    DeferredBlock,
    EntityTarget,
    Fetch,
    Flatten,
    KeyElement,
    KeyRename,
    ListElement,
    OperationKind,
    Parallel,
    Plan,
    RepresentationField,
    RepresentationFragment,
    Sequence,
    TypeElement,
)
from router.planner.plan_json import path_to_json, plan_to_json, print_plan_json

PATH = (KeyElement("media"), ListElement(), TypeElement(("Book", "Film")))
TARGET = EntityTarget(
    ("Book", "Film"),
    "Media",
    (
        RepresentationField("id", "_pasar_0"),
        RepresentationFragment(("Book",), (RepresentationField("isbn", "isbn"),)),
    ),
)
TARGET_JSON = {
    "types": ["Book", "Film"],
    "sentAs": "Media",
    "selections": [
        {"kind": "Field", "name": "id", "responseKey": "_pasar_0", "selections": []},
        {
            "kind": "Fragment",
            "types": ["Book"],
            "selections": [{"kind": "Field", "name": "isbn", "responseKey": "isbn", "selections": []}],
        },
    ],
}
CONTEXT = ContextVariable("locale", "String", 2, (RepresentationField("locale", "l"),))
CONTEXT_JSON = {
    "variable": "locale",
    "type": "String",
    "levels": 2,
    "selections": [{"kind": "Field", "name": "locale", "responseKey": "l", "selections": []}],
}
ROOT = Fetch("a", OperationKind.MUTATION, "mutation M($x: Int) { m(x: $x) }", "M", ("x",))
ROOT_JSON = {
    "kind": "Fetch",
    "subgraph": "a",
    "operation": {"kind": "mutation", "name": "M"},
    "document": "mutation M($x: Int) { m(x: $x) }",
    "variables": ["x"],
    "requires": [],
    "representationsVariable": None,
    "renames": [],
    "contexts": [],
}


def test_nothing_to_ask_is_null() -> None:
    assert plan_to_json(Plan(OperationKind.QUERY, None), "Q", frozenset({"b", "a"})) == {
        "version": 1,
        "operation": {"kind": "query", "name": "Q"},
        "labels": ["a", "b"],
        "requests": 0,
        "depth": 0,
        "plan": None,
    }


def test_every_kind_of_node_has_its_members() -> None:
    entities = Fetch(
        "b",
        OperationKind.QUERY,
        "query($r: [_Any!]!) { _entities(representations: $r) { ... on Media { x } } }",
        targets=(TARGET,),
        renames=(KeyRename((KeyElement("k"),), "x", "y"),),
        representations_variable="r",
        contexts=(CONTEXT,),
    )
    batch = BatchFetch(
        "c",
        "query { _e0: _entities(representations: $r0) { ... on Media { z } } }",
        (
            BatchPart((PATH, PATH[:1]), "_e0", "r0", (TARGET,), (), AT_ANY_TIME, (CONTEXT,)),
            BatchPart((PATH,), "_e1", "r1", (), (), ((("p", True), ("q", False)), (("s", True),))),
        ),
        "C",
        ("v",),
    )
    plan = Plan(
        OperationKind.MUTATION,
        Sequence((ROOT, Parallel((Flatten(PATH, entities), batch)), Condition("p", ROOT, None))),
    )
    assert plan_to_json(plan) == {
        "version": 1,
        "operation": {"kind": "mutation", "name": None},
        "labels": [],
        "requests": 4,
        "depth": 3,
        "plan": {
            "kind": "Sequence",
            "nodes": [
                ROOT_JSON,
                {
                    "kind": "Parallel",
                    "nodes": [
                        {
                            "kind": "Flatten",
                            "path": ["media", "@", "|Book,Film|"],
                            "node": {
                                "kind": "Fetch",
                                "subgraph": "b",
                                "operation": {"kind": "query", "name": None},
                                "document": entities.document,
                                "variables": [],
                                "requires": [TARGET_JSON],
                                "representationsVariable": "r",
                                "renames": [{"path": ["k"], "fetchedKey": "x", "responseKey": "y"}],
                                "contexts": [CONTEXT_JSON],
                            },
                        },
                        {
                            "kind": "BatchFetch",
                            "subgraph": "c",
                            "operation": {"kind": "query", "name": "C"},
                            "document": batch.document,
                            "variables": ["v"],
                            "parts": [
                                {
                                    "paths": [["media", "@", "|Book,Film|"], ["media"]],
                                    "answerKey": "_e0",
                                    "requires": [TARGET_JSON],
                                    "representationsVariable": "r0",
                                    "renames": [],
                                    "runsIf": None,
                                    "contexts": [CONTEXT_JSON],
                                },
                                {
                                    "paths": [["media", "@", "|Book,Film|"]],
                                    "answerKey": "_e1",
                                    "requires": [],
                                    "representationsVariable": "r1",
                                    "renames": [],
                                    "runsIf": [{"p": True, "q": False}, {"s": True}],
                                    "contexts": [],
                                },
                            ],
                        },
                    ],
                },
                {"kind": "Condition", "variable": "p", "then": ROOT_JSON, "otherwise": None},
            ],
        },
    }


def test_what_is_deferred_tells_by_which_use_of_defer_and_what_it_waits_for() -> None:
    later = Fetch("b", OperationKind.QUERY, "{ two }")
    block = DeferredBlock((Deferral(2, ("one",), "x", parent=1),), (), (1,), later)
    plan = Plan(OperationKind.QUERY, Defer(ROOT, (block,)))
    described = plan_to_json(plan, None)
    assert (described["requests"], described["depth"]) == (2, 2)
    assert described["plan"] == {
        "kind": "Defer",
        "primary": ROOT_JSON,
        "blocks": [
            {
                "deferrals": [{"number": 2, "path": ["one"], "label": "x", "parent": 1}],
                "waitsFor": [1],
                "node": plan_to_json(Plan(OperationKind.QUERY, later), None)["plan"],
            }
        ],
    }


def test_a_path_is_strings() -> None:
    assert path_to_json(PATH) == ["media", "@", "|Book,Film|"]
    assert path_to_json(()) == []


def test_the_text_is_json_and_the_same_every_time() -> None:
    plan = Plan(OperationKind.MUTATION, ROOT)
    text = print_plan_json(plan, "M", frozenset())
    assert json.loads(text) == plan_to_json(plan, "M")
    assert text == print_plan_json(plan, "M", frozenset())
    assert text.endswith("}\n")
