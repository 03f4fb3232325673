# ruff: noqa: E501 - a plan has a request a line, whatever its length
"""Plans for fields with arguments from contexts (`@fromContext`).

https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/entities/use-contexts
"""

from inline_snapshot import snapshot

from router.planner import count_fetches, format_plan
from tests.unit.router.planner.conftest import PlanFor


def test_argument_comes_from_the_object_above_and_takes_an_entity_fetch(plan_for: PlanFor) -> None:
    plan = plan_for("context", "{ me { orders { total } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(users) { me { orders { __typename id } locale currency } }
  Flatten(me.orders.@)
    Fetch(users) { __typename id } $Order_total_currency: ../{ currency } $Order_total_locale: ../{ locale } => { ... on Order { total(locale: $Order_total_locale, currency: $Order_total_currency) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_arguments_of_the_client_stand_beside_those_from_contexts(plan_for: PlanFor) -> None:
    plan = plan_for("context", "query ($d: Int) { users { orders { total(digits: $d) short: total } } }", {"d": 2})
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(users) { users { orders { __typename id } locale currency } }
  Flatten(users.@.orders.@)
    Fetch(users) { __typename id } $Order_total_currency: ../{ currency } $Order_total_locale: ../{ locale } => { ... on Order { total(digits: $d, locale: $Order_total_locale, currency: $Order_total_currency) short: total(locale: $Order_total_locale, currency: $Order_total_currency) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_values_are_read_from_wherever_the_client_put_them(plan_for: PlanFor) -> None:
    plan = plan_for("context", "{ me { language: locale locale: currency orders { total } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(users) { me { language: locale locale: currency orders { __typename id } currency } }
  Flatten(me.orders.@)
    Fetch(users) { __typename id } $Order_total_currency: ../{ currency } $Order_total_locale: ../{ locale: language } => { ... on Order { total(locale: $Order_total_locale, currency: $Order_total_currency) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_variable_of_a_client_keeps_its_name(plan_for: PlanFor) -> None:
    plan = plan_for(
        "context",
        "query ($Order_total_locale: Int) { me { orders { total(digits: $Order_total_locale) } } }",
        {"Order_total_locale": 3},
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(users) { me { orders { __typename id } locale currency } }
  Flatten(me.orders.@)
    Fetch(users) { __typename id } $Order_total_currency: ../{ currency } $_Order_total_locale: ../{ locale } => { ... on Order { total(digits: $Order_total_locale, locale: $_Order_total_locale, currency: $Order_total_currency) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_objects_that_another_subgraph_lists_are_asked_about_anyway(plan_for: PlanFor) -> None:
    plan = plan_for("context", "{ me { wishes { total note weight } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(users) { me { __typename id locale currency } }
  Flatten(me)
    Fetch(shipping) { __typename id } => { ... on User { wishes { __typename weight id } } }
  Flatten(me.wishes.@)
    Fetch(users) { __typename id } $Order_total_currency: ../{ currency } $Order_total_locale: ../{ locale } => { ... on Order { note total(locale: $Order_total_locale, currency: $Order_total_currency) } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_places_with_the_same_argument_share_a_request(plan_for: PlanFor) -> None:
    plan = plan_for("context", "{ me { orders { total } } users { orders { total(digits: 1) } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(users) { me { orders { __typename id } locale currency } users { orders { __typename id } locale currency } }
  BatchFetch(users)
    Flatten(me.orders.@) { __typename id } $Order_total_currency: ../{ currency } $Order_total_locale: ../{ locale } => { ... on Order { total(locale: $Order_total_locale, currency: $Order_total_currency) } }
    Flatten(users.@.orders.@) { __typename id } $Order_total_currency_1: ../{ currency } $Order_total_locale_1: ../{ locale } => { ... on Order { total(digits: 1, locale: $Order_total_locale_1, currency: $Order_total_currency_1) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_places_that_ask_the_same_are_one_part(plan_for: PlanFor) -> None:
    plan = plan_for("context", "{ me { orders { total } } users { orders { total } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(users) { me { orders { __typename id } locale currency } users { orders { __typename id } locale currency } }
  BatchFetch(users)
    Flatten(me.orders.@, users.@.orders.@) { __typename id } $Order_total_currency: ../{ currency } $Order_total_locale: ../{ locale } => { ... on Order { total(locale: $Order_total_locale, currency: $Order_total_currency) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_nearest_object_above_counts_and_not_the_object_itself(plan_for: PlanFor) -> None:
    plan = plan_for(
        "context-nearest-ancestor", "{ chains { shops { shelves { label boxes { tag } below { label } } } } }"
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(shops) { chains { shops { shelves { __typename boxes { __typename id } zone size below { __typename id } id } } zone } }
  BatchFetch(shops)
    Flatten(chains.@.shops.@.shelves.@.boxes.@) { __typename id } $Box_tag_size: ../{ size } $Box_tag_zone: ../{ zone } => { ... on Box { tag(zone: $Box_tag_zone, size: $Box_tag_size) } }
    Flatten(chains.@.shops.@.shelves.@.below) { __typename id } $Shelf_label_zone: ../{ zone } => { ... on Shelf { label(zone: $Shelf_label_zone) } }
    Flatten(chains.@.shops.@.shelves.@) { __typename id } $Shelf_label_zone_2: ../../{ zone } => { ... on Shelf { label(zone: $Shelf_label_zone_2) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_query_type_may_set_a_context_for_all_below(plan_for: PlanFor) -> None:
    plan = plan_for("context-nearest-ancestor", "{ shop { shelves { label } chain { shops { id } } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(shops) { shop { shelves { __typename id } chain { shops { id } } } zone }
  Flatten(shop.shelves.@)
    Fetch(shops) { __typename id } $Shelf_label_zone: ../../{ zone } => { ... on Shelf { label(zone: $Shelf_label_zone) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_argument_below_an_entity_that_is_asked_for_goes_along_with_that_request(plan_for: PlanFor) -> None:
    plan = plan_for("context-nearest-ancestor", "{ scarce { shop { shelves { label } } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Parallel
    Fetch(stock) { scarce { shop { __typename id } } }
    Fetch(shops) { zone }
  Flatten(scarce.@.shop)
    Fetch(shops) { __typename id } $Shelf_label_zone: ../../{ zone } => { ... on Shop { shelves { label(zone: $Shelf_label_zone) } } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_value_of_another_subgraph_is_fetched_first(plan_for: PlanFor) -> None:
    plan = plan_for("context-from-another-subgraph", "{ authors { articles { rendered } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(articles) { authors { __typename articles { __typename id } id } }
  Flatten(authors.@)
    Fetch(profiles) { __typename id } => { ... on Author { style } }
  Flatten(authors.@.articles.@)
    Fetch(articles) { __typename id } $Article_rendered_style: ../{ style } => { ... on Article { rendered(style: $Article_rendered_style) } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_value_shares_the_request_that_its_object_takes_anyway(plan_for: PlanFor) -> None:
    plan = plan_for(
        "context-from-another-subgraph", "{ editor { nick articles { rendered } drafts { part { text } } } }"
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(articles) { editor { __typename articles { __typename id } id drafts { part { __typename id } } } }
  Flatten(editor)
    Fetch(profiles) { __typename id } => { ... on Author { style nick } }
  BatchFetch(articles)
    Flatten(editor.articles.@) { __typename id } $Article_rendered_style: ../{ style } => { ... on Article { rendered(style: $Article_rendered_style) } }
    Flatten(editor.drafts.@.part) { __typename id } $Part_text_style: ../../{ style } => { ... on Part { text(style: $Part_text_style) } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_value_that_comes_only_after_the_objects_is_waited_for(plan_for: PlanFor) -> None:
    plan = plan_for("context-from-another-subgraph", "{ authors { favourites { price } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(articles) { authors { __typename id } }
  Flatten(authors.@)
    Fetch(profiles) { __typename id } => { ... on Author { favourites { __typename id } nick } }
  Flatten(authors.@)
    Fetch(payroll) { __typename nick } => { ... on Author { fee } }
  Flatten(authors.@.favourites.@)
    Fetch(articles) { __typename id } $Article_price_fee: ../{ fee } => { ... on Article { price(fee: $Article_price_fee) } }\
""")
    assert count_fetches(plan.root) == snapshot(4)


def test_types_that_set_one_context_may_give_different_fields(plan_for: PlanFor) -> None:
    plan = plan_for(
        "context-with-type-conditions",
        "{ places { ... on City { houses { owner } } ... on Village { houses { owner } } } }",
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(places) { places { __typename ... on City { houses { __typename id } mayor } ... on Village { houses { __typename id } elder { title } } } }
  BatchFetch(places)
    Flatten(places.@.|City|.houses.@) { __typename id } $House_owner_name: ../{ ... on City { mayor } } => { ... on House { owner(name: $House_owner_name) } }
    Flatten(places.@.|Village|.houses.@) { __typename id } $House_owner_name_1: ../{ ... on Village { elder { title } } } => { ... on House { owner(name: $House_owner_name_1) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_member_of_a_union_sets_the_context_of_its_own_type(plan_for: PlanFor) -> None:
    plan = plan_for("context-with-type-conditions", "{ found { ... on Park { houses { owner } huts { owner } } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(places) { found { __typename ... on Park { houses { __typename id } keeper { title } id } } }
  Flatten(found)
    Fetch(taxes) { __typename id } => { ... on Park { huts { __typename id } } }
  BatchFetch(places)
    Flatten(found.|Park|.houses.@, found.|Park|.huts.@) { __typename id } $House_owner_name: ../{ ... on Park { keeper { title } } } => { ... on House { owner(name: $House_owner_name) } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_field_may_require_fields_of_its_own_object_too(plan_for: PlanFor) -> None:
    plan = plan_for("context-with-requires", "{ buyers { orders { freight plain } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(orders) { buyers { orders { __typename id } country } }
  Flatten(buyers.@.orders.@)
    Fetch(goods) { __typename id } => { ... on Order { weight } }
  Flatten(buyers.@.orders.@)
    Fetch(orders) { __typename id weight } $Order_freight_country: ../{ country } $Order_plain_country: ../{ country } => { ... on Order { freight(country: $Order_freight_country) plain(country: $Order_plain_country) } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_value_may_have_requirements_of_its_own(plan_for: PlanFor) -> None:
    plan = plan_for("context-with-requires", "{ buyers { orders { rebate freight } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(orders) { buyers { __typename orders { __typename id } id country } }
  Parallel
    Flatten(buyers.@.orders.@)
      Fetch(goods) { __typename id } => { ... on Order { weight } }
    Sequence
      Flatten(buyers.@)
        Fetch(people) { __typename id } => { ... on Buyer { years } }
      Flatten(buyers.@)
        Fetch(goods) { __typename id years } => { ... on Buyer { level } }
  Flatten(buyers.@.orders.@)
    Fetch(orders) { __typename id weight } $Order_freight_country: ../{ country } $Order_rebate_level: ../{ level } => { ... on Order { rebate(level: $Order_rebate_level) freight(country: $Order_freight_country) } }\
""")
    assert count_fetches(plan.root) == snapshot(5)


def test_argument_below_a_payload_of_a_mutation(plan_for: PlanFor) -> None:
    plan = plan_for(
        "context-with-requires", 'mutation { one: pay(id: "1") { orders { plain } } two: pay { orders { plain } } }'
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(orders) mutation { one: pay(id: "1") { orders { __typename id } country } two: pay { orders { __typename id } country } }
  BatchFetch(orders)
    Flatten(one.orders.@, two.orders.@) { __typename id } $Order_plain_country: ../{ country } => { ... on Order { plain(country: $Order_plain_country) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_field_of_an_interface_object_takes_an_argument(plan_for: PlanFor) -> None:
    plan = plan_for(
        "context-and-interface-object", "{ media { title review } library { media { review } loved { review } } }"
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Parallel
    Fetch(media) { media { __typename title id } library { __typename media { __typename id } id } }
    Fetch(reviews) { motto }
  BatchFetch(reviews)
    Flatten(media.@) { ... on Book|Film as Media { __typename id } } $Media_review_motto: ../{ motto } => { ... on Media { review(motto: $Media_review_motto) } }
    Flatten(library) { __typename id } => { ... on Library { motto loved { __typename id } } }
  BatchFetch(reviews)
    Flatten(library.media.@) { ... on Book|Film as Media { __typename id } } $Media_review_motto: ../{ motto } => { ... on Media { review(motto: $Media_review_motto) } }
    Flatten(library.loved.@) { ... on Media|Book|Film as Media { __typename id } } $Media_review_motto_1: ../{ motto } => { ... on Media { review(motto: $Media_review_motto_1) } }\
""")
    assert count_fetches(plan.root) == snapshot(4)


def test_value_may_be_a_list_and_the_objects_lists_of_lists(plan_for: PlanFor) -> None:
    plan = plan_for("context-in-lists", "{ grid { parts { text } } wall { cells { parts { text twins { text } } } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(a) { grid { parts { __typename id } tags } wall { cells { parts { __typename id } tags } } }
  Parallel
    BatchFetch(a)
      Flatten(grid.@.parts.@, wall.cells.@.parts.@) { __typename id } $Part_text_tags: ../{ tags } => { ... on Part { text(tags: $Part_text_tags) } }
    Sequence
      Flatten(wall.cells.@.parts.@)
        Fetch(b) { __typename id } => { ... on Part { twins { __typename id } } }
      Flatten(wall.cells.@.parts.@.twins.@)
        Fetch(a) { __typename id } $Part_text_tags: ../../{ tags } => { ... on Part { text(tags: $Part_text_tags) } }\
""")
    assert count_fetches(plan.root) == snapshot(4)


def test_conditional_field_fetches_its_value_under_its_condition(plan_for: PlanFor) -> None:
    plan = plan_for(
        "context-from-another-subgraph",
        "query ($p: Boolean!) { authors { articles { id rendered @include(if: $p) } } }",
        {"p": True},
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(articles) { authors { __typename articles { __typename id } id } }
  If($p)
    Flatten(authors.@)
      Fetch(profiles) { __typename id } => { ... on Author { style } }
  If($p)
    Flatten(authors.@.articles.@)
      Fetch(articles) { __typename id } $Article_rendered_style: ../{ style } => { ... on Article { rendered(style: $Article_rendered_style) } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_condition_on_the_way_down_counts_for_the_value(plan_for: PlanFor) -> None:
    plan = plan_for(
        "context-from-another-subgraph",
        "query ($p: Boolean!) { authors { articles @skip(if: $p) { rendered } } }",
        {"p": False},
    )
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(articles) { authors { __typename articles @skip(if: $p) { __typename id } id } }
  Unless($p)
    Flatten(authors.@)
      Fetch(profiles) { __typename id } => { ... on Author { style } }
  Flatten(authors.@.articles.@)
    Fetch(articles) { __typename id } $Article_rendered_style: ../{ style } => { ... on Article { rendered(style: $Article_rendered_style) } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_fragments_do_not_hide_what_is_above(plan_for: PlanFor) -> None:
    plan = plan_for("context", "{ me { ... on User { ... { orders { ... on Order { total } } } } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(users) { me { orders { __typename id } locale currency } }
  Flatten(me.orders.@)
    Fetch(users) { __typename id } $Order_total_currency: ../{ currency } $Order_total_locale: ../{ locale } => { ... on Order { total(locale: $Order_total_locale, currency: $Order_total_currency) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_deferred_field_takes_its_value_from_the_first_part(plan_for: PlanFor) -> None:
    plan = plan_for("context", "{ me { id orders { id ... @defer { total } } } }")
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Fetch(users) { me { id orders { __typename id } locale currency } }
  Deferred(1 at me.orders) after fetch 1
    Flatten(me.orders.@)
      Fetch(users) { __typename id } $Order_total_currency: ../{ currency } $Order_total_locale: ../{ locale } => { ... on Order { total(locale: $Order_total_locale, currency: $Order_total_currency) } }\
""")
    assert count_fetches(plan.root) == snapshot(2)


def test_deferred_field_fetches_a_value_of_another_subgraph_in_its_own_time(plan_for: PlanFor) -> None:
    plan = plan_for("context-from-another-subgraph", "{ editor { articles { id ... @defer { rendered } } } }")
    assert format_plan(plan) == snapshot("""\
Defer
  Primary
    Fetch(articles) { editor { __typename articles { __typename id } id } }
  Deferred(1 at editor.articles) after fetch 1
    Sequence
      Flatten(editor)
        Fetch(profiles) { __typename id } => { ... on Author { style } }
      Flatten(editor.articles.@)
        Fetch(articles) { __typename id } $Article_rendered_style: ../{ style } => { ... on Article { rendered(style: $Article_rendered_style) } }\
""")
    assert count_fetches(plan.root) == snapshot(3)


def test_value_is_fetched_before_an_interface_object_is_asked_for_the_field(plan_for: PlanFor) -> None:
    plan = plan_for("context-and-interface-object", "{ library { media { review } } }")
    assert format_plan(plan) == snapshot("""\
Sequence
  Fetch(media) { library { __typename media { __typename id } id } }
  Flatten(library)
    Fetch(reviews) { __typename id } => { ... on Library { motto } }
  Flatten(library.media.@)
    Fetch(reviews) { ... on Book|Film as Media { __typename id } } $Media_review_motto: ../{ motto } => { ... on Media { review(motto: $Media_review_motto) } }\
""")
    assert count_fetches(plan.root) == snapshot(3)
