# ruff: noqa: E501 - a plan has a request a line, whatever its length
"""Plans with `@interfaceObject`."""

from inline_snapshot import snapshot

from router.planner import count_fetches, format_plan
from tests.unit.router.planner.conftest import PlanFor


def test_field_of_an_interface_object_is_fetched_with_the_interfaces_name(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object", "{ media { title stars } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { media { __typename title id } }
  Flatten(media.@)
    Fetch(b) { ... on Book|Film as Media { __typename id } } => { ... on Media { stars } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_all_types_are_sent_under_the_interfaces_name(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object", "{ book { stars views } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { book { __typename id } }
  Parallel
    Flatten(book)
      Fetch(b) { ... on Book as Media { __typename id } } => { ... on Media { stars } }
    Flatten(book)
      Fetch(c) { ... on Book as Media { __typename id } } => { ... on Media { views } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_fields_of_an_interface_object_need_no_type(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object", "{ rated { id stars views } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(b) { rated { __typename id stars } }
  Flatten(rated.@)
    Fetch(c) { ... on Media|Book|Film as Media { __typename id } } => { ... on Media { views } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_type_name_of_an_interface_object_is_fetched(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object", "{ rated { __typename stars } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(b) { rated { __typename stars id } }
  Flatten(rated.@)
    Fetch(a) { ... on Media|Book|Film as Media { __typename id } } => { ... on Media { __typename } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_fragment_on_a_type_needs_the_type_first(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object", "{ rated { stars ... on Book { pages } ... on Film { minutes } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(b) { rated { __typename stars id } }
  Flatten(rated.@)
    Fetch(a) { ... on Media|Book|Film as Media { __typename id } } => { ... on Media { __typename ... on Book { pages } ... on Film { minutes } } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_subgraph_that_knows_the_type_only_is_asked_once_the_type_is_known(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object", "{ news { ... on Book { isbn } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(c) { news { __typename id } }
  Flatten(news)
    Fetch(a) { ... on Media|Book|Film as Media { __typename id } } => { ... on Media { __typename } }
  Flatten(news)
    Fetch(d) { __typename id } => { ... on Book { isbn } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_interface_object_below_an_interface_object(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object", "{ rated { reviews { text subject { title } } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(b) { rated { __typename reviews { text subject { __typename id } } } }
  Flatten(rated.@.reviews.@.subject)
    Fetch(a) { ... on Media|Book|Film as Media { __typename id } } => { ... on Media { title } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_interface_object_with_requirements(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object-with-requires", "{ users { username ... on Admin { rank } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { users { __typename id name ... on Admin { rank } } }
  Flatten(users.@)
    Fetch(b) { ... on Admin|User as Account { __typename id name } } => { ... on Account { username } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_interface_object_requires_what_it_has_to_fetch(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object-with-requires", "{ others { username } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(b) { others { __typename id } }
  Flatten(others.@)
    Fetch(a) { ... on Account|Admin|User as Account { __typename id } } => { ... on Account { __typename name } }
  Flatten(others.@)
    Fetch(b) { ... on Account|Admin|User as Account { __typename id name } } => { ... on Account { username } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_response_key_that_means_two_fields_needs_the_types_first(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object-chain", "{ rated { ... on Book { x: stars } ... on Film { x: minutes } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(b) { rated { __typename code } }
  Flatten(rated)
    Fetch(a) { ... on Media|Book|Film as Media { __typename code } } => { ... on Media { __typename ... on Film { x: minutes } } }
  Flatten(rated)
    Fetch(b) { ... on Book as Media { __typename code } } => { ... on Media { x: stars } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_response_key_that_means_two_fields_is_asked_of_the_right_objects_only(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object-chain", "{ media { ... on Book { x: stars } ... on Film { x: views stars } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { media { __typename code ... on Film { id } } }
  Parallel
    BatchFetch(b)
      Flatten(media.@) { ... on Book as Media { __typename code } } => { ... on Media { x: stars } }
      Flatten(media.@) { ... on Film as Media { __typename code } } => { ... on Media { stars } }
    Flatten(media.@)
      Fetch(c) { ... on Film as Media { __typename id } } => { ... on Media { x: views } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_objects_without_the_requirement_are_not_sent_with_those_that_have_it(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object-chain", "{ media { ... on Book { views } ... on Film { popularity } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { media { __typename id ... on Film { code } } }
  Parallel
    Flatten(media.@)
      Fetch(c) { ... on Book as Media { __typename id } } => { ... on Media { views } }
    Sequence
      Flatten(media.@)
        Fetch(b) { ... on Film as Media { __typename code } } => { ... on Media { stars } }
      Flatten(media.@)
        Fetch(c) { ... on Film as Media { __typename id stars } } => { ... on Media { popularity } }\
""")
    assert count_fetches(plan.root) == snapshot(4)


def test_interface_objects_that_share_no_key_meet_where_the_interface_is(plan_for: PlanFor) -> None:
    plan = plan_for("interface-object-chain", "{ seen { stars popularity ... on Film { cast } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(c) { seen { __typename id } }
  Flatten(seen)
    Fetch(a) { ... on Media|Book|Film as Media { __typename id } } => { ... on Media { __typename code } }
  Parallel
    Sequence
      Flatten(seen)
        Fetch(b) { ... on Media|Book|Film as Media { __typename code } } => { ... on Media { stars } }
      Flatten(seen)
        Fetch(c) { ... on Media|Book|Film as Media { __typename id stars } } => { ... on Media { popularity } }
    Flatten(seen)
      Fetch(d) { __typename id } => { ... on Film { cast } }\
""")
    assert count_fetches(plan.root) == snapshot(5)
