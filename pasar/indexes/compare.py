"""Compare the indexes of the databases with those that the subgraphs define."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bson import SON
from pymongo import IndexModel
from pymongo.errors import OperationFailure

from core.mongo import Database
from core.subgraph import Subgraph
from pasar.indexes.reasons import reason_of

# Of an index that MongoDB makes by itself, for every collection
_OWN = "_id_"
# What MongoDB adds to a definition, and what building it said
_INCIDENTAL = frozenset({"v", "ns", "background", "name", "textIndexVersion", "2dsphereIndexVersion"})
_NAMESPACE_NOT_FOUND = 26


class State(StrEnum):
    """Whether an index is as it is defined."""

    PRESENT = "present"
    MISSING = "missing"
    DIFFERENT = "different"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class IndexState:
    """One index. *reason* is empty for an extra one; *found* describes what is there in place of what is defined."""

    subgraph: str
    collection: str
    name: str
    state: State
    definition: str
    reason: str
    found: str = ""


async def compare_indexes(subgraph: Subgraph) -> list[IndexState]:
    """Return every index that *subgraph* defines or has: by collection, defined ones first, then extra ones."""
    database = subgraph.runtime.database
    defined = subgraph.indexes
    collections = set(await database.list_collection_names()) | defined.keys()
    states: list[IndexState] = []
    for collection in sorted(name for name in collections if not name.startswith("system.")):
        present = {row["name"]: row for row in await _list_indexes(database, collection) if row["name"] != _OWN}
        for index in defined.get(collection, ()):
            name = index.document["name"]
            found = present.pop(name, None)
            states.append(_compare(subgraph.name, collection, index, found))
        for name, found in sorted(present.items()):
            # Only a sharded collection has an index that no program defines, and yet a reason
            reason = reason_of(subgraph.name, collection, name) or ""
            state = State.PRESENT if reason else State.EXTRA
            states.append(IndexState(subgraph.name, collection, name, state, describe(found), reason))
    return states


async def create_missing(subgraph: Subgraph, states: Sequence[IndexState]) -> None:
    """Create the indexes of *subgraph* that *states* has as missing; different and extra ones are left alone."""
    missing = {(state.collection, state.name) for state in states if state.state is State.MISSING}
    for collection, indexes in subgraph.indexes.items():
        wanted = [index for index in indexes if (collection, index.document["name"]) in missing]
        if wanted:
            await subgraph.runtime.database[collection].create_indexes(wanted)


async def _list_indexes(database: Database, collection: str) -> list[Mapping[str, Any]]:
    try:
        cursor = await database[collection].list_indexes()
        return [dict(row) for row in await cursor.to_list()]
    except OperationFailure as error:
        if error.code == _NAMESPACE_NOT_FOUND:
            return []
        raise


def _compare(subgraph: str, collection: str, index: IndexModel, found: Mapping[str, Any] | None) -> IndexState:
    name = index.document["name"]
    definition, reason = describe(index.document), reason_of(subgraph, collection, name) or ""
    if found is None:
        return IndexState(subgraph, collection, name, State.MISSING, definition, reason)
    if _essence(index.document) == _essence(found):
        return IndexState(subgraph, collection, name, State.PRESENT, definition, reason)
    return IndexState(subgraph, collection, name, State.DIFFERENT, definition, reason, found=describe(found))


def _essence(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a difference: fields in their order, and options. A text index is stored in its own way."""
    essence = {key: value for key, value in document.items() if key not in _INCIDENTAL and value is not False}
    keys = dict(essence.pop("key"))
    if "text" in keys.values():
        weights = dict(essence.pop("weights", None) or {field: 1 for field in keys if not field.startswith("_fts")})
        return {"text": weights, **essence}
    return {"key": list(keys.items()), **essence}


def describe(document: Mapping[str, Any]) -> str:
    """Return fields and options of an index on one line."""
    keys = SON(document["key"])
    if "weights" in document and "_fts" in keys:
        keys = SON((field, "text") for field in document["weights"])
    fields = ", ".join(f"{field} {_DIRECTIONS.get(direction, direction)}" for field, direction in keys.items())
    options = []
    if document.get("unique"):
        options.append("unique")
    if "expireAfterSeconds" in document:
        options.append(f"expires after {int(document['expireAfterSeconds'])} s")
    if "partialFilterExpression" in document:
        options.append(f"where {dict(document['partialFilterExpression'])}")
    return "; ".join([fields, *options])


_DIRECTIONS = {1: "up", -1: "down"}
