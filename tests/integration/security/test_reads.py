"""Who reads what: every root query, and every field that shows money or a person. The table is in expected.py."""

from typing import Any

import pytest

from core.subgraph import Call
from router.supergraph.reading import read_supergraph
from tests.integration.security.asking import direct_document, filled, read_document, read_outcome
from tests.integration.security.expected import (
    CALLERS,
    FIELDS,
    IN_ANSWERS,
    IN_EVENTS,
    LOGIN,
    READS,
    SUBSCRIPTIONS,
    Field,
    Read,
)
from tests.integration.security.things import Things, make_all_things
from tests.integration.security.world import PEOPLE, SERVICE, World
from tests.testkit.callers import Caller
from tests.testkit.declared import ROOTS, Declarations

ROWS: tuple[Read | Field, ...] = (*READS, *FIELDS)


def name_of(row: Read | Field) -> str:
    return row.coordinate if isinstance(row, Field) else row.document


@pytest.fixture(scope="module")
async def things(world: World) -> Things:
    return await make_all_things(world)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
async def test_each_caller_reads_what_is_theirs(world: World, things: Things, row: Read | Field) -> None:
    before = await world.snapshot()
    document, path = read_document(row, things)
    outcomes = {name: read_outcome(await world.ask(document, by=identity), path) for name, identity in PEOPLE.items()}
    outcomes["service"] = await _outcome_for_service(world, row, things)
    assert outcomes == dict(zip(CALLERS, row.expected, strict=True))
    assert await world.snapshot() == before


async def _outcome_for_service(world: World, row: Read | Field, things: Things) -> str:
    document, variables, path = direct_document(row, things)
    by_reference = isinstance(row, Field) and variables
    subgraph = (
        world.subgraph_of(variables["r"][0]["__typename"], row.path.partition(".")[0])
        if by_reference
        else world.subgraph_of("Query", path.partition(".")[0])
    )
    return read_outcome(await world.ask_directly(subgraph, document, variables, by=SERVICE), path)


def test_every_query_of_the_api_is_in_the_table(world: World) -> None:
    query = read_supergraph(world.supergraph_sdl).api_schema.query_type
    assert query is not None
    assert set(query.fields) == {row.root for row in READS}


def test_every_subscription_of_the_api_is_in_the_table(world: World) -> None:
    subscription = read_supergraph(world.supergraph_sdl).api_schema.subscription_type
    assert subscription is not None
    assert set(subscription.fields) == {row.root for row in SUBSCRIPTIONS}


@pytest.mark.parametrize("row", SUBSCRIPTIONS, ids=name_of)
async def test_each_caller_subscribes_to_what_they_may_read(world: World, things: Things, row: Read) -> None:
    before = await world.snapshot()
    document = filled(row.document, things)
    outcomes = {name: read_outcome(await world.ask(document, by=who), row.path) for name, who in PEOPLE.items()}
    subgraph = Caller(world.subgraphs[world.subgraph_of("Subscription", row.root)])
    outcomes["service"] = read_outcome(await subgraph.first_event(document, by=SERVICE), row.path)
    assert outcomes == dict(zip(CALLERS, row.expected, strict=True))
    # Past the router, whoever comes without an assertion is nobody
    events = subgraph.subgraph.subscribe(document, None, None, Call())
    assert read_outcome(await anext(events), row.path) == LOGIN
    assert [event async for event in events] == []
    assert await world.snapshot() == before


def test_every_field_that_shows_money_or_a_person_is_in_the_table(world: World) -> None:
    sensitive = {
        field.coordinate for field in Declarations(world.supergraph_sdl).sensitive() if field.type_name not in ROOTS
    }
    rows = {row.coordinate for row in FIELDS}
    assert sensitive - rows - IN_ANSWERS - IN_EVENTS == set()
    assert sensitive >= IN_ANSWERS | IN_EVENTS
    # And nothing is there that does not exist any more
    assert rows <= {field.coordinate for field in Declarations(world.supergraph_sdl).fields}


def test_every_field_that_needs_a_scope_or_a_login_is_in_the_table(world: World) -> None:
    guarded = {
        field.coordinate
        for field in Declarations(world.supergraph_sdl).fields
        if field.type_name not in ROOTS and field.rules & {"authenticated", "requiresScopes", "policy"}
    }
    assert guarded <= {row.coordinate for row in FIELDS}


async def test_what_one_reads_of_oneself_is_of_oneself(world: World, things: Things) -> None:
    for name, identity in PEOPLE.items():
        me: dict[str, Any] = (await world.ask("{ me { id orders { nodes { id } } } }", by=identity))["data"]["me"]
        if name == "anonymous":
            assert me is None
            continue
        assert me["id"] == identity.subject
        if name == "owner":
            assert {node["id"] for node in me["orders"]["nodes"]} >= {things.order}
        else:
            assert not me["orders"]["nodes"]
