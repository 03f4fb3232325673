"""Plans that use what a path provides (`@provides`)."""

from inline_snapshot import snapshot

from router.planner import count_fetches, format_plan
from tests.unit.router.planner.conftest import PlanFor


def test_provided_field_is_taken_where_it_is_provided(plan_for: PlanFor) -> None:
    plan = plan_for("provides", "{ reviews { author { id username } } }")
    assert format_plan(plan) == snapshot("Fetch(reviews) { reviews { author { id username } } }")
    assert count_fetches(plan.root) == snapshot(1)


def test_provided_field_is_not_taken_on_another_path(plan_for: PlanFor) -> None:
    plan = plan_for("provides", "{ reviews { editor { username } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(reviews) { reviews { editor { __typename id } } }
  Flatten(reviews.@.editor)
    Fetch(accounts) { __typename id } => { ... on User { username } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_what_is_not_provided_is_fetched(plan_for: PlanFor) -> None:
    plan = plan_for("provides", "{ reviews { author { username name } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(reviews) { reviews { author { __typename username id } } }
  Flatten(reviews.@.author)
    Fetch(accounts) { __typename id } => { ... on User { name } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_provided_fields_may_be_nested(plan_for: PlanFor) -> None:
    plan = plan_for("provides-nested", "{ review { author { name address { city } } } other { author { name } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { review { author { name address { city } } } other { __typename id } }
  Flatten(other)
    Fetch(b) { __typename id } => { ... on Review { author { name } } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_nested_field_that_is_not_provided_is_fetched(plan_for: PlanFor) -> None:
    plan = plan_for("provides-nested", "{ review { author { name address { city street } age } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { review { author { __typename name id } } }
  Flatten(review.author)
    Fetch(b) { __typename id } => { ... on User { address { city street } age } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_field_may_be_provided_for_one_type_only(plan_for: PlanFor) -> None:
    plan = plan_for("provides-on-interface", "{ book { animals { id ... on Dog { name age } } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { book { animals { __typename id ... on Dog { name } } } }
  Flatten(book.animals.@)
    Fetch(c) { __typename id } => { ... on Dog { age } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_field_may_be_provided_for_all_types(plan_for: PlanFor) -> None:
    plan = plan_for("provides-on-interface", "{ media { id ... on Book { animals { id name } } } }")
    assert format_plan(plan) == snapshot("Fetch(b) { media { __typename id animals { __typename id name } } }")
    assert count_fetches(plan.root) == snapshot(1)


def test_field_may_be_provided_for_a_member_of_a_union(plan_for: PlanFor) -> None:
    plan = plan_for("provides-on-union", "{ media { ... on Book { title } ... on Movie { title } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { media { __typename ... on Book { title } ... on Movie { id } } }
  Flatten(media.@)
    Fetch(b) { __typename id } => { ... on Movie { title } }\
""")
    assert count_fetches(plan.root) == snapshot(2)
