"""Operations that grow: each family has supergraphs and operations of any size, to see how planning grows with them.

The size counts what the family's text says. Benchmark and tests use the same families, the tests with small sizes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external",'
    ' "@requires", "@context", "@fromContext"])'
)


@dataclass(frozen=True, slots=True)
class Question:
    """An operation over some subgraphs, given by name as SDL."""

    subgraphs: Mapping[str, str]
    operation: str


@dataclass(frozen=True, slots=True)
class Family:
    """Questions of growing size: *size* is the benchmark's, *quick_size* that of its quick run (None: left out)."""

    name: str
    counts: str
    make: Callable[[int], Question]
    size: int
    quick_size: int | None = None


def join(parts: Iterable[str]) -> str:
    return " ".join(parts)


# --- 10,000 fields ---


def flat(size: int) -> Question:
    """Return *size* fields of one object, all of one subgraph."""
    sdl = "type Query { thing: Thing } type Thing { name: String }"
    return Question({"things": sdl}, f"{{ thing {{ {join(f'x{i}: name' for i in range(size))} }} }}")


def wide(size: int) -> Question:
    """Return *size* fields of one entity that ten subgraphs know a part of."""
    others = {
        f"s{i}": f'type Thing @key(fields: "id") {{ id: ID! f{i}: String }}'
        + ("type Query { thing: Thing }" * (i == 0))
        for i in range(10)
    }
    fields = join(f"x{i}: f{i % 10}" for i in range(size))
    return Question({name: f"{LINK} {sdl}" for name, sdl in others.items()}, f"{{ thing {{ {fields} }} }}")


def levels(size: int) -> Question:
    """Return *size* fields on up to 100 levels; every level is of another subgraph than the one around it."""
    depth = min(100, max(1, size // 10))
    thing = 'type Thing @key(fields: "id") { id: ID! '
    subgraphs = {
        "even": f"{LINK} type Query {{ thing: Thing }} {thing} even: String toOdd: Thing }}",
        "odd": f"{LINK} {thing} odd: String toEven: Thing }}",
    }
    text = ""
    for level in reversed(range(depth)):
        name, onward = ("odd", "toEven") if level % 2 else ("even", "toOdd")
        fields = join(f"x{i}: {name}" for i in range(size // depth - 1))
        text = f"{fields} {onward} {{ {text or 'id'} }}"
    return Question(subgraphs, f"{{ thing {{ {text} }} }}")


PRODUCTS = (
    f'{LINK} type Query {{ product: Product }} type Product @key(fields: "upc") {{ upc: ID! name: String'
    ' weight: Int maker: Maker } type Maker @key(fields: "id") { id: ID! }'
)
STOCK = (
    f'{LINK} type Product @key(fields: "upc") {{ upc: ID! weight: Int @external'
    ' inStock: Boolean shipping: Int @requires(fields: "weight") }'
)
MAKERS = (
    f'{LINK} type Maker @key(fields: "id") {{ id: ID! name: String country: Country }}'
    ' type Country @key(fields: "code") { code: ID! }'
)
COUNTRIES = f'{LINK} type Country @key(fields: "code") {{ code: ID! name: String }}'
SHOP = {"products": PRODUCTS, "stock": STOCK, "makers": MAKERS, "countries": COUNTRIES}


def aliased_entities(size: int) -> Question:
    """Return *size* fields: half of them entities under an alias each, whose one field is another subgraph's."""
    return Question(SHOP, f"{{ {join(f'p{i}: product {{ inStock }}' for i in range(size // 2))} }}")


def aliased_chains(size: int) -> Question:
    """Return *size* fields in entities under an alias each, that go on over four subgraphs: several steps for each."""
    inner = "name inStock shipping maker { name country { name } }"
    return Question(SHOP, f"{{ {join(f'p{i}: product {{ {inner} }}' for i in range(size // 8))} }}")


def aliased_objects(size: int) -> Question:
    """Return *size* fields in aliased entities, of which another subgraph is asked for objects."""
    return Question(
        SHOP, f"{{ {join(f'p{i}: product {{ maker {{ country {{ code }} }} }}' for i in range(size // 4))} }}"
    )


def deferred_entities(size: int) -> Question:
    """Return *size* fields in aliased entities, of which one field each is deferred."""
    parts = (f"p{i}: product {{ name ... @defer {{ inStock }} }}" for i in range(size // 3))
    return Question(SHOP, f"{{ {join(parts)} }}")


def nested_roots(size: int) -> Question:
    """Return *size* fields, a third of them root fields of another subgraph below a field that gives the query."""
    one = f"{LINK} type Query {{ payload: Payload }} type Payload {{ query: Query }}"
    other = f"{LINK} type Query {{ now: Int }}"
    parts = (f"p{i}: payload {{ query {{ now }} }}" for i in range(size // 3))
    return Question({"one": one, "other": other}, f"{{ {join(parts)} }}")


def mutations(size: int) -> Question:
    """Return *size* root fields of a mutation, of two subgraphs in turn."""
    query = "type Query { now: Int @shareable }"
    subgraphs = {name: f"{LINK} {query} type Mutation {{ {name}: Int }}" for name in ("even", "odd")}
    fields = join(f"x{i}: {'odd' if i % 2 else 'even'}" for i in range(size))
    return Question(subgraphs, f"mutation {{ {fields} }}")


def interface_objects(size: int) -> Question:
    """Return *size* fields of an interface object, whose types another subgraph knows."""
    names = [f"M{i:02}" for i in range(20)]
    types = join(f'type {name} implements I @key(fields: "id") {{ id: ID! a: Int }}' for name in names)
    link = LINK.replace('"@key"', '"@key", "@interfaceObject"')
    subgraphs = {
        "a": f'{LINK} interface I @key(fields: "id") {{ id: ID! }} {types}',
        "b": f'{link} type Query {{ any: [I] }} type I @interfaceObject @key(fields: "id") {{ id: ID! b: Int }}',
        "c": f'{link} type I @interfaceObject @key(fields: "id") {{ id: ID! c: Int }}',
    }
    parts = (f"x{i}: b y{i}: c ... on {names[i % 20]} {{ z{i}: a }}" for i in range(size // 3))
    return Question(subgraphs, f"{{ any {{ {join(parts)} }} }}")


def wide_requirements(size: int) -> Question:
    """Return *size* fields under an alias each that require a field of another subgraph."""
    return Question(SHOP, f"{{ product {{ {join(f'x{i}: shipping' for i in range(size))} }} }}")


def differing_entities(size: int) -> Question:
    """Return *size* fields in aliased entities, of which no two ask another subgraph for the same."""
    return Question(SHOP, f"{{ {join(f'p{i}: product {{ x{i}: inStock }}' for i in range(size // 2))} }}")


def fragments(size: int) -> Question:
    """Return *size* fields out of a 500th as many fragments, half of them another subgraph's."""
    count = max(1, size // 500)
    names = ["name", "inStock"] * 250
    parts = [
        f"fragment F{i} on Product {{ {join(f'x{i}_{j}: {name}' for j, name in enumerate(names))} }}"
        for i in range(count)
    ]
    return Question(SHOP, f"{{ product {{ {join(f'...F{i}' for i in range(count))} }} }} {join(parts)}")


def repeated_fragments(size: int) -> Question:
    """Return *size* fields that are ten once merged: one fragment, spread in the same place over and over."""
    spreads = join(f"... on Product {{ ...F x{i % 7}: name }}" for i in range(size // 10))
    text = f"{{ product {{ {spreads} }} }} fragment F on Product {{ {join(f'y{j}: inStock' for j in range(9))} }}"
    return Question(SHOP, text)


def members(size: int) -> Question:
    """Return *size* fields of a union of 100 entities, in a fragment for each; every second is another subgraph's."""
    names = [f"M{i:03}" for i in range(100)]
    first = join(f'type {name} @key(fields: "id") {{ id: ID! a: Int }}' for name in names)
    second = join(f'type {name} @key(fields: "id") {{ id: ID! b: Int }}' for name in names)
    subgraphs = {
        "a": f"{LINK} type Query {{ any: [Any] }} union Any = {' | '.join(names)} {first}",
        "b": f"{LINK} {second}",
    }
    parts = (
        f"... on {name} {{ {join(f'{name}x{j}: a {name}y{j}: b' for j in range(size // 200))} }}" for name in names
    )
    return Question(subgraphs, f"{{ any {{ {join(parts)} }} }}")


def implementations(size: int) -> Question:
    """Return *size* fields of an interface of 100 entities, half of them another subgraph's, without fragments."""
    names = [f"M{i:03}" for i in range(100)]
    first = join(f'type {name} implements I @key(fields: "id") {{ id: ID! a: Int }}' for name in names)
    second = join(f'type {name} implements I @key(fields: "id") {{ id: ID! b: Int }}' for name in names)
    subgraphs = {
        "a": f'{LINK} type Query {{ any: [I] }} interface I @key(fields: "id") {{ id: ID! a: Int }} {first}',
        "b": f'{LINK} interface I @key(fields: "id") {{ id: ID! b: Int }} {second}',
    }
    return Question(subgraphs, f"{{ any {{ {join(f'x{j}: a y{j}: b' for j in range(size // 2))} }} }}")


# --- what looks exponential ---


def interchangeable(size: int) -> Question:
    """Return five levels of shareable fields of an entity that *size* subgraphs know in whole."""
    sdl = (
        f'{LINK} type Query {{ thing: Thing @shareable }} type Thing @key(fields: "id") {{ id: ID!'
        " a: Int @shareable b: Int @shareable child: Thing @shareable }"
    )
    text = "{ thing " + "{ a b child " * 5 + "{ id }" + " }" * 5 + " }"
    return Question({f"s{i:02}": sdl for i in range(size)}, text)


def own_fields(size: int) -> Question:
    """Return *size* levels of an entity that twelve subgraphs know, each with a field of its own and the same child."""
    subgraphs = {
        f"s{i:02}": f'{LINK} type Query {{ thing: Thing @shareable }} type Thing @key(fields: "id") {{ id: ID!'
        f" u{i}: Int child: Thing @shareable }}"
        for i in range(12)
    }
    own = join(f"u{i}" for i in range(12))
    return Question(subgraphs, "{ thing " + f"{{ {own} child " * size + "{ id }" + " }" * size + " }")


def shareable_sets(size: int) -> Question:
    """Return *size* levels of value types whose fields twelve subgraphs know in sets that all differ."""
    subgraphs = {}
    for i in range(12):
        own = join(f"f{j}: Int" for j in range(12) if (i + j) % 3 or i == j)
        key = 'type Entity @key(fields: "id") { id: ID! value: Value @shareable }'
        subgraphs[f"s{i:02}"] = (
            f"{LINK} type Query {{ value: Value @shareable }} {key} type Value @shareable {{ {own} child: Value"
            f" {'entity: Entity' * (i % 2)} }}"
        )
    fields = join(f"f{j}" for j in range(12))
    text = "f0"
    for _ in range(size):
        text = f"{fields} child {{ {fields} child {{ {fields} }} entity {{ value {{ {text} }} }} }}"
    return Question(subgraphs, f"{{ value {{ {text} }} }}")


def many_keys(size: int) -> Question:
    """Return an entity of *size* subgraphs in a ring, each of which shares its keys with the next ones only."""
    subgraphs = {}
    for i in range(size):
        keys = [i, (i + 1) % size, (i * 5 + 2) % size]
        head = join(f'@key(fields: "k{k}")' for k in dict.fromkeys(keys))
        fields = join(f"k{k}: ID! @shareable" for k in dict.fromkeys(keys))
        subgraphs[f"s{i:02}"] = (
            f"{LINK} type Thing {head} {{ {fields} f{i}: Int next: Thing @shareable }} "
            + "type Query { thing: Thing }" * (i == 0)
        )
    fields = join(f"f{i}" for i in range(size))
    text = "{ thing " + f"{{ {fields} next " * 3 + f"{{ {fields} }}" + " }" * 3 + " }"
    return Question(subgraphs, text)


def nested_keys(size: int) -> Question:
    """Return *size* entities in a ring, each with a key in the next one's key, over four subgraphs."""
    subgraphs = {}
    for number, shift in enumerate((1, 1, 2, 3)):
        types = []
        for i in range(size):
            onward = (i + shift) % size
            key = f"to{onward} {{ id }}"
            types.append(
                f'type T{i} @key(fields: "{key}") @key(fields: "id") {{ id: ID! @shareable'
                f" to{onward}: T{onward} @shareable f{number}: Int }}"
            )
        root = "type Query { t: T0 }" if number == 0 else ""
        subgraphs[f"s{number}"] = f"{LINK} {join(types)} {root}"
    text = "f0 f1 f2 f3"
    for i in reversed(range(size)):
        text = f"f0 f1 f2 f3 to{(i + 1) % size} {{ {text} }}"
    return Question(subgraphs, f"{{ t {{ {text} }} }}")


def conditions(size: int) -> Question:
    """Return *size* fields of another subgraph, each under two conditions of its own."""
    variables = join(f"$a{i}: Boolean! $b{i}: Boolean!" for i in range(size))
    fields = join(f"... @include(if: $a{i}) {{ x{i}: inStock @skip(if: $b{i}) }}" for i in range(size))
    return Question(SHOP, f"query({variables}) {{ product {{ {fields} }} }}")


def alternative_conditions(size: int) -> Question:
    """Return one field of another subgraph, wanted under *size* conditions."""
    variables = join(f"$a{i}: Boolean! $b{i}: Boolean!" for i in range(size))
    fields = join(f"... @include(if: $a{i}) {{ inStock @skip(if: $b{i}) }}" for i in range(size))
    return Question(SHOP, f"query({variables}) {{ product {{ {fields} }} }}")


def conditional_roots(size: int) -> Question:
    """Return *size* root fields, each under two conditions of its own."""
    variables = join(f"$a{i}: Boolean! $b{i}: Boolean!" for i in range(size))
    fields = join(f"... @include(if: $a{i}) {{ x{i}: product @skip(if: $b{i}) {{ name }} }}" for i in range(size))
    return Question(SHOP, f"query({variables}) {{ {fields} }}")


def nested_conditions(size: int) -> Question:
    """Return *size* levels, each of which is wanted under two conditions in turn."""
    sdl = f'{LINK} type Query {{ thing: Thing }} type Thing @key(fields: "id") {{ id: ID! next: Thing }}'
    other = f'{LINK} type Thing @key(fields: "id") {{ id: ID! name: String }}'
    variables = join(f"$a{i}: Boolean! $b{i}: Boolean!" for i in range(size))
    parts = [
        f"fragment F{i} on Thing {{ name next @include(if: $a{i}) {{ ...F{i + 1} }}"
        f" next @include(if: $b{i}) {{ ...F{i + 1} }} }}"
        for i in range(size)
    ]
    text = f"query({variables}) {{ thing {{ ...F0 }} }} {join(parts)} fragment F{size} on Thing {{ name }}"
    return Question({"things": sdl, "names": other}, text)


def conditional_fragments(size: int) -> Question:
    """Return *size* fragments that spread the next one under two conditions in turn."""
    variables = join(f"$a{i}: Boolean! $b{i}: Boolean!" for i in range(size))
    parts = [
        f"fragment F{i} on Product {{ ...F{i + 1} @include(if: $a{i}) ...F{i + 1} @include(if: $b{i}) }}"
        for i in range(size)
    ]
    text = f"query({variables}) {{ product {{ ...F0 }} }} {join(parts)} fragment F{size} on Product {{ name inStock }}"
    return Question(SHOP, text)


def nested_interface(size: int) -> Question:
    """Return *size* levels of an interface with 50 entities, each level with a field of another subgraph."""
    names = [f"M{i:02}" for i in range(50)]
    first = join(f'type {name} implements I @key(fields: "id") {{ id: ID! next: I }}' for name in names)
    second = join(f'type {name} @key(fields: "id") {{ id: ID! b: Int }}' for name in names)
    subgraphs = {
        "a": f"{LINK} type Query {{ any: I }} interface I {{ id: ID! next: I }} {first}",
        "b": f"{LINK} {second}",
    }
    each = join(f"... on {name} {{ b }}" for name in names)
    text = "{ any " + f"{{ {each} next " * size + "{ id }" + " }" * size + " }"
    return Question(subgraphs, text)


def differing_branches(size: int) -> Question:
    """Return *size* levels of a union of two, each member with a field of one key that goes on."""
    sdl = (
        f'{LINK} type Query {{ any: Any }} union Any = A | B type A @key(fields: "id") {{ id: ID! next: Any }} '
        'type B @key(fields: "id") { id: ID! next: Any }'
    )
    other = f'{LINK} type A @key(fields: "id") {{ id: ID! b: Int }} type B @key(fields: "id") {{ id: ID! b: Int }}'
    parts = [
        f"fragment F{i} on Any {{ ... on A {{ next {{ ...F{i + 1} }} }} ... on B {{ next {{ ...F{i + 1} }} }} }}"
        for i in range(size)
    ]
    end = f"fragment F{size} on Any {{ ... on A {{ b }} ... on B {{ b }} }}"
    return Question({"a": sdl, "b": other}, f"{{ any {{ ...F0 }} }} {join(parts)} {end}")


def requirements(size: int) -> Question:
    """Return a chain of *size* requirements over two subgraphs in turn."""
    even = ["id: ID! start: Int"]
    odd = ["id: ID! start: Int @external"]
    for i in range(size):
        own, other = (even, odd) if i % 2 else (odd, even)
        before = f"r{i - 1}" if i else "start"
        own.append(f'r{i}: Int @requires(fields: "{before}")')
        if i + 1 < size:
            other.append(f"r{i}: Int @external")
    head = 'type Thing @key(fields: "id")'
    subgraphs = {
        "even": f"{LINK} type Query {{ thing: Thing }} {head} {{ {join(even)} }}",
        "odd": f"{LINK} {head} {{ {join(odd)} }}",
    }
    return Question(subgraphs, f"{{ thing {{ {join(f'r{i}' for i in range(size))} }} }}")


CONTEXT = {
    "orders": f'{LINK} type Query {{ me: User }} type User @context(name: "user") {{ locale: String! orders: [Order] }}'
    ' type Order @key(fields: "id") { id: ID! total(locale: String @fromContext(field: "$user { locale }")): String }',
    "parcels": f'{LINK} type Order @key(fields: "id") {{ id: ID! weight: Int }}',
}


def contextual(size: int) -> Question:
    """Return *size* fields, most in aliased lists of entities of which one takes an argument from the object above."""
    return Question(CONTEXT, f"{{ me {{ {join(f'o{i}: orders {{ total weight }}' for i in range(size // 3))} }} }}")


FAMILIES = (
    Family("fields of one subgraph", "fields", flat, 10_000),
    Family("fields of ten subgraphs", "fields", wide, 10_000, 1000),
    Family("a hundred levels", "fields", levels, 10_000),
    Family("entities under aliases", "fields", aliased_entities, 10_000),
    Family("entities that ask differently", "fields", differing_entities, 10_000),
    Family("entities with objects", "fields", aliased_objects, 10_000),
    Family("chains over four subgraphs", "fields", aliased_chains, 10_000, 1000),
    Family("deferred fields", "fields", deferred_entities, 10_000),
    Family("root fields below others", "fields", nested_roots, 10_000),
    Family("mutations in turn", "fields", mutations, 10_000),
    Family("fragments", "fields", fragments, 10_000),
    Family("one fragment many times", "fields", repeated_fragments, 10_000),
    Family("union of 100 types", "fields", members, 10_000),
    Family("interface of 100 types", "fields", implementations, 10_000, 1000),
    Family("interface objects", "fields", interface_objects, 10_000),
    Family("fields with a requirement", "fields", wide_requirements, 10_000),
    Family("interchangeable subgraphs", "subgraphs", interchangeable, 12, 12),
    Family("subgraphs with own fields", "levels", own_fields, 12),
    Family("value types split differently", "levels", shareable_sets, 12),
    Family("keys shared with neighbours", "subgraphs", many_keys, 12),
    Family("keys within keys, in a ring", "types", nested_keys, 12),
    Family("fields under two conditions", "fields", conditions, 100, 10),
    Family("one field, many conditions", "conditions", alternative_conditions, 100),
    Family("root fields, two conditions", "fields", conditional_roots, 100),
    Family("conditions within conditions", "levels", nested_conditions, 12, 4),
    Family("fragments under conditions", "levels", conditional_fragments, 12),
    Family("50 types within themselves", "levels", nested_interface, 6),
    Family("types that go on alike", "levels", differing_branches, 10),
    Family("requirements of requirements", "fields", requirements, 30),
    Family("arguments from contexts", "fields", contextual, 10_000, 1000),
)
