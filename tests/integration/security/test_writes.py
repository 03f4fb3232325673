"""Who changes what: every mutation, by everybody. Whoever is refused has changed nothing. See expected.py."""

import pytest
from graphql import GraphQLObjectType, parse

from router.authorisation import read_authorisation
from router.supergraph.reading import read_supergraph
from tests.integration.security.asking import write_document, write_outcome
from tests.integration.security.expected import CALLERS, DONE, WRITES, Write
from tests.integration.security.things import make_things
from tests.integration.security.world import PEOPLE, SERVICE, World
from tests.testkit.callers import Caller
from tests.testkit.shop import ANI, BUDI


@pytest.mark.parametrize("row", WRITES, ids=[f"{row.mutation}-{number}" for number, row in enumerate(WRITES)])
async def test_each_caller_changes_what_is_theirs_and_what_staff_does_is_audited(world: World, row: Write) -> None:
    # An owner has a limited number of schedules
    await world.subgraphs["sync"].runtime.database["schedules"].delete_many({})
    things = await make_things(world, stage=row.stage)
    await world.subgraphs["order"].runtime.database["carts"].delete_many({})
    document, variables = write_document(row, things)
    outcomes, audited = {}, {}
    for name in CALLERS:
        await world.forget_attempts()
        before, entries = await world.snapshot(), await world.audited(row.audited_as)
        if name == "service":
            subgraph = world.subgraph_of("Mutation", row.mutation)
            response = await world.ask_directly(subgraph, document, variables, by=SERVICE)
        else:
            response = await world.ask(document, variables, by=PEOPLE[name])
        outcomes[name] = write_outcome(response, row.mutation)
        audited[name] = await world.audited(row.audited_as) - entries
        if outcomes[name] not in DONE:
            assert await world.snapshot() == before, f"{name} was refused ({outcomes[name]}) and changed something"
    assert outcomes == dict(zip(CALLERS, row.expected, strict=True))
    # The first of staff and admin to do it has done something; the second may have found it done
    did = [name for name in ("staff", "admin") if outcomes[name] in DONE] if row.audited_as else []
    assert [name for name in did if audited[name]][:1] == did[:1]
    assert {name: number for name, number in audited.items() if number > 1 or (number and name not in did)} == {}


def test_every_mutation_of_the_api_is_in_the_table(world: World) -> None:
    mutation = read_supergraph(world.supergraph_sdl).api_schema.mutation_type
    assert mutation is not None
    assert set(mutation.fields) == {row.mutation for row in WRITES}


def test_every_mutation_that_requires_a_scope_is_audited(world: World) -> None:
    supergraph = read_supergraph(world.supergraph_sdl)
    mutation = supergraph.api_schema.mutation_type
    assert isinstance(mutation, GraphQLObjectType)
    rules = read_authorisation(parse(world.supergraph_sdl))
    scoped = {
        name
        for name in mutation.fields
        if any(requirement.scopes for requirement in rules.guard_of(supergraph.api_schema, mutation, name))
    }
    assert "packOrder" in scoped
    for row in WRITES:
        if row.mutation in scoped:
            assert row.audited_as, f"{row.mutation} requires a scope, and the table does not say how it is audited"
            # And the row shows it: somebody of the store does it
            assert DONE & set(row.expected[2:4]), row.mutation


async def test_what_was_audited_is_read_by_an_administrator(world: World) -> None:
    things = await make_things(world)
    document = "mutation($id: ID!) { packOrder(id: $id) { __typename } }"
    await world.ask(document, {"id": things.order}, by=PEOPLE["staff"])
    await world.shop.deliver_events()
    log = '{ auditLog(filter: {action: "ORDER_PACKED"}, first: 1) { nodes { actorId target } } }'
    response = await world.ask(log, by=PEOPLE["admin"])
    assert response["data"]["auditLog"]["nodes"] == [{"actorId": "usr_staff", "target": things.order}]


async def test_an_idempotency_key_is_its_buyers_own(world: World) -> None:
    await world.subgraphs["order"].runtime.database["carts"].delete_many({})
    await world.shop.stock_up(shared=10)
    orders = []
    for identity in (ANI, BUDI):
        await world.shop.put_in_cart(identity, shared=1)
        orders.append((await world.shop.check_out(identity, "the same key"))["order"]["id"])
    assert len(set(orders)) == 2
    # A third time with an empty cart: each gets the own order again
    again = [(await world.shop.check_out(identity, "the same key"))["order"]["id"] for identity in (ANI, BUDI)]
    assert again == orders


async def test_a_cart_is_changed_for_its_owner_alone(world: World) -> None:
    await world.subgraphs["order"].runtime.database["carts"].delete_many({})
    await world.shop.stock_up(own=10)
    await world.shop.put_in_cart(ANI, own=2)
    order = Caller(world.subgraphs["order"])
    await order.data("mutation { clearCart { __typename } }", by=BUDI)
    assert await world.shop.cart(ANI) == {"prd_own": 2}
    assert await world.shop.cart(BUDI) == {}
