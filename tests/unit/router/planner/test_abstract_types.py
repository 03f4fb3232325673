# ruff: noqa: E501 - a plan has a request a line, whatever its length
"""Plans through interfaces and unions."""

from inline_snapshot import snapshot

from router.planner import count_fetches, format_plan
from tests.unit.router.planner.conftest import PlanFor


def test_field_of_an_interface_is_asked_of_the_interface(plan_for: PlanFor) -> None:
    plan = plan_for("interface-of-entities", "{ nodes { id } }")
    assert format_plan(plan) == snapshot("Fetch(a) { nodes { __typename id } }")
    assert count_fetches(plan.root) == snapshot(1)


def test_types_of_an_interface_share_an_entity_fetch(plan_for: PlanFor) -> None:
    plan = plan_for("interface-of-entities", "{ nodes { ... on User { name } ... on Product { name price } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { nodes { __typename id ... on Product { price } } }
  Flatten(nodes.@)
    Fetch(b) { ... on Product { __typename id } ... on User { __typename id } } => { ... on Named { name } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_fragment_on_an_interface_the_subgraph_does_not_know_is_expanded(plan_for: PlanFor) -> None:
    plan = plan_for("interface-of-entities", "{ nodes { ... on Named { name } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { nodes { __typename id } }
  Flatten(nodes.@)
    Fetch(b) { ... on Product { __typename id } ... on User { __typename id } } => { ... on Named { name } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_what_follows_below_one_type_is_fetched_for_that_type(plan_for: PlanFor) -> None:
    plan = plan_for("interface-of-entities", "{ nodes { ... on Product { maker { name } } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { nodes { __typename ... on Product { id } } }
  Flatten(nodes.@)
    Fetch(b) { __typename id } => { ... on Product { maker { name } } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_interface_field_that_one_subgraph_lacks_is_fetched_per_type(plan_for: PlanFor) -> None:
    plan = plan_for("interface-fields-elsewhere", "{ media { id title } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { media { __typename id ... on Book { title } } }
  Flatten(media.@)
    Fetch(b) { __typename id } => { ... on Film { title } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_interfaces_of_another_subgraph_are_expanded(plan_for: PlanFor) -> None:
    plan = plan_for("interface-unknown-in-subgraph", "{ search { ... on Titled { title } ... on Long { length } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { search { __typename ... on Film { length id } ... on Book { id } } }
  Flatten(search.@)
    Fetch(b) { ... on Book { __typename id } ... on Film { __typename id } } => { ... on Titled { title } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_member_that_a_subgraph_does_not_know_is_not_asked_of_it(plan_for: PlanFor) -> None:
    plan = plan_for(
        "union-member-missing-in-one-subgraph",
        "{ media { ... on Book { title } ... on Movie { director } ... on Song { singer } } one { ... on Movie { director } ... on Song { singer } } }",
    )
    assert format_plan(plan) == snapshot(
        "Fetch(b) { media { __typename ... on Book { title } ... on Song { singer } } one { __typename ... on Song { singer } } }"
    )
    assert count_fetches(plan.root) == snapshot(1)


def test_type_that_cannot_come_still_leaves_an_object(plan_for: PlanFor) -> None:
    plan = plan_for("union-member-missing-in-one-subgraph", "{ one { ... on Movie { director } } }")
    assert format_plan(plan) == snapshot("Fetch(b) { one { __typename } }")
    assert count_fetches(plan.root) == snapshot(1)


def test_interfaces_of_interfaces(plan_for: PlanFor) -> None:
    plan = plan_for(
        "interface-of-interfaces",
        "{ boxes { inner { id ... on Stone { weight } ... on Box { inner { id ... on Bag { weight } } } } } }",
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { boxes { __typename ... on Bag { inner { __typename id inner { __typename id } } } ... on Crate { inner { __typename id ... on Bag { inner { __typename id } } ... on Crate { inner { __typename id } } } } } }
  BatchFetch(b)
    Flatten(boxes.@.|Bag|.inner.inner, boxes.@.|Crate|.inner.|Bag,Crate|.inner) { __typename id } => { ... on Bag { weight } }
    Flatten(boxes.@.|Crate|.inner) { __typename id } => { ... on Stone { weight } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_same_field_under_different_types_is_fetched_once(plan_for: PlanFor) -> None:
    plan = plan_for(
        "interface-of-interfaces",
        "{ boxes { ... on Crate { inner { ... on Stone { weight } } } ... on Bag { inner { weight } } } }",
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { boxes { __typename ... on Bag { inner { __typename id } } ... on Crate { inner { __typename ... on Stone { id } } } } }
  BatchFetch(b)
    Flatten(boxes.@.|Bag|.inner) { __typename id } => { ... on Bag { weight } }
    Flatten(boxes.@.|Crate|.inner) { __typename id } => { ... on Stone { weight } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_nested_fields_of_refined_types(plan_for: PlanFor) -> None:
    plan = plan_for(
        "child-type-mismatch",
        "{ accounts { ... on User { id name similar { id } } ... on Admin { adminName: name similar { __typename } } } users { id similar { name } } }",
    )
    assert format_plan(plan) == snapshot(
        "Fetch(a) { accounts { __typename ... on User { id name similar { id } } ... on Admin { similar { __typename } adminName: name } } users { id similar { name } } }"
    )
    assert count_fetches(plan.root) == snapshot(1)


def test_interface_that_refers_to_itself(plan_for: PlanFor) -> None:
    plan = plan_for("circular-interface", "{ product { samePrice { ... on Book { price } } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { product { __typename samePrice { __typename ... on Book { id } } } }
  Flatten(product.samePrice.@)
    Fetch(b) { __typename id } => { ... on Book { price } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_type_name_is_asked_wherever_the_client_asks(plan_for: PlanFor) -> None:
    plan = plan_for(
        "interface-of-entities", "{ __typename nodes { t: __typename ... on Product { maker { __typename name } } } }"
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { nodes { __typename t: __typename ... on Product { id } } }
  Flatten(nodes.@)
    Fetch(b) { __typename id } => { ... on Product { maker { __typename name } } }\
""")
    assert count_fetches(plan.root) == snapshot(2)
