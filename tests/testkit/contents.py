"""All that a store holds, to be compared."""

from core.mongo import Client, Row
from pasar.store import SUBGRAPHS, Store

# A hash has a salt of its own, a movement an id of its own; versions are made to differ
UNREPRODUCIBLE = {
    "users": {"password_hash"},
    "movements": {"_id"},
    "order_totals": {"v"},
    "product_totals": {"v"},
    "category_totals": {"v"},
}


# Rows that a store makes when it starts, so that one which is filled and one which is started differ
MADE_AT_START = {"inventory.warehouses"}


async def read_everything(store: Store) -> dict[str, list[Row]]:
    """Return the rows of every collection of every subgraph, without what differs between any two stores."""
    return await read_databases(store.client, store.settings.database_prefix)


async def read_databases(client: Client, prefix: str) -> dict[str, list[Row]]:
    """Do so for databases without a store around them; empty collections are left out, for they may not be there."""
    rows: dict[str, list[Row]] = {}
    for name in SUBGRAPHS:
        database = client[f"{prefix}{name}"]
        for collection in sorted(await database.list_collection_names()):
            hidden = dict.fromkeys(UNREPRODUCIBLE.get(collection, ()), 0)
            found = await database[collection].find({}, hidden or None).to_list()
            if found and f"{name}.{collection}" not in MADE_AT_START:
                rows[f"{name}.{collection}"] = sorted(found, key=repr)
    return rows


async def read_indexes(client: Client, prefix: str) -> dict[str, list[str]]:
    """Return the names of all indexes of every collection."""
    names: dict[str, list[str]] = {}
    for name in SUBGRAPHS:
        database = client[f"{prefix}{name}"]
        for collection in sorted(await database.list_collection_names()):
            names[f"{name}.{collection}"] = sorted(await database[collection].index_information())
    return names
