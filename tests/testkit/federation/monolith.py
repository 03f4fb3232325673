"""One schema that has everything: what a federated graph's answers are compared with."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLResolveInfo, parse_value, value_from_ast_untyped

from router.supergraph import Supergraph
from router.supergraph.model import FieldSetField
from tests.testkit.federation.contexts import Placed, fill_arguments, place
from tests.testkit.federation.world import World, WorldObject


def resolve_in_world(
    supergraph: Supergraph, world: World, source: Any, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]
) -> Any:
    """Resolve a field of the monolith, which knows what is above each object; the root is placed by whoever begins."""
    placed: Placed[WorldObject] = source if isinstance(source, Placed) else Placed(world.root(info.parent_type.name))
    if not isinstance(source, Placed) and info.operation.operation.value == "mutation":
        world.mutated.append(info.path.key if isinstance(info.path.key, str) else "")

    def value_of(above: Placed[WorldObject], selected: FieldSetField) -> Any:
        given = {name: value_from_ast_untyped(parse_value(text)) for name, text in selected.arguments}
        given |= fill_arguments(supergraph, above, selected.name, _type_of, value_of)
        type_text = supergraph.types[above.source.type_name].fields[selected.name].type
        return place(world.value_of(above.source, selected.name, given, type_text), above, WorldObject)

    given = {**arguments, **fill_arguments(supergraph, placed, info.field_name, _type_of, value_of)}
    value = world.value_of(placed.source, info.field_name, given, str(info.return_type))
    return place(value, placed, WorldObject)


def resolve_type(value: Any, _info: Any, _type: Any) -> str:
    """Return the concrete type of an object of the monolith."""
    assert isinstance(value, Placed)
    return _type_of(value.source)


def _type_of(source: WorldObject) -> str:
    return source.type_name
