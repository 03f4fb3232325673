# ruff: noqa: E501 - SDL reads better with a type a line
"""Operations that are valid for clients but have no plan, because the supergraph is at fault."""

import pytest
from graphql import parse

from router.planner import PlanningError, plan_operation
from router.supergraph import Supergraph, read_supergraph

HEAD = """
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) {
  query: Query
}
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }
type Query @join__type(graph: A) @join__type(graph: B) { thing: Thing @join__field(graph: A) }
"""


def read(thing: str) -> Supergraph:
    return read_supergraph(HEAD + thing)


def refuse(supergraph: Supergraph, query: str) -> PlanningError:
    with pytest.raises(PlanningError) as refused:
        plan_operation(supergraph, parse(query))
    return refused.value


def test_field_without_a_key_to_it_is_named() -> None:
    supergraph = read(
        """
        type Thing @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", resolvable: false) {
          id: ID!
          far: Int @join__field(graph: B)
          part: Part @join__field(graph: A)
        }
        type Part @join__type(graph: A) @join__type(graph: B) { x: Int @join__field(graph: B) y: Int @join__field(graph: A) }
        """
    )
    error = refuse(supergraph, "{ thing { id away: far } }")
    assert (error.code, str(error)) == (
        "UNSATISFIABLE_OPERATION",
        "no subgraph can resolve thing.away, nor several together",
    )
    assert str(refuse(supergraph, "{ thing { part { y x } } }")) == (
        "no subgraph can resolve thing.part.x, nor several together"
    )


def test_requirements_that_require_each_other_are_refused() -> None:
    supergraph = read(
        """
        type Thing @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID!
          one: Int @join__field(graph: A, requires: "two") @join__field(graph: B, external: true)
          two: Int @join__field(graph: B, requires: "one") @join__field(graph: A, external: true)
        }
        """
    )
    assert refuse(supergraph, "{ thing { one } }").code == "UNSATISFIABLE_OPERATION"


def test_keys_that_need_each_other_are_refused() -> None:
    supergraph = read(
        """
        type Thing @join__type(graph: A) @join__type(graph: B, key: "k") {
          x: Int @join__field(graph: A)
          k: ID! @join__field(graph: B)
        }
        """
    )
    assert refuse(supergraph, "{ thing { x k } }").code == "UNSATISFIABLE_OPERATION"


CONTEXT = """
type Thing @join__type(graph: A, key: "id") @setting(name: "c") {
  id: ID!
  x: Int
  far: Int @join__field(graph: A, contextArguments: [{context: "c", name: "n", type: "Int", selection: "{ x }"}])
  part: Part
  next: Thing
}
type Part @join__type(graph: A) {
  size: Int @join__field(graph: A, contextArguments: [{context: "c", name: "n", type: "Int", selection: "{ x }"}])
}
"""


def read_with_context() -> Supergraph:
    link = '@link(url: "https://specs.apollo.dev/context/v0.1", as: "setting", for: SECURITY)'
    return read_supergraph(HEAD.replace(") {\n  query", f") {link} {{\n  query") + CONTEXT)


def test_argument_from_a_context_that_nothing_above_sets_is_refused_by_name() -> None:
    error = refuse(read_with_context(), "{ thing { far } }")
    assert error.code == "CONTEXT_NOT_SET_ABOVE"
    assert str(error) == "thing.far takes an argument from context 'c', which no object above it is known to set"


def test_argument_from_a_context_on_an_object_without_a_key_is_refused() -> None:
    error = refuse(read_with_context(), "{ thing { next { part { size } } } }")
    assert error.code == "UNSATISFIABLE_OPERATION"
    assert str(error) == "no subgraph can resolve thing.next.part.size, nor several together"


def test_root_of_a_mutation_sets_no_context_for_that_would_change_something() -> None:
    supergraph = read_supergraph(
        HEAD.replace("query: Query", "query: Query mutation: Mutation").replace(
            ") {\n  query", ') @link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY) {\n  query'
        )
        + """
        type Mutation @join__type(graph: A) @context(name: "c") { bump: Int make: Thing }
        type Thing @join__type(graph: A, key: "id") {
          id: ID!
          far: Int @join__field(graph: A, contextArguments: [{context: "c", name: "n", type: "Int", selection: "{ bump }"}])
        }
        """
    )
    assert refuse(supergraph, "mutation { make { far } }").code == "CONTEXT_NOT_SET_ABOVE"
