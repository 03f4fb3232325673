"""Loaders into another subgraph: many references, one `_entities` request."""

from typing import Any

from strawberry.dataloader import DataLoader

from core.peers import Peers, PeerUnavailable


def remote_entity_loader(
    peers: Peers, subgraph: str, typename: str, selection: str, *, key: str = "id"
) -> DataLoader[str, dict[str, Any] | None]:
    """Return a loader of *selection* (a GraphQL selection without braces) of entities of *typename* in *subgraph*.

    None stands for an entity that the subgraph does not know. A failed request raises PeerError for the whole batch.
    """
    document = (
        "query($representations: [_Any!]!) { _entities(representations: $representations) "
        f"{{ ... on {typename} {{ {selection} }} }} }}"
    )

    async def load(keys: list[str]) -> list[dict[str, Any] | None]:
        representations = [{"__typename": typename, key: value} for value in keys]
        answer = await peers.query(subgraph, document, {"representations": representations})
        entities = answer.get("_entities")
        if not isinstance(entities, list) or len(entities) != len(keys):
            raise PeerUnavailable(f"subgraph {subgraph} did not answer with one entity per reference")
        return entities

    return DataLoader(load_fn=load)
