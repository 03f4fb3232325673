from router.composition import SubgraphSchema
from router.composition.fed1 import upgrade
from router.composition.report import Report
from router.composition.subgraph import ObjectType, Subgraph
from tests.unit.router.composition.builders import fed2, ingested


def upgraded(*schemas: SubgraphSchema) -> dict[str, Subgraph]:
    report = Report()
    subgraphs = upgrade([ingested(schema) for schema in schemas], report)
    assert report.errors == ()
    return {subgraph.name: subgraph for subgraph in subgraphs}


def marks(subgraph: Subgraph, type_name: str) -> dict[str, list[str]]:
    definition = subgraph.types[type_name]
    assert isinstance(definition, ObjectType)
    return {name: [use.name for use in field.directives] for name, field in definition.fields.items()}


OWNER = SubgraphSchema("owner", 'type Query { p: P }\ntype P @key(fields: "id") { id: ID! x: Int y: Int }')


def test_federation_2_subgraphs_are_left_alone() -> None:
    schema = fed2("a", "type Query { x: Int }")
    assert upgrade([subgraph := ingested(schema)], Report()) == (subgraph,)


def test_keys_of_an_extension_are_not_external() -> None:
    other = SubgraphSchema("other", 'extend type P @key(fields: "id") { id: ID! @external z: Int }')
    assert marks(upgraded(OWNER, other)["other"], "P") == {"id": [], "z": []}


def test_externals_that_nothing_uses_disappear() -> None:
    other = SubgraphSchema(
        "other",
        'extend type P @key(fields: "id") { id: ID! @external x: Int @external y: Int @external'
        ' z: Int @requires(fields: "x") }',
    )
    assert marks(upgraded(OWNER, other)["other"], "P") == {"id": [], "x": ["external"], "z": ["requires"]}


def test_fields_that_several_resolve_are_shareable_in_each() -> None:
    other = SubgraphSchema("other", 'extend type P @key(fields: "id") { id: ID! @external x: Int z: Int }')
    both = upgraded(OWNER, other)
    assert marks(both["owner"], "P") == {"id": [], "x": ["shareable"], "y": []}
    assert marks(both["other"], "P") == {"id": [], "x": ["shareable"], "z": []}


def test_value_types_are_shareable_as_a_whole() -> None:
    a = SubgraphSchema("a", "type Query { v: V }\ntype V { x: Int }")
    b = SubgraphSchema("b", "type V { y: Int }")
    both = upgraded(a, b)
    assert marks(both["a"], "V") == {"x": ["shareable"]}
    assert marks(both["b"], "V") == {"y": ["shareable"]}


def test_parts_of_field_sets_that_are_not_external_are_dropped() -> None:
    schema = SubgraphSchema(
        "a",
        'type Query { p: P @provides(fields: "x") }\n'
        'type P @key(fields: "id") { id: ID! x: Int y: Int @requires(fields: "x") }',
    )
    subgraph = upgraded(schema)["a"]
    assert marks(subgraph, "Query") == {"p": []}
    assert marks(subgraph, "P") == {"id": [], "x": [], "y": []}


def test_keys_on_interfaces_are_ignored_and_remembered() -> None:
    schema = SubgraphSchema(
        "a", 'type Query { i: I }\ninterface I @key(fields: "id") { id: ID! }\ntype A implements I { id: ID! }'
    )
    subgraph = upgraded(schema)["a"]
    assert subgraph.types["I"].directives == ()
    assert subgraph.ignored_interface_keys == ("I",)
