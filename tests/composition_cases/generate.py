"""Make up subgraphs: a seed in, a set of subgraphs out.

A made-up store comes first: types, their fields, and which subgraph owns what. The subgraphs are written down from it,
so most sets compose. Then a few accidents happen to them (a lost key, another type, a forgotten `@shareable`), so
many do not, for every reason that composition knows.
"""

import random
from dataclasses import dataclass, field

from router.composition import SubgraphSchema

IMPORTS = [
    "@key",
    "@shareable",
    "@external",
    "@requires",
    "@provides",
    "@override",
    "@inaccessible",
    "@tag",
    "@interfaceObject",
    "@authenticated",
    "@requiresScopes",
    "@cost",
]
FEDERATION_1 = ("@key", "@external", "@requires", "@provides", "@tag")
SCALARS = ("Int", "String", "Boolean", "Float", "ID")


@dataclass(slots=True)
class _Field:
    name: str
    type: str
    arguments: str = ""
    directives: list[str] = field(default_factory=list)

    def text(self) -> str:
        return " ".join((f"{self.name}{self.arguments}: {self.type}", *self.directives))


@dataclass(slots=True)
class _Type:
    keyword: str
    name: str
    fields: dict[str, _Field] = field(default_factory=dict)
    implements: list[str] = field(default_factory=list)
    directives: list[str] = field(default_factory=list)

    def drop_federation_2(self) -> None:
        """Forget the directives that Federation 1 does not know."""
        self.directives = [text for text in self.directives if text.startswith(FEDERATION_1)]
        for each in self.fields.values():
            each.directives = [text for text in each.directives if text.startswith(FEDERATION_1)]

    def text(self) -> str:
        implements = f" implements {' & '.join(self.implements)}" if self.implements else ""
        head = " ".join((f"{self.keyword} {self.name}{implements}", *self.directives))
        return head + " {\n" + "".join(f"  {each.text()}\n" for each in self.fields.values()) + "}"


@dataclass(slots=True)
class _Subgraph:
    name: str
    types: dict[str, _Type] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    federation_1: bool = False

    def sdl(self) -> str:
        if self.federation_1:
            for each in self.types.values():
                each.drop_federation_2()
        imports = ", ".join(f'"{name}"' for name in IMPORTS)
        link = f'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [{imports}])'
        parts = [] if self.federation_1 else [link]
        parts.extend(each.text() for each in self.types.values() if each.fields)
        return "\n\n".join((*parts, *self.extra)) + "\n"


def generate_subgraphs(seed: int) -> tuple[SubgraphSchema, ...]:
    """Return a set of subgraphs; the same seed gives the same set."""
    return _Generator(random.Random(seed)).run()


class _Generator:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.subgraphs = [_Subgraph(name) for name in ("a", "b", "c", "d")[: rng.randint(2, 4)]]
        self.entities = [f"E{index}" for index in range(rng.randint(1, 4))]
        self.values = [f"V{index}" for index in range(rng.randint(0, 2))]

    def run(self) -> tuple[SubgraphSchema, ...]:
        for name in self.values:
            self.add_value(name)
        for name in self.entities:
            self.add_entity(name)
        if self.chance(0.4):
            self.add_interface()
        if self.chance(0.3):
            self.add_union()
        if self.chance(0.4):
            self.add_enum()
        if self.chance(0.4):
            self.add_input()
        self.add_roots()
        if self.chance(0.3):
            self.add_requires()
        if self.chance(0.25):
            self.add_provides()
        if self.chance(0.25):
            self.add_override()
        if self.chance(0.2):
            self.add_interface_object()
        if self.chance(0.2):
            self.add_nested_key()
        if self.chance(0.2):
            self.make_federation_1(self.rng.choice(self.subgraphs))
        for _ in range(self.rng.choice((0, 0, 0, 1, 1, 2))):
            self.accident()
        return tuple(SubgraphSchema(each.name, each.sdl(), f"http://{each.name}") for each in self.subgraphs)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def some(self, least: int = 1) -> list[_Subgraph]:
        return self.rng.sample(self.subgraphs, self.rng.randint(least, len(self.subgraphs)))

    def leaf(self) -> str:
        name = self.rng.choice(SCALARS)
        return self.rng.choice((name, name, f"{name}!", f"[{name}]", f"[{name}!]!"))

    def wrap(self, name: str) -> str:
        return self.rng.choice((name, name, f"{name}!", f"[{name}!]!", f"[{name}]"))

    def add_value(self, name: str) -> None:
        holders = self.some()
        for number in range(self.rng.randint(1, 3)):
            written = self.leaf()
            for holder in holders:
                if self.chance(0.9):
                    made = holder.types.setdefault(name, _Type("type", name, directives=["@shareable"]))
                    made.fields[f"v{number}"] = _Field(f"v{number}", written)

    def add_entity(self, name: str) -> None:
        """Give each holder a key that leads on from the one before it, and own fields."""
        holders = self.some()
        keys = self.rng.choice((["id"], ["id"], ["id", "sku"], ["id", "sku", "id sku"]))
        for number, holder in enumerate(holders):
            made = holder.types.setdefault(name, _Type("type", name))
            chosen = keys if number == 0 else [self.rng.choice(keys)]
            for key in chosen:
                resolvable = ", resolvable: false" if number and self.chance(0.15) else ""
                made.directives.append(f'@key(fields: "{key}"{resolvable})')
                for part in key.split():
                    made.fields[part] = _Field(part, "ID!")
            for _ in range(self.rng.randint(0, 2)):
                own = f"{holder.name}{len(made.fields)}"
                made.fields[own] = _Field(own, self.field_type(holder), self.arguments())
        if len(holders) > 1 and self.chance(0.4):
            written = self.leaf()
            for holder in holders:
                if self.chance(0.8):
                    holder.types[name].fields["shared"] = _Field("shared", written, directives=["@shareable"])

    def field_type(self, holder: _Subgraph) -> str:
        composite = [each for each in holder.types if each[0] in "EV" and each != "E"]
        return self.wrap(self.rng.choice(composite)) if composite and self.chance(0.45) else self.leaf()

    def arguments(self) -> str:
        return self.rng.choice(("", "", "", "(x: Int)", "(x: Int! = 3)", "(x: [ID!]!, y: String)"))

    def add_roots(self) -> None:
        for number, holder in enumerate(self.subgraphs):
            targets = [name for name, each in holder.types.items() if each.fields and name != "Query"]
            if not targets or (number and self.chance(0.3)):
                continue
            query = holder.types.setdefault("Query", _Type("type", "Query"))
            for target in self.rng.sample(targets, min(len(targets), self.rng.randint(1, 2))):
                if holder.types[target].keyword != "union":
                    written = f"{holder.name}{target}"
                    query.fields[written] = _Field(written, self.wrap(target), self.arguments())
        if not any("Query" in each.types for each in self.subgraphs):
            query = self.subgraphs[0].types.setdefault("Query", _Type("type", "Query"))
            query.fields["nothing"] = _Field("nothing", "Int")

    def add_interface(self) -> None:
        holders = self.some()
        for holder in holders:
            own = [each for each in holder.types.values() if each.name in self.entities and "id" in each.fields]
            chosen = [each for each in own if self.chance(0.7)]
            if not chosen:
                continue
            interface = _Type("interface", "I0", {"id": _Field("id", "ID!")})
            if self.chance(0.3):
                common = set.intersection(*(set(each.fields) for each in chosen))
                for name in sorted(common - {"id"}):
                    first = chosen[0].fields[name]
                    if all(
                        (each.fields[name].type, each.fields[name].arguments) == (first.type, first.arguments)
                        for each in chosen
                    ):
                        interface.fields[name] = _Field(name, first.type, first.arguments)
            holder.types["I0"] = interface
            for each in chosen:
                each.implements.append("I0")

    def add_interface_object(self) -> None:
        """Make the interface an entity, and let a subgraph that lacks the entities add to it."""
        for holder in self.subgraphs:
            interface = holder.types.get("I0")
            if interface is None or interface.keyword != "interface":
                continue
            interface.directives.append('@key(fields: "id")')
            for each in holder.types.values():
                if "I0" in each.implements and '@key(fields: "id")' not in each.directives:
                    each.directives = [text for text in each.directives if '"id", resolvable' not in text]
                    each.directives.append('@key(fields: "id")')
        if not any("I0" in each.types for each in self.subgraphs) and self.chance(0.8):
            return
        stranger = _Subgraph("z")
        made = _Type("type", "I0", {"id": _Field("id", "ID!")}, directives=["@interfaceObject", '@key(fields: "id")'])
        made.fields["added"] = _Field("added", self.leaf())
        stranger.types["I0"] = made
        if self.chance(0.4):
            stranger.types["Query"] = _Type("type", "Query", {"zI0": _Field("zI0", "[I0]")})
        self.subgraphs.append(stranger)

    def add_union(self) -> None:
        for holder in self.some():
            members = [name for name in holder.types if name[0] in "EV"]
            if members:
                chosen = self.rng.sample(members, self.rng.randint(1, len(members)))
                holder.extra.append(f"union U0 = {' | '.join(sorted(chosen))}")
                query = holder.types.setdefault("Query", _Type("type", "Query"))
                query.fields[f"{holder.name}U0"] = _Field(f"{holder.name}U0", self.wrap("U0"))

    def add_enum(self) -> None:
        values = ["RED", "GREEN", "BLUE"]
        differ = self.chance(0.4)
        for holder in self.some():
            own = sorted(self.rng.sample(values, self.rng.randint(1, 3))) if differ else values
            hidden = self.chance(0.15)
            written = [f"{value} @inaccessible" if hidden and value == "BLUE" else value for value in own]
            holder.extra.append(f"enum N0 {{ {' '.join(written)} }}")
            query = holder.types.setdefault("Query", _Type("type", "Query"))
            use = self.rng.choice(("in", "out", "out", "both", "none"))
            if use in {"out", "both"}:
                query.fields[f"{holder.name}N0"] = _Field(f"{holder.name}N0", self.wrap("N0"))
            if use in {"in", "both"}:
                query.fields[f"{holder.name}In"] = _Field(f"{holder.name}In", "Int", "(n: N0)")

    def add_input(self) -> None:
        names = ["i0", "i1", "i2"]
        types = {name: self.leaf() for name in names}
        for holder in self.some():
            own = [name for name in names if self.chance(0.85)] or names[:1]
            default = " = 5" if self.chance(0.2) and types[own[0]] == "Int" else ""
            written = [f"{name}: {types[name]}{default if name == own[0] else ''}" for name in own]
            holder.extra.append(f"input In0 {{ {' '.join(written)} }}")
            query = holder.types.setdefault("Query", _Type("type", "Query"))
            query.fields[f"{holder.name}Input"] = _Field(f"{holder.name}Input", "Int", "(input: In0)")

    def add_nested_key(self) -> None:
        """Identify an entity by a part of a value."""
        for one, other, name in self.rng.sample(self.pairs(), min(1, len(self.pairs()))):
            for holder in (one, other):
                made = holder.types[name]
                made.directives.append('@key(fields: "home { code }")')
                made.fields["home"] = _Field("home", "Home!", directives=["@shareable"])
                home = holder.types.setdefault("Home", _Type("type", "Home", directives=["@shareable"]))
                home.fields["code"] = _Field("code", "ID!")
                if self.chance(0.3):
                    home.fields["street"] = _Field("street", "String")

    def make_federation_1(self, holder: _Subgraph) -> None:
        """Write a subgraph as Federation 1 would: what it shares with others, it extends."""
        holder.federation_1 = True
        for name in self.entities:
            made = holder.types.get(name)
            if made is None or not any(name in other.types for other in self.subgraphs if other is not holder):
                continue
            if self.chance(0.6):
                made.keyword = "extend type"
                for each in made.fields.values():
                    if any(f'"{each.name}"' in text for text in made.directives):
                        each.directives.append("@external")

    def pairs(self) -> list[tuple[_Subgraph, _Subgraph, str]]:
        """Return each entity that two subgraphs have."""
        return [
            (one, other, name)
            for name in self.entities
            for one in self.subgraphs
            for other in self.subgraphs
            if one is not other and name in one.types and name in other.types
        ]

    def add_requires(self) -> None:
        for one, other, name in self.rng.sample(self.pairs(), min(2, len(self.pairs()))):
            candidates = [
                each
                for each in other.types[name].fields.values()
                if each.name not in one.types[name].fields and not each.arguments and each.type.strip("[]!") in SCALARS
            ]
            if candidates:
                needed = self.rng.choice(candidates)
                made = one.types[name]
                made.fields[needed.name] = _Field(needed.name, needed.type, directives=["@external"])
                own = f"{one.name}needs{len(made.fields)}"
                made.fields[own] = _Field(own, self.leaf(), directives=[f'@requires(fields: "{needed.name}")'])

    def add_provides(self) -> None:
        for one, other, name in self.rng.sample(self.pairs(), min(1, len(self.pairs()))):
            candidates = [
                each
                for each in other.types[name].fields.values()
                if each.name not in one.types[name].fields and not each.arguments and each.type.strip("[]!") in SCALARS
            ]
            if candidates:
                given = self.rng.choice(candidates)
                given.directives.append("@shareable")
                one.types[name].fields[given.name] = _Field(given.name, given.type, directives=["@external"])
                query = one.types.setdefault("Query", _Type("type", "Query"))
                written = f"{one.name}provides{name}"
                query.fields[written] = _Field(
                    written, self.wrap(name), directives=[f'@provides(fields: "{given.name}")']
                )

    def add_override(self) -> None:
        for one, other, name in self.rng.sample(self.pairs(), min(1, len(self.pairs()))):
            candidates = [
                each
                for each in other.types[name].fields.values()
                if each.name not in one.types[name].fields and not each.directives and each.type.strip("[]!") in SCALARS
            ]
            if candidates:
                moved = self.rng.choice(candidates)
                label = self.rng.choice(("", "", ', label: "percent(10)"'))
                one.types[name].fields[moved.name] = _Field(
                    moved.name, moved.type, moved.arguments, [f'@override(from: "{other.name}"{label})']
                )

    def accident(self) -> None:
        """Let one thing go wrong, or just differently."""
        holder = self.rng.choice(self.subgraphs)
        composites = [each for each in holder.types.values() if each.fields]
        if not composites:
            return
        victim = self.rng.choice(composites)
        target = self.rng.choice(list(victim.fields.values()))
        match self.rng.randint(0, 13):
            case 0 if victim.directives:
                victim.directives.pop(self.rng.randrange(len(victim.directives)))
            case 1:
                target.type = self.leaf() if self.chance(0.4) else self.toggled(target.type)
            case 2 if target.directives:
                target.directives.pop(self.rng.randrange(len(target.directives)))
            case 3:
                target.directives.append(self.rng.choice(("@external", "@shareable", "@inaccessible")))
            case 4 if len(victim.fields) > 1:
                del victim.fields[target.name]
            case 5:
                target.arguments = self.rng.choice(("(x: Int)", "(x: Int!)", '(x: String = "q")', "(z: Int)"))
            case 6:
                target.directives.append('@tag(name: "t")')
            case 7:
                victim.directives.append(self.rng.choice(("@inaccessible", '@tag(name: "t")', "@shareable")))
            case 8:
                other = self.rng.choice(self.subgraphs)
                copy = _Type(victim.keyword, victim.name, directives=list(victim.directives))
                copy.fields[target.name] = _Field(target.name, target.type, target.arguments, list(target.directives))
                other.types.setdefault(victim.name, copy)
            case 9:
                target.directives.append(self.rng.choice(("@authenticated", '@requiresScopes(scopes: [["s"]])')))
            case 10:
                target.directives.append(f'@override(from: "{self.rng.choice("abcdx")}")')
            case 11:
                victim.directives.append(f'@key(fields: "{target.name}")')
            case 12:
                holder.federation_1 = True
            case 13:
                target.directives.append("@cost(weight: 3)" if self.chance(0.5) else '@requires(fields: "id")')
            case _:
                target.type = self.toggled(target.type)

    def toggled(self, written: str) -> str:
        return written[:-1] if written.endswith("!") else f"{written}!"
