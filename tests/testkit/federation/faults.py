"""Subgraphs that misbehave in every way the router has to live with."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from random import Random
from typing import Any, Final

from router.transports.base import (
    MalformedResponse,
    RequestContext,
    SubgraphHttpError,
    SubgraphRequest,
    SubgraphResponse,
    SubgraphTransport,
    SubgraphUnreachable,
)

_ENTITIES = re.compile(r"_entities|_e\d+(_\d+)?")

Spoil = Callable[[SubgraphResponse, Random], SubgraphResponse]


def _raise(error: Exception) -> Spoil:
    def spoil(_response: SubgraphResponse, _random: Random) -> SubgraphResponse:
        raise error

    return spoil


def _entity_keys(data: Mapping[str, Any] | None) -> list[str]:
    """Return where entities stand in an answer: one key, or one for each part of a batch that was asked something."""
    found = {key: value for key, value in (data or {}).items() if _ENTITIES.fullmatch(key)}
    return [key for key, value in found.items() if isinstance(value, list) and value]


def _with_entities(change: Callable[[list[Any], Random], Any]) -> Spoil:
    def spoil(response: SubgraphResponse, random: Random) -> SubgraphResponse:
        data = dict(response.data or {})
        keys = _entity_keys(data)
        if keys:
            key = random.choice(keys)
            data[key] = change(list(data[key]), random)
        return SubgraphResponse(data, response.errors, {})

    return spoil


def _null_one(entities: list[Any], random: Random) -> Any:
    entities[random.randrange(len(entities))] = None
    return entities


def _garble_one(entities: list[Any], random: Random) -> Any:
    entities[random.randrange(len(entities))] = random.choice(["text", 5, [], [{}], True])
    return entities


def _misplace_values(response: SubgraphResponse, random: Random) -> SubgraphResponse:
    """Put lists where objects belong, objects where lists belong, and null for one value in ten."""

    def misplace(value: Any) -> Any:
        match random.randrange(10), value:
            case _, {"json": _}:  # a custom scalar can be anything: nobody could tell
                return value
            case 0, dict():
                return []
            case 0, list():
                return {}
            case 0, _:
                return None
            case _, dict():
                return {key: misplace(each) for key, each in value.items()}
            case _, list():
                return [misplace(each) for each in value]
        return value

    keys = _entity_keys(response.data)
    data = response.data and {
        key: [misplace(one) for one in each] if key in keys else misplace(each) for key, each in response.data.items()
    }
    return SubgraphResponse(data, response.errors, {})


def _drop_keys(response: SubgraphResponse, random: Random) -> SubgraphResponse:
    """Leave out one value in ten."""

    def drop(value: Any) -> Any:
        match value:
            case {"json": _}:
                return value
            case dict():
                return {key: drop(each) for key, each in value.items() if random.randrange(10)}
            case list():
                return [drop(each) for each in value]
        return value

    return SubgraphResponse(drop(response.data), response.errors, {})


FAULTS: Final[dict[str, Spoil]] = {
    "unreachable": _raise(SubgraphUnreachable("secret")),
    "http error": _raise(SubgraphHttpError("secret", status=500)),
    "malformed": _raise(MalformedResponse("secret")),
    "a bug": _raise(RuntimeError("secret")),
    "no data": lambda _response, _random: SubgraphResponse(None, [{"message": "refused"}], {}),
    "nothing": lambda _response, _random: SubgraphResponse(None, [], {}),
    "empty data": lambda _response, _random: SubgraphResponse({}, [], {}),
    "errors of no shape": lambda response, _random: SubgraphResponse(
        response.data, [{}, {"message": 5, "path": {"a": 1}}, {"path": ["_entities", 99]}, {"extensions": []}], {}
    ),
    "too few entities": _with_entities(lambda entities, _random: entities[:-1]),
    "too many entities": _with_entities(lambda entities, _random: [*entities, None]),
    "entities are an object": _with_entities(lambda _entities, _random: {}),
    "entities are null": _with_entities(lambda _entities, _random: None),
    "an entity is null": _with_entities(_null_one),
    "an entity is garbled": _with_entities(_garble_one),
    "values are misplaced": _misplace_values,
    "values are missing": _drop_keys,
}


class FaultyTransport:
    """Spoils the answers of another transport. Mutable on purpose: *spoiled* counts them."""

    def __init__(self, inner: SubgraphTransport, spoil: Spoil, random: Random) -> None:
        self.spoiled = 0
        self._inner = inner
        self._spoil = spoil
        self._random = random

    async def send(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        """Send *request* and return the answer, spoiled."""
        response = await self._inner.send(request, context)
        self.spoiled += 1
        return self._spoil(response, self._random)

    def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncIterator[SubgraphResponse]:
        """Subscribe at the other transport."""
        return self._inner.subscribe(request, context)

    async def aclose(self) -> None:
        """Close the other transport."""
        await self._inner.aclose()
