"""Importing and exporting products: row by row, by sku, each as a whole."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from pasar.importing.product_file import RefusedProduct, read_rows, render_csv, write_json
from pasar.importing.product_format import ProductFormat
from pasar.importing.products import ImportedProducts, export_products, import_products
from pasar.store import Store, open_store
from subgraphs.product.app import build_service
from tests.testkit.callers import STAFF
from tests.testkit.clock import FixedClock
from tests.testkit.running import pasar

GOODS = """\
sku,name,price,category,status,options,parent,choice:size,attribute:fabric
SHIRT,Shirt,10000,shirts,ACTIVE,size=s|m,,,wool
SHIRT-S,,,,,,SHIRT,s,
SHIRT-M,,12000,,,,SHIRT,m,
MUG,Mug,5000,-,,,,,
"""


@pytest.fixture
async def store(store_settings: Settings) -> AsyncIterator[Store]:
    clock = FixedClock(datetime(2026, 11, 1, 9, 0, tzinfo=UTC))
    async with open_store(store_settings, store_settings.mongodb_uri, names=("product",), clock=clock) as store:
        await store.start()
        categories = build_service(store.subgraphs["product"].runtime).categories
        await categories.create_category(name="Shirts", slug=None, parent_id=None, by=STAFF)
        yield store
        await store.stop()


async def bring_in(
    store: Store, text: str, format_: ProductFormat = ProductFormat.CSV
) -> tuple[ImportedProducts, list[tuple[int, str, str]]]:
    refusals: list[RefusedProduct] = []
    progress: list[int] = []
    rows = read_rows(text.splitlines(keepends=True), format_, "IDR")
    result = await import_products(store, rows, on_refused=refusals.append, on_progress=progress.append)
    assert progress == list(range(1, len(progress) + 1))
    return result, [(each.line, each.sku, each.code) for each in refusals]


async def rows_of(store: Store, collection: str = "products") -> list[dict[str, Any]]:
    return await store.subgraphs["product"].runtime.database[collection].find().sort("_id", 1).to_list()


async def test_a_file_is_imported_with_events_and_a_second_time_changes_nothing(store: Store) -> None:
    assert await bring_in(store, GOODS) == (ImportedProducts(4, 0, 0, 0), [])
    found = {row["sku"]: row for row in await rows_of(store)}
    assert {sku: (row["status"], row["regular_price"]["amount"]) for sku, row in found.items()} == {
        "SHIRT": ("ACTIVE", 10000),
        "SHIRT-S": ("ACTIVE", 10000),
        "SHIRT-M": ("ACTIVE", 12000),
        "MUG": ("DRAFT", 5000),
    }
    assert found["SHIRT-M"]["parent_id"] == found["SHIRT"]["_id"]
    assert [each["name"] for each in found["SHIRT"]["attributes"]] == ["fabric"]
    created = [row["subject"] for row in await rows_of(store, "outbox") if row["type"] == "ProductCreated"]
    assert sorted(created) == sorted(row["_id"] for row in found.values())
    before, outbox = await rows_of(store), await rows_of(store, "outbox")
    assert await bring_in(store, GOODS) == (ImportedProducts(0, 0, 4, 0), [])
    assert (await rows_of(store), await rows_of(store, "outbox")) == (before, outbox)


async def test_a_changed_line_changes_its_product_alone(store: Store) -> None:
    await bring_in(store, GOODS)
    assert await bring_in(store, "sku,price,status\nMUG,6000,ACTIVE\nSHIRT-S,,\n") == (
        ImportedProducts(0, 1, 1, 0),
        [],
    )
    [mug] = [row for row in await rows_of(store) if row["sku"] == "MUG"]
    assert (mug["name"], mug["regular_price"]["amount"], mug["status"]) == ("Mug", 6000, "ACTIVE")


async def test_a_refused_line_leaves_nothing_and_the_rest_is_imported(store: Store) -> None:
    text = """\
sku,name,price,category,parent,choice:size,slug
GOOD,Good,1,,,,
NO-NAME,,1,,,,
FREE,Free,0,,,,
LOST,Lost,1,nowhere,,,
ORPHAN,Orphan,1,,NOBODY,s,
bad sku,Bad,1,,,,
TWIN,Twin,1,,,,good
"""
    result, refusals = await bring_in(store, text)
    assert result == ImportedProducts(1, 0, 0, 6)
    assert refusals == [
        (3, "NO-NAME", "BAD_USER_INPUT"),
        (4, "FREE", "BAD_USER_INPUT"),
        (5, "LOST", "NOT_FOUND"),
        (6, "ORPHAN", "NOT_FOUND"),
        (7, "bad sku", "BAD_USER_INPUT"),
        (8, "TWIN", "CONFLICT"),
    ]
    [row] = await rows_of(store)
    assert row["sku"] == "GOOD"
    assert len([row for row in await rows_of(store, "outbox") if row["type"] == "ProductCreated"]) == 1


async def test_a_sku_that_is_there_twice_is_one_product_as_the_last_line_says(store: Store) -> None:
    result, _ = await bring_in(store, "sku,name,price\nA,First,1\nA,Second,2\n")
    assert result == ImportedProducts(1, 1, 0, 0)
    [row] = await rows_of(store)
    assert (row["name"], row["regular_price"]["amount"]) == ("Second", 2)


async def test_a_variant_stays_of_its_product_and_of_its_choice(store: Store) -> None:
    await bring_in(store, GOODS)
    before = await rows_of(store)
    text = "sku,parent,choice:size\nSHIRT-S,MUG,s\nSHIRT-S,SHIRT,m\nMUG,SHIRT,s\n"
    result, refusals = await bring_in(store, text)
    assert (result.refused, [code for _, _, code in refusals]) == (3, ["CONFLICT"] * 3)
    assert await rows_of(store) == before


@pytest.mark.parametrize("format_", [ProductFormat.CSV, ProductFormat.JSONL])
async def test_what_is_exported_is_imported_into_another_store_and_exported_as_the_same(
    store: Store, format_: ProductFormat
) -> None:
    await bring_in(store, GOODS)

    async def export() -> str:
        rows = [row async for row in export_products(store)]
        return render_csv(rows) if format_ is ProductFormat.CSV else "".join(f"{write_json(row)}\n" for row in rows)

    text = await export()
    assert await bring_in(store, text, format_) == (ImportedProducts(0, 0, 4, 0), [])
    await store.subgraphs["product"].runtime.database["products"].delete_many({})
    assert await bring_in(store, text, format_) == (ImportedProducts(4, 0, 0, 0), [])
    assert sorted((await export()).splitlines()) == sorted(text.splitlines())


async def test_what_is_deleted_is_not_exported(store: Store) -> None:
    await bring_in(store, GOODS)
    service = build_service(store.subgraphs["product"].runtime)
    [mug] = [row for row in await rows_of(store) if row["sku"] == "MUG"]
    await service.delete_product(mug["_id"], by=STAFF)
    assert [row.sku async for row in export_products(store)] == ["SHIRT", "SHIRT-M", "SHIRT-S"]


def test_the_commands_bring_a_catalogue_in_and_out(tmp_path: Path, mongo_uri: str, database_prefix: str) -> None:
    source, target, refused = tmp_path / "in.csv", tmp_path / "out.jsonl", tmp_path / "refused.csv"
    source.write_text("sku,name,price\nMUG,Mug,5000\nFREE,Free,0\n")
    variables = {"PASAR_MONGODB_URI": mongo_uri, "PASAR_DATABASE_PREFIX": database_prefix}
    common = ("--data", str(tmp_path / "data"))
    result = pasar("import", "products", str(source), "--refused", str(refused), *common, **variables)
    assert (result.returncode, result.stdout) == (1, "1 created, 0 updated, 0 unchanged, 1 refused\n")
    assert "line 3 [BAD_USER_INPUT] price: the price is IDR 0; it must be more than zero" in result.stderr
    assert refused.read_text().splitlines() == [
        "line,sku,code,reason",
        "3,FREE,BAD_USER_INPUT,price: the price is IDR 0; it must be more than zero",
    ]
    result = pasar("export", "products", str(target), *common, **variables)
    assert (result.returncode, result.stderr.splitlines()[-1]) == (0, "1 products")
    [line] = target.read_text().splitlines()
    assert (json.loads(line)["sku"], json.loads(line)["price"]) == ("MUG", "5000")
    result = pasar("import", "products", str(target), *common, **variables)
    assert (result.returncode, result.stdout) == (0, "0 created, 0 updated, 1 unchanged, 0 refused\n")
    result = pasar("export", "products", str(tmp_path / "none" / "out.csv"), *common, **variables)
    assert result.returncode == 1
    assert "PRODUCT_FILE_UNUSABLE" in result.stderr
