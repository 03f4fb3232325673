"""Plans with `@override` and `@inaccessible`."""

from inline_snapshot import snapshot

from router.planner import count_fetches, format_plan
from tests.unit.router.planner.conftest import PlanFor


def test_overridden_field_is_fetched_from_its_new_owner(plan_for: PlanFor) -> None:
    plan = plan_for("override", "{ users { name age } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(old) { users { __typename age id } }
  Flatten(users.@)
    Fetch(new) { __typename id } => { ... on User { name } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_override_with_a_label_is_off_by_default(plan_for: PlanFor) -> None:
    plan = plan_for("override-label", "{ users { name } }")
    assert format_plan(plan) == snapshot("Fetch(old) { users { name } }")
    assert count_fetches(plan.root) == snapshot(1)


def test_override_with_a_label_that_is_active(plan_for: PlanFor) -> None:
    plan = plan_for("override-label", "{ users { name } }", labels=frozenset({"percent(10)"}))
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(old) { users { __typename id } }
  Flatten(users.@)
    Fetch(new) { __typename id } => { ... on User { name } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_overriding_field_may_have_requirements(plan_for: PlanFor) -> None:
    plan = plan_for("override-label", "{ users { greeting } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(old) { users { __typename id age } }
  Flatten(users.@)
    Fetch(new) { __typename id age } => { ... on User { greeting } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_overridden_field_is_no_longer_the_old_owners(plan_for: PlanFor) -> None:
    plan = plan_for("override-with-requires", "{ users { name } first { name badge } }")
    assert format_plan(plan) == snapshot("""\
Parallel
  Fetch(a) { users { name } }
  Sequence
    Fetch(b) { first { __typename id } }
    Flatten(first)
      Fetch(a) { __typename id } => { ... on User { name base } }
    Flatten(first)
      Fetch(b) { __typename id base } => { ... on User { badge } }\
""")
    assert count_fetches(plan.root) == snapshot(4)


def test_hidden_field_serves_as_a_key(plan_for: PlanFor) -> None:
    plan = plan_for("inaccessible-key", "{ users { name } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { users { __typename secret } }
  Flatten(users.@)
    Fetch(b) { __typename secret } => { ... on User { name } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_hidden_types_do_not_come_up(plan_for: PlanFor) -> None:
    plan = plan_for("inaccessible-parts", '{ find(color: RED, filter: {name: "a"}) { id ... on Dog { bark owner } } }')
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { find(color: RED, filter: {name: "a"}) { __typename id ... on Dog { bark } } }
  Flatten(find.@)
    Fetch(b) { __typename id } => { ... on Dog { owner } }\
""")
    assert count_fetches(plan.root) == snapshot(2)
