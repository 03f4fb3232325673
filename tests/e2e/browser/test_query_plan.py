"""The panel "Query plan" of GraphiQL, against a real router: what a person sees, hears and reaches by the keyboard."""

import asyncio
import json
import re
from typing import Any

import pytest
from inline_snapshot import snapshot

from router.config import load_config
from tests.testkit.browser import ARTIFACTS, find_chromium, require_build
from tests.testkit.market import open_market
from tests.testkit.node import run_node
from tests.testkit.router_server import running_market_router

QUERY = "query Wares { products { name seller { name } } users { name products { name } } fails }"
DEFERRED = 'query Later { user(id: "u1") { name ... @defer(label: "wares") { products { name } } } }'
SUBSCRIPTION = "subscription Ticks { ticks(count: 2) }"

pytestmark = [pytest.mark.browser, pytest.mark.node]


async def look(who: str, *operations: tuple[str, str]) -> dict[str, Any]:
    """Run each operation until the text beside it is seen, on a router that gives its plans to *who*."""
    chromium = find_chromium()
    require_build()
    asked = [{"query": query, "until": until} for query, until in operations]
    config = load_config(environ={}, overrides={"expose_query_plan": who})
    async with running_market_router(open_market(), config) as url:
        output = await asyncio.to_thread(
            run_node, "browser", "query_plan.mjs", chromium, url, str(ARTIFACTS), stdin=json.dumps(asked)
        )
        origin = url.removesuffix("/graphql")
    seen: dict[str, Any] = json.loads(output)
    assert [address for address in seen["requests"] if not address.startswith((origin, "data:", "blob:"))] == []
    assert seen["problems"] == []
    return seen


def without_times(text: str) -> str:
    return re.sub(r"[0-9.]+ ms", "N ms", text)


def outline(panel: str) -> str:
    """Return a panel's roles and accessible names, without times and without what buttons show beside their names."""
    return re.sub(r"""- '(button ".*")': .*""", r"- \1", without_times(panel))


async def test_a_person_sees_the_fetches_of_the_last_answer_and_how_long_they_took() -> None:
    for file in ARTIFACTS.glob("query-plan-*.png"):
        file.unlink()
    operations = ((SUBSCRIPTION, '"ticks": 1'), (DEFERRED, "Spoon"), (QUERY, "Internal server error"))
    seen = await look("everybody", *operations)
    panels = [outline(panel) for panel in seen["panels"]]
    assert without_times(seen["before"]) == snapshot("""\
- region "Query plan":
  - text: Query plan
  - switch "Ask for the plan"
  - text: Ask for the plan
  - status: Switch this on and run an operation to see how it was answered.\
""")
    assert panels[0] == snapshot("""\
- region "Query plan":
  - text: Query plan
  - switch "Ask for the plan" [checked]
  - text: Ask for the plan
  - status: At most 1 request, depth 1. N ms in all.
  - list "Fetches":
    - listitem:
      - button "Fetch 1 from catalog: ok, took N ms, sent after N ms"
  - group: Plan as text\
""")
    assert panels[1] == snapshot("""\
- region "Query plan":
  - text: Query plan
  - switch "Ask for the plan" [checked]
  - text: Ask for the plan
  - status: At most 2 requests, depth 2. N ms in all.
  - list "Fetches":
    - listitem:
      - text: For the first part
      - list "For the first part":
        - listitem:
          - button "Fetch 1 from accounts: ok, took N ms, sent after N ms"
    - listitem:
      - text: "Deferred: wares (after fetch 1)"
      - 'list "Deferred: wares (after fetch 1)"':
        - listitem:
          - button "Fetch 2 from catalog: ok, took N ms, sent after N ms, about 1 object"
  - group: Plan as text\
""")
    assert panels[2] == snapshot("""\
- region "Query plan":
  - text: Query plan
  - switch "Ask for the plan" [checked]
  - text: Ask for the plan
  - status: At most 4 requests, depth 2. N ms in all.
  - list "Fetches":
    - listitem:
      - text: At the same time
      - list "At the same time":
        - listitem:
          - text: One after the other
          - list "One after the other":
            - listitem:
              - button "Fetch 1 from catalog: ok, took N ms, sent after N ms"
            - listitem:
              - button "Fetch 2 from accounts: ok, took N ms, sent after N ms, about 2 objects"
        - listitem:
          - text: One after the other
          - list "One after the other":
            - listitem:
              - button "Fetch 3 from accounts: answered with errors, took N ms, sent after N ms"
            - listitem:
              - button "Fetch 4 from catalog: ok, took N ms, sent after N ms, about 2 objects"
  - group: Plan as text\
""")
    # The editor shows the answer alone
    assert [result for result in seen["results"] if "queryPlan" in result] == []
    # Tab and Enter are enough
    assert seen["document"].split() == ["{", "products", "{", "name", "seller", "{", "__typename", "id", "}", "}", "}"]
    assert [without_times(label) for label in seen["focused"]] == [
        "Document of fetch 1",
        "Fetch 2 from accounts: ok, took N ms, sent after N ms, about 2 objects",
    ]
    assert "Fetch(accounts) { __typename id } => { ... on User { name } }" in seen["text"]
    # Every text is readable in both themes
    assert {theme: contrast >= 4.5 for theme, contrast in seen["contrast"].items()} == {"light": True, "dark": True}
    assert sorted(file.name for file in ARTIFACTS.glob("query-plan-*.png")) == [
        "query-plan-dark.png",
        "query-plan-light.png",
    ]


async def test_whoever_may_not_have_the_plan_reads_why_there_is_none() -> None:
    seen = await look("admins", (QUERY, "Internal server error"))
    [panel] = seen["panels"]
    assert "The last answer has no plan. The router gives it in development" in panel
    assert "or to admins: log in as one" in panel
    assert 'list "Fetches"' not in panel
    assert "Teapot" in seen["results"][0]
