"""The generated projection either answers exactly what the careful one does, or leaves the answer to it.

So does the one that never has the answer in memory as a whole.
"""

from typing import Any

import msgspec
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    get_variable_values,
    is_abstract_type,
    parse,
    validate,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from router.executor import prepare_operation
from router.executor.compiled_projection import OUT_OF_PLACE
from router.executor.large_answers import OUT_OF_PLACE_IN_BYTES, encode_large_answer
from router.executor.projection import project
from router.executor.reports import Reports
from router.executor.shape import FieldShape, ObjectShape, ShapeReader
from router.planner.plan import OperationKind, Plan
from router.transports.json_values import copy_json
from tests.testkit.federation.operations import operations

API = build_schema(
    """
    type Query { a: A  as: [A!]!  u: U  i: [I]  t: [[T]!]  id: ID!  e: E  j: J!  q: Query }
    interface I { id: ID  name: String! }
    type A implements I {
      id: ID  name: String!  n: Int  f: Float!  b: Boolean  ids: [ID!]  next: A  u: [U!]  es: [E!]!
    }
    type B implements I { id: ID  name: String!  e: E!  x: [[Int!]]  js: [J!] }
    type T { name: String  i: I! }
    union U = A | B | T
    enum E { ONE TWO }
    scalar J
    """
)

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 2**40), st.floats(allow_nan=False), st.sampled_from(["", "1", "ONE", "x"])
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
)


class _Data:
    """Draws merged data for a shape; out of place now and then."""

    def __init__(self, draw: st.DrawFn, reader: ShapeReader, is_tidy: bool) -> None:
        self._draw = draw
        self._reader = reader
        self._oddity = st.just(False) if is_tidy else st.integers(0, 15).map(lambda each: each == 0)

    def object(self, shape: ObjectShape) -> Any:
        fields = {}
        for field in shape.fields:
            if not self._draw(self._oddity):
                fields[field.response_key] = self.value(field, field.type_)
        return fields

    def value(self, field: FieldShape, type_: Any) -> Any:
        if self._draw(self._oddity):
            return self._draw(ANYTHING)
        if isinstance(type_, GraphQLNonNull):
            return self.present(field, type_.of_type)
        return None if self._draw(st.integers(0, 4)) == 0 else self.present(field, type_)

    def present(self, field: FieldShape, type_: Any) -> Any:
        match type_:
            case GraphQLList(of_type=inner):
                return [self.value(field, inner) for _ in range(self._draw(st.integers(0, 2)))]
            case GraphQLEnumType(values=values):
                return self._draw(st.sampled_from(sorted(values)))
            case GraphQLScalarType(name=name):
                return {"Int": 1, "Float": 1.5, "Boolean": True, "ID": "1", "J": {"j": [1]}}.get(name, "text")
        shapes = list(self._reader.possible_shapes(field))
        shape = self._draw(st.sampled_from(shapes))
        fields = self.object(shape)
        if is_abstract_type(type_) or self._draw(st.booleans()):
            fields["__typename"] = shape.type_.name
        return fields


@pytest.mark.parametrize("is_tidy", [True, False], ids=["tidy data", "data out of place"])
@settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_the_generated_projection_agrees_with_the_careful_one(is_tidy: bool, data: st.DataObject) -> None:
    operation = data.draw(operations(API))
    document = parse(operation.text)
    assume(not validate(API, document))
    definition = document.definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    assert definition.operation is OperationType.QUERY
    variables = get_variable_values(API, definition.variable_definitions or (), operation.variables)
    assert not isinstance(variables, list)
    response = prepare_operation(API, Plan(OperationKind.QUERY, None), document, None).response_for(variables.coerced)
    merged = data.draw(
        st.composite(lambda draw: _Data(draw, response.reader, is_tidy).object(response.reader.root()))()
    )
    before = copy_json(merged)

    reports = Reports(lambda _: ())
    carefully = project(response.reader, merged, reports)
    try:
        generated: Any = response.projection.project_root(merged)
    except OUT_OF_PLACE:
        assert not is_tidy
        generated = carefully
    else:
        assert reports.formatted() == []
    assert repr(generated) == repr(carefully)

    answer = msgspec.Raw(msgspec.json.encode(merged))
    piece_bytes = data.draw(st.sampled_from([4, 12, 40, 200]))
    try:
        encoded = encode_large_answer(response.reader, response.projection, answer, piece_bytes=piece_bytes)
    except OUT_OF_PLACE_IN_BYTES:
        assert not is_tidy
    else:
        assert reports.formatted() == []
        assert bytes(encoded) == msgspec.json.encode(carefully)
    assert merged == before
