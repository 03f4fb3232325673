from router.composition import SubgraphSchema, compose
from tests.unit.router.composition.builders import fed2


def unanswered(*subgraphs: SubgraphSchema) -> list[str]:
    return [error.details["field"] for error in compose(subgraphs).errors]


def test_witness_gives_required_arguments_some_value() -> None:
    a = fed2(
        "a",
        "type Query { p(id: ID!, n: Int = 1, f: Filter!, tags: [String!]!, on: Boolean!, c: Colour!, d: Date!): P }\n"
        "input Filter { name: String! rank: Float nested: Filter }\nenum Colour { RED BLUE }\nscalar Date\n"
        "type P @shareable { x: Int }\n",
    )
    b = fed2("b", "type P @shareable { y: Int }\n")
    (error,) = compose([a, b]).errors
    assert error.details["query"] == (
        'query {\n  p(id: "id", f: {name: "text"}, tags: [], on: true, c: RED, d: "value") {\n    y\n  }\n}'
    )


def test_witness_shows_the_concrete_type_and_ends_in_a_leaf() -> None:
    a = fed2(
        "a",
        "type Query { n: N }\ninterface N { x: Int }\ntype A implements N { x: Int }\n"
        'type B implements N @key(fields: "id") { id: ID! x: Int }\n',
    )
    b = fed2("b", 'type B @key(fields: "sku") { sku: ID! next: B }\n')
    errors = compose([a, b]).errors
    assert [error.details["query"] for error in errors] == [
        "query {\n  n {\n    ... on B {\n      sku\n    }\n  }\n}",
        "query {\n  n {\n    ... on B {\n      next {\n        __typename\n      }\n    }\n  }\n}",
    ]


def test_field_is_reported_once_however_many_ways_lead_to_it() -> None:
    a = fed2("a", "type Query { p1: P p2: P list: [P!]! }\ntype P @shareable { x: Int p: P }\n")
    b = fed2("b", "type P @shareable { y: Int }\n")
    assert unanswered(a, b) == ["P.y"]


def test_recursive_types_come_to_an_end() -> None:
    a = fed2("a", 'type Query { t: T }\ntype T @key(fields: "id") { id: ID! parent: T children: [T!]! }\n')
    b = fed2("b", 'type T @key(fields: "id") { id: ID! twin: T }\n')
    assert unanswered(a, b) == []


def test_recursive_keys_come_to_an_end() -> None:
    a = fed2("a", 'type Query { t: T }\ntype T @key(fields: "parent { id }") { id: ID! parent: T! }\n')
    b = fed2("b", 'type T @key(fields: "parent { id }") { id: ID! @shareable parent: T! x: Int }\n')
    assert unanswered(a, b) == []


def test_both_sides_of_a_progressive_override_must_be_answerable() -> None:
    a = fed2(
        "a",
        'type Query { p: P }\ntype P @key(fields: "id") { id: ID! x: Int @override(from: "b", label: "percent(5)") }\n',
    )
    reachable = fed2("b", 'type P @key(fields: "id") { id: ID! x: Int }\n')
    closed = fed2("b", 'type P @key(fields: "id", resolvable: false) { id: ID! x: Int }\n')
    assert unanswered(a, reachable) == []
    assert unanswered(a, closed) == ["P.x"]


def test_reasons_name_what_stands_in_the_way() -> None:
    a = fed2(
        "a",
        'type Query { p: P }\ntype P @key(fields: "id", resolvable: false)'
        ' { id: ID! w: Int @external s: Int @requires(fields: "w") }\n',
    )
    b = fed2("b", 'type P @key(fields: "sku") { sku: ID! w: Int }\n')
    c = fed2("c", 'type P @key(fields: "id", resolvable: false) { id: ID! z: Int }\n')
    d = fed2("d", "type P { v: Int }\n")
    messages = {
        error.details["field"]: error.message.split("subgraphs:\n")[1] for error in compose([a, b, c, d]).errors
    }
    assert messages["P.s"] == "- 'a' is reached, but P.s requires 'w', which cannot be gathered"
    assert messages["P.w"] == (
        "- 'a' is reached, but P.w is @external there\n- 'b' has P.w, but its @key ('sku') cannot be gathered from 'a'"
    )
    assert messages["P.z"] == ("- 'a' is reached, but has no field P.z\n- 'c' has P.z, but its @key is not resolvable")
    assert messages["P.v"] == (
        "- 'a' is reached, but has no field P.v\n- 'd' has P.v, but P has no @key there to move to it by"
    )


def test_reason_names_the_context_that_nothing_above_sets() -> None:
    link = (
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.8",'
        ' import: ["@key", "@context", "@fromContext"])'
    )
    subgraph = SubgraphSchema(
        "a",
        f"""{link}
        type Query {{ shop: Shop  order: Order }}
        type Shop @key(fields: "id") @context(name: "shop") {{ id: ID!  locale: String  orders: [Order] }}
        type Order @key(fields: "id") {{
          id: ID!
          total(locale: String @fromContext(field: "$shop {{ locale }}")): Int
        }}
        """,
    )
    (error,) = compose([subgraph]).errors
    assert error.code == "SATISFIABILITY_ERROR"
    assert error.details["query"] == "query {\n  order {\n    total\n  }\n}"
    assert error.message.endswith(
        "- 'a' is reached, but Order.total takes an argument from 'shop', which nothing above it sets"
    )


def test_a_flood_of_unreachable_fields_is_cut_off() -> None:
    fields = " ".join(f"f{number}: Int" for number in range(200))
    a = fed2("a", "type Query { p: P }\ntype P @shareable { x: Int }\n")
    b = fed2("b", f"type P @shareable {{ {fields} }}\n")
    assert 50 <= len(unanswered(a, b)) <= 200


def chain_of_requirements(length: int, *, backwards: bool) -> list[SubgraphSchema]:
    """Return two subgraphs whose fields require each other in turn, listed from either end."""
    fields: dict[str, list[str]] = {"a": ["f0: Int"], "b": []}
    for number in range(1, length):
        own = "b" if number % 2 else "a"
        fields[own].append(f"f{number - 1}: Int @external")
        fields[own].append(f'f{number}: Int @requires(fields: "f{number - 1}")')
    if backwards:
        fields = {name: lines[::-1] for name, lines in fields.items()}
    texts = {name: " ".join(lines) for name, lines in fields.items()}
    return [
        fed2("a", f'type Query {{ p: P }}\ntype P @key(fields: "id") {{ id: ID! {texts["a"]} }}\n'),
        fed2("b", f'type P @key(fields: "id") {{ id: ID! {texts["b"]} }}\n'),
    ]


def test_long_chain_of_requirements_is_followed() -> None:
    assert unanswered(*chain_of_requirements(60, backwards=False)) == []
    assert unanswered(*chain_of_requirements(60, backwards=True)) == []


def test_endless_chain_of_requirements_is_refused_not_raised() -> None:
    (error,) = compose(chain_of_requirements(1000, backwards=True)).errors
    assert error.code == "SATISFIABILITY_ERROR"
    assert "cannot be followed" in error.message
    assert error.message.startswith("Keys and requirements of P.f")
    assert {(place.subgraph, place.line) for place in error.locations} == {("a", 3), ("b", 2)}
