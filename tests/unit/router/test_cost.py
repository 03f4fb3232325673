from typing import Any

import pytest
from graphql import build_ast_schema, parse

from router.cost import CostEstimate, estimate_cost, read_cost_rules
from router.limits import select_operation

SDL = """
directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(
  assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true
) on FIELD_DEFINITION

type Query {
  user: User
  users: [User!]! @listSize(assumedSize: 5)
  page(first: Int, last: Int): [User!]! @listSize(slicingArguments: ["first", "last"], assumedSize: 7)
  connection(first: Int = 3): UserConnection! @listSize(slicingArguments: ["first"], sizedFields: ["edges"])
  report(year: Int @cost(weight: 20)): Report
  plain: [User]
  tags: [String!]!
}
type Mutation { rename: User }
type User { id: ID! name: String! friends: [User!]! score: Score avatar: String @cost(weight: 4) }
type UserConnection { edges: [UserEdge!]! total: Int! }
type UserEdge { node: User! }
type Report @cost(weight: 100) { sum: Int! }
scalar Score @cost(weight: 3)
"""

SCHEMA = build_ast_schema(parse(SDL))
RULES = read_cost_rules(parse(SDL))


def estimate(text: str, variables: dict[str, Any] | None = None) -> CostEstimate:
    document = parse(text)
    operation = select_operation(document, None)
    return estimate_cost(SCHEMA, RULES, document, operation, variables or {}, assumed_list_size=10)


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ user { id name } }", 1),
        ("{ __typename __schema { types { name } } }", 0),
        ("{ tags }", 0),
        ("mutation { rename { name } }", 11),
        # a list is its size times its item
        ("{ users { name } }", 5),
        ("{ users { friends { name } } }", 5 * (1 + 10)),
        ("{ plain { name } }", 10),
        ("{ page(first: 2) { name } }", 2),
        ("{ page(first: 2, last: 4) { name } }", 4),
        ("{ page { name } }", 7),
        ("{ page(first: -1) { name } }", 0),
        # the connection itself, its edges, their nodes
        ("{ connection(first: 4) { total edges { node { name } } } }", 1 + 4 * 2),
        # weights replace the defaults
        ("{ user { score avatar } }", 1 + 3 + 4),
        ("{ report { sum } }", 100),
        ("{ report(year: 2026) { sum } }", 120),
        # fragments count where they are spread
        ("{ user { ...F } users { ...F } } fragment F on User { friends { id } }", 11 + 5 * 11),
        ("{ ... on Query { user { id } } ... { user { id } } }", 2),
    ],
)
def test_an_operation_is_estimated_by_its_objects(text: str, cost: int) -> None:
    assert estimate(text) == CostEstimate(cost, depends_on_variables=False)


def test_a_variable_that_slices_makes_the_cost_depend_on_it() -> None:
    text = "query ($n: Int = 6) { page(first: $n) { name } }"
    assert estimate(text, {"n": 3}) == CostEstimate(3, depends_on_variables=True)
    assert estimate(text) == CostEstimate(6, depends_on_variables=True)
    assert estimate(text, {"n": None}) == CostEstimate(7, depends_on_variables=True)


def test_a_variable_elsewhere_does_not() -> None:
    assert estimate("query ($y: Int) { report(year: $y) { sum } }", {"y": 1}) == CostEstimate(120, False)


def test_fragments_that_double_are_estimated_without_spreading_them_out() -> None:
    doubling = " ".join(f"fragment F{n} on User {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
    text = f"{{ user {{ ...F0 }} }} {doubling} fragment F60 on User {{ avatar }}"
    assert estimate(text).cost == 1 + 4 * 2**60
