"""Measure searches with facets, filtered lists and suggestions on a catalogue of 100,000 products, on a real mongod.

Descriptions are of a vocabulary in which, as in any language, few words are frequent and most are rare; names are of
nouns of their own, each in 4 to about 1,500 products, and some of them are in descriptions. Shoppers search for them.
The mix is what a shop's search page asks: a page of 20 with all facets, for whole words, beginnings of words, two
words, categories, attributes and price ranges, every one of them another, so that nothing is found in a cache. Words
that are frequent in descriptions are measured apart. Client and server share the cores. The baseline is the same mix
without an index, in the same run: every product is looked at, once for the page and once for the facets.
"""

import asyncio
import cProfile
import pstats
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from pymongo.monitoring import CommandListener

from benchmarks.report import Result, parse_arguments, publish
from core.cache import open_cache
from core.clock import SystemClock
from core.identity import ANONYMOUS, service_identity
from core.mail import MailboxMailer
from core.money import Money
from core.mongo import Database, connect
from core.peers import InProcessPeers
from core.settings import Settings
from core.subgraph import Call, Runtime, Subgraph
from pasar.mongod import EmbeddedMongod
from subgraphs.product import app
from subgraphs.product.attributes import ProductAttribute
from subgraphs.product.bulk import insert_categories, insert_products
from subgraphs.product.model import Category, Product, ProductStatus

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
VOCABULARY, NOUNS = 6000, 2000
AISLES, SHELVES_PER_AISLE = 15, 14
COLOURS = ("black", "blue", "green", "grey", "orange", "pink", "red", "white", "yellow")
SIZES = ("xs", "s", "m", "l", "xl")

DOCUMENT = """
query Search($filter: ProductFilterInput, $sort: ProductSort, $after: String) {
  products(filter: $filter, sort: $sort, first: 20, after: $after) {
    nodes { id name slug price { amount currency } images { url } category { name slug } }
    pageInfo { endCursor hasNextPage }
    facets {
      totalCount categories { category { name } count } attributes { name values { value count } }
      priceRanges { from { amount } to { amount } count } inStock soldOut
    }
  }
}"""
SUGGESTIONS = "query Suggest($text: String!) { searchSuggestions(text: $text) { text productCount } }"

Question: TypeAlias = tuple[str, str, dict[str, Any]]
"""What kind it is, the document, and its variables."""


class DatabaseTime(CommandListener):
    """Adds up how long commands took, by what they read. Mutable."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, list[float]] = {}
        self._names: dict[int, str] = {}

    def started(self, event: Any) -> None:
        target = event.command.get(event.command_name)
        pipeline = event.command.get("pipeline") or [{}]
        what = " (counting)" if "$group" in pipeline[-1] else ""
        self._names[event.request_id] = f"{event.command_name} {target}{what}"

    def succeeded(self, event: Any) -> None:
        name = self._names.pop(event.request_id)
        self.milliseconds.setdefault(name, []).append(event.duration_micros / 1000)

    def failed(self, event: Any) -> None:
        self._names.pop(event.request_id)


def make_vocabulary(random: Random) -> list[str]:
    """Return words of two to four syllables, the most frequent first."""
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        syllables = random.randint(2, 4)
        words["".join(random.choice("bcdfghjklmnprstvw") + random.choice("aeiou") for _ in range(syllables))] = None
    return list(words)


def pick_noun(random: Random, words: list[str]) -> str:
    """Return one of the NOUNS rarest words; the most frequent of them in one name of 60, most in one of a thousand."""
    return words[-1 - int(NOUNS * random.random() ** 1.6)]


def pick(random: Random, words: list[str]) -> str:
    """Return a word; the one of rank n about 1/n as often as the first (Zipf's law)."""
    return words[int(len(words) ** random.random()) - 1]


def make_categories() -> list[Category]:
    categories = []
    for aisle in range(AISLES):
        top = Category(f"cat_{aisle:02}", f"aisle-{aisle}", f"Aisle {aisle}", (f"cat_{aisle:02}",), FIRST)
        categories.append(top)
        for shelf in range(SHELVES_PER_AISLE):
            id_ = f"cat_{aisle:02}_{shelf:02}"
            categories.append(
                Category(id_, f"shelf-{aisle}-{shelf}", f"Shelf {aisle} {shelf}", (*top.path, id_), FIRST)
            )
    return categories


def make_products(count: int, words: list[str], categories: list[Category]) -> Iterator[tuple[Product, Category]]:
    random = Random(1)
    shelves = [category for category in categories if len(category.path) == 2]
    for number in range(count):
        shelf = random.choice(shelves)
        added = FIRST + timedelta(seconds=number)
        yield (
            Product(
                id=f"prd_{number:08}",
                sku=f"SKU-{number:06}",
                slug=f"product-{number}",
                name=" ".join(pick_noun(random, words) for _ in range(4)),
                description=" ".join(pick(random, words) for _ in range(30)),
                price=Money(500 * int(10 ** random.uniform(1, 4)), "IDR"),
                category_id=shelf.id,
                images=(),
                status=ProductStatus.ACTIVE if random.random() < 0.95 else ProductStatus.DRAFT,
                weight_grams=random.randrange(5000),
                created_at=added,
                updated_at=added,
                attributes=(
                    ProductAttribute("brand", f"brand {random.randrange(120)}"),
                    ProductAttribute("colour", random.choice(COLOURS)),
                    ProductAttribute("size", random.choice(SIZES)),
                ),
                in_stock=random.random() < 0.9,
            ),
            shelf,
        )


def make_questions(count: int, words: list[str], categories: list[Category], seed: int) -> Iterator[Question]:
    """Yield what shoppers ask: words they know, a tenth as often the most frequent one, and clicks on facets."""
    random = Random(seed)
    shelves = [category.id for category in categories if len(category.path) == 2]
    aisles = [category.id for category in categories if len(category.path) == 1]

    def search(kind: str, sort: str | None = None, **filter_: Any) -> Question:
        return kind, DOCUMENT, {"filter": filter_, "sort": sort}

    def price(amount: int) -> dict[str, str]:
        return {"decimal": str(amount), "currency": "IDR"}

    for _ in range(count):
        word, other = pick_noun(random, words), pick_noun(random, words)
        colour = {"name": "colour", "values": random.sample(COLOURS, random.randint(1, 2))}
        match random.randrange(8):
            case 0:
                yield search("word", search=word)
            case 1:
                yield search("two words", search=f"{word} {other}")
            case 2:
                yield search("beginning of a word", search=word[:4])
            case 3:
                yield search("word in a category", search=word, categoryId=random.choice(aisles))
            case 4:
                yield search("word and attribute by price", "PRICE_ASC", search=word, attributes=[colour])
            case 5:
                low = 1000 * random.randrange(1, 500)
                sort = random.choice(["NEWEST", "NAME", "PRICE_DESC"])
                yield search(
                    "category, attribute, price",
                    sort,
                    categoryId=random.choice(aisles),
                    priceMin=price(low),
                    priceMax=price(low * 10),
                    attributes=[colour],
                )
            case 6:
                yield search("category", "NEWEST", categoryId=random.choice(shelves), inStock=True)
            case _:
                yield "suggestions", SUGGESTIONS, {"text": word[: random.randint(2, 4)]}


async def ask_all(subgraph: Subgraph, questions: list[Question]) -> dict[str, list[float]]:
    """Return the milliseconds of each question by its kind, sorted; one after the other."""
    taken: dict[str, list[float]] = {}
    for kind, document, variables in questions:
        begun = time.perf_counter()
        response = await subgraph.execute(document, variables, None, Call(identity=ANONYMOUS, trusted=True))
        taken.setdefault(kind, []).append((time.perf_counter() - begun) * 1000)
        assert "errors" not in response, response["errors"]
    return {kind: sorted(each) for kind, each in sorted(taken.items())}


def percentile(taken: list[float], share: float) -> float:
    return taken[min(len(taken) - 1, int(len(taken) * share))]


def everything(taken: dict[str, list[float]]) -> list[float]:
    return sorted(each for times in taken.values() for each in times)


async def without_indexes(database: Database, subgraph: Subgraph, questions: list[Question]) -> dict[str, list[float]]:
    """Run the questions' MongoDB work by reading all products: a scan for the page, and one for the facets."""
    products = database["products"]
    taken: dict[str, list[float]] = {}
    for kind, _, variables in questions:
        condition = _scan_condition(variables)
        begun = time.perf_counter()
        natural = {"$natural": 1}
        await products.find(condition).sort([("created_at", -1), ("_id", -1)]).limit(21).hint(natural).to_list()
        stages: list[dict[str, Any]] = [{"$match": condition}, {"$group": {"_id": "$facet_key", "count": {"$sum": 1}}}]
        await (await products.aggregate(stages, hint=natural)).to_list()
        taken.setdefault(kind, []).append((time.perf_counter() - begun) * 1000)
    return {kind: sorted(each) for kind, each in sorted(taken.items())}


def _scan_condition(variables: dict[str, Any]) -> dict[str, Any]:
    filter_ = variables.get("filter", {})
    condition: dict[str, Any] = {"status": "ACTIVE"}
    keys = [f"c:{filter_['categoryId']}"] if "categoryId" in filter_ else []
    condition["$and"] = [
        *({"filter_keys": key} for key in keys),
        *(
            {"filter_keys": {"$in": [f"a:{each['name']}={value}" for value in each["values"]]}}
            for each in filter_.get("attributes", [])
        ),
        {},
    ]
    for word in [*filter_.get("search", "").split(), *variables.get("text", "").split()]:
        pattern = re.compile(rf"\b{re.escape(word)}", re.IGNORECASE)
        condition["$and"].append({"$or": [{"name": pattern}, {"description": pattern}]})
    return condition


async def measure(uri: str, folder: Path, count: int, rounds: int, scans: int) -> list[Result]:
    listener = DatabaseTime()
    client = connect(uri, listeners=[listener])
    database = client["benchmark_product"]
    settings = Settings.model_validate({"data": folder})
    runtime = Runtime(
        settings=settings,
        clock=SystemClock(),
        client=client,
        database=database,
        peers=InProcessPeers(service_identity("product"), {}),
        cache=open_cache(""),
        mailer=MailboxMailer(database),
    )
    subgraph = app.build(runtime)
    await subgraph.start()
    words, categories = make_vocabulary(Random(0)), make_categories()
    await insert_categories(database, categories)
    # Building an index at once is several times as fast as adding to it, and its size is that of a compacted one
    await database["products"].drop_indexes()
    begun = time.perf_counter()
    await insert_products(database, make_products(count, words, categories))
    written_s = time.perf_counter() - begun
    await subgraph.start()
    built_s = time.perf_counter() - begun - written_s
    print(
        f"{count:,} products: {count / written_s:,.0f} a second written, indexes built in {built_s:.1f} s", flush=True
    )
    stats = await database.command("collStats", "products")
    print(f"  data {stats['size'] / 1e6:,.0f} MB, indexes {stats['totalIndexSize'] / 1e6:,.0f} MB")

    await ask_all(subgraph, list(make_questions(50, words, categories, seed=1)))
    listener.milliseconds.clear()
    taken = await ask_all(subgraph, list(make_questions(rounds, words, categories, seed=2)))
    print(f"\n{'':32}{'count':>6}{'median':>9}{'p95':>9}{'p99':>9}  ms")
    for kind, times in [*taken.items(), ("all", everything(taken))]:
        median, p95, p99 = (percentile(times, share) for share in (0.5, 0.95, 0.99))
        print(f"{kind:32}{len(times):6}{median:9.1f}{p95:9.1f}{p99:9.1f}")

    whole_ms = sum(everything(taken))
    print("\nwaiting for the database:")
    for name, times in sorted(listener.milliseconds.items()):
        print(
            f"  {name:32}{len(times):6} times, median {statistics.median(times):7.2f} ms, p95"
            f" {percentile(sorted(times), 0.95):7.2f} ms, {sum(times) / whole_ms:6.1%} of the time"
        )

    print("\nwords that are frequent in descriptions:")
    for rank in (1000, 300, 100, 30):
        question = ("", DOCUMENT, {"filter": {"search": words[rank]}})
        begun = time.perf_counter()
        await ask_all(subgraph, [question])
        taken_ms = (time.perf_counter() - begun) * 1000
        found = await database["products"].count_documents({"$text": {"$search": words[rank]}})
        print(f"  {found:7,} products: {taken_ms:6.0f} ms")

    async def ask_for_the_whole() -> None:
        await subgraph.execute(DOCUMENT, {}, None, Call(identity=ANONYMOUS, trusted=True))

    begun = time.perf_counter()
    await ask_for_the_whole()
    counted_ms = (time.perf_counter() - begun) * 1000
    begun = time.perf_counter()
    await ask_for_the_whole()
    print(
        f"the whole catalogue with facets: {counted_ms:.0f} ms when they are counted,"
        f" {(time.perf_counter() - begun) * 1000:.0f} ms for the next {30} s"
    )

    scanned = everything(await without_indexes(database, subgraph, list(make_questions(scans, words, categories, 2))))
    profile = cProfile.Profile()
    profile.enable()
    await ask_all(subgraph, list(make_questions(min(rounds, 200), words, categories, seed=3)))
    profile.disable()
    print("\nWhere the client's time goes:")
    pstats.Stats(profile).sort_stats("tottime").print_stats(12)
    await client.close()
    ours = everything(taken)
    return [
        Result("search with facets, p95", percentile(ours, 0.95), percentile(scanned, 0.95), "ms"),
        Result("search with facets, median", percentile(ours, 0.5), percentile(scanned, 0.5), "ms"),
    ]


def main() -> None:
    extra = ("--products", int, 100_000, "how many products there are")
    arguments = parse_arguments(__doc__ or "", extra)
    count, rounds, scans = (3000, 80, 8) if arguments.quick else (arguments.products, 800, 16)
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedMongod(Path(folder) / "mongodb", binary="", cache_size_gb=2.0) as mongod,
    ):
        results = asyncio.run(measure(mongod.uri, Path(folder), count, rounds, scans))
    publish(results, arguments.json)


if __name__ == "__main__":
    main()
