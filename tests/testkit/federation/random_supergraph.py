"""Random subgraphs that mostly compose: entities spread over subgraphs with everything that makes planning hard."""

from dataclasses import dataclass, field
from random import Random

SCALARS = ("String", "Int", "Int!", "Float", "Boolean!", "ID", "[String!]", "[[Int]!]", "State", "Json")


@dataclass(slots=True)
class _Entity:
    """An entity: per subgraph its keys there and its fields, as SDL lines by field name. Grows."""

    name: str
    keys: dict[str, set[str]] = field(default_factory=dict)
    lines: dict[str, dict[str, str]] = field(default_factory=dict)
    # scalar fields by name: their type and owner
    scalars: dict[str, tuple[str, str]] = field(default_factory=dict)
    # subgraphs in which it sets the context
    setting: set[str] = field(default_factory=set)

    def place(self, subgraph: str, keys: set[str]) -> None:
        self.keys.setdefault(subgraph, set()).update(keys)
        self.lines.setdefault(subgraph, {})


def random_subgraphs(random: Random) -> dict[str, str]:
    """Make up the SDL of two to four subgraphs, by name, without the federation link.

    They need not compose: a field may turn out unreachable. Whoever asks throws those away.
    """
    return _Inventing(random).invent()


class _Inventing:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._all = [f"s{number}" for number in range(random.randint(2, 4))]
        # an interface object needs a subgraph that knows none of the entities behind it
        self._aside = self._all[-1] if random.random() < 0.35 else None
        self._subgraphs = [name for name in self._all if name != self._aside]
        self._entities = [_Entity(f"E{number}") for number in range(random.randint(1, 4))]
        self._roots: dict[str, list[str]] = {name: [] for name in self._all}
        self._abstract = {name for name in self._subgraphs if random.random() < 0.5}
        # the subgraph that has all things, and what others add to them, as SDL lines by subgraph
        self._things_home: str | None = None
        self._thing_lines: dict[str, list[str]] = {}
        # subgraphs in which arguments come from a context
        self._contextual: set[str] = set()

    def invent(self) -> dict[str, str]:
        for entity in self._entities:
            for subgraph in self._sample(self._subgraphs, 1):
                entity.place(subgraph, set(self._sample(["id", "code"], 1)) if self._chance(0.5) else {"id"})
        for entity in self._entities:
            for number in range(self._random.randint(1, 5)):
                self._add_field(entity, f"f{number}")
        for entity in self._entities:
            for number in range(self._random.randint(0, 2)):
                self._add_requiring(entity, f"r{number}")
        for subgraph in self._subgraphs:
            for number in range(self._random.randint(0, 2)):
                self._roots[subgraph].append(f"q{subgraph}{number}: {self._reference(subgraph)}")
        for entity in self._entities:
            if self._chance(0.3):
                self._override(entity)
        for subgraph in self._subgraphs:
            if self._chance(0.3):
                self._provide(subgraph)
        first = self._subgraphs[0]
        self._roots[first].append(f"start: {self._reference(first)}")
        if self._aside is not None or self._chance(0.2):
            self._add_interface_object()
        for subgraph in self._subgraphs:
            if self._chance(0.25):
                self._add_context(subgraph)
        return {name: self._print(name) for name in self._all if name in self._subgraphs or name in self._thing_lines}

    def _add_field(self, entity: _Entity, name: str) -> None:
        owner = self._random.choice(sorted(entity.keys))
        if self._chance(0.4):
            entity.lines[owner][name] = f"{name}: {self._reference(owner)}"
            return
        type_ = self._random.choice(SCALARS)
        entity.scalars[name] = (type_, owner)
        arguments = "(first: Int)" if type_.startswith("[") and self._chance(0.5) else ""
        if type_ == "String" and self._chance(0.3):
            arguments = '(style: String = "plain")'
        if arguments:
            del entity.scalars[name]
        others = [each for each in sorted(entity.keys) if each != owner]
        hidden = " @inaccessible" if self._chance(0.1) else ""
        if others and self._chance(0.2):
            other = self._random.choice(others)
            entity.lines[owner][name] = f"{name}{arguments}: {type_} @shareable{hidden}"
            entity.lines[other][name] = f"{name}{arguments}: {type_} @shareable"
            entity.scalars.pop(name, None)
        else:
            entity.lines[owner][name] = f"{name}{arguments}: {type_}{hidden}"

    def _add_requiring(self, entity: _Entity, name: str) -> None:
        """Add a field that needs a scalar of the same entity which another subgraph owns."""
        wanted = sorted(entity.scalars)
        if not wanted:
            return
        required = self._random.choice(wanted)
        type_, owner = entity.scalars[required]
        others = [each for each in sorted(entity.keys) if each != owner and required not in entity.lines[each]]
        if not others:
            return
        subgraph = self._random.choice(others)
        entity.lines[subgraph][required] = f"{required}: {type_} @external"
        entity.lines[subgraph][name] = f'{name}: String @requires(fields: "{required}")'
        if self._chance(0.5):
            # required in turn
            entity.scalars[name] = ("String", subgraph)

    def _override(self, entity: _Entity) -> None:
        """Move a scalar field of *entity* to another subgraph."""
        name = self._random.choice(sorted(entity.scalars) or [""])
        takers = [each for each in sorted(entity.keys) if name not in entity.lines[each]]
        if not name or not takers or name.startswith("r"):
            return
        type_, owner = entity.scalars[name]
        taker = self._random.choice(takers)
        entity.lines[taker][name] = f'{name}: {type_} @override(from: "{owner}")'

    def _provide(self, subgraph: str) -> None:
        """Add a root field that brings along a field of another subgraph."""
        for entity in self._entities:
            for name, (type_, owner) in sorted(entity.scalars.items()):
                line = entity.lines[owner].get(name, "")
                if subgraph in entity.keys and name not in entity.lines[subgraph] and line == f"{name}: {type_}":
                    entity.lines[owner][name] = f"{line} @shareable"
                    entity.lines[subgraph][name] = f"{name}: {type_} @external"
                    wrapped = self._wrap(entity.name, nullable=False)
                    self._roots[subgraph].append(f'p{subgraph}: {wrapped} @provides(fields: "{name}")')
                    return

    def _add_context(self, subgraph: str) -> None:
        """Let fields of a subgraph's entities take an argument from the nearest entity above, or else from the root."""
        here = [each for each in self._entities if subgraph in each.keys]
        takers = self._sample(sorted(each.name for each in here), 1) if here else []
        if not takers:
            return
        self._contextual.add(subgraph)
        name, type_ = f"c{subgraph}", self._random.choice(["String", "Int"])
        self._roots[subgraph].append(f"{name}: {type_}")
        alternatives = [f"... on Query {{ {name} }}"]
        for entity in self._random.sample(here, self._random.randint(0, len(here))):
            owner = self._random.choice(sorted(entity.keys))
            entity.setting.add(subgraph)
            entity.lines[owner][name] = f"{name}: {type_}"
            if owner != subgraph:
                entity.lines[subgraph][name] = f"{name}: {type_} @external"
            alternatives.append(f"... on {entity.name} {{ {name} }}")
        selection = " ".join(sorted(alternatives))
        for entity in here:
            if entity.name in takers:
                argument = f'above: {type_} @fromContext(field: "$above {selection}")'
                others = self._random.choice(["", ", style: String", ", first: Int"])
                result = "[String]" if "first" in others else self._random.choice(["String", "Int", "String!"])
                entity.lines[subgraph][f"d{subgraph}"] = f"d{subgraph}({argument}{others}): {result}"

    def _add_interface_object(self) -> None:
        """Make the entities of one subgraph things, to which subgraphs that know none of them add fields."""
        homes = [name for name in self._subgraphs if self._things_of(name)]
        if not homes:
            return
        home = self._random.choice(homes)
        things = self._things_of(home)
        others = [name for name in self._all if not any(name in each.keys for each in things)]
        if not others:
            return
        self._things_home = home
        self._roots[home].append(self._random.choice(["things: [Thing!]", "things: Thing"]))
        for subgraph in self._sample(others, 1):
            count = self._random.randint(1, 2)
            names = [f"t{subgraph}{number}" for number in range(count)]
            self._thing_lines[subgraph] = [f"{name}: {self._random.choice(SCALARS)}" for name in names]
            if self._chance(0.5):
                self._thing_lines[subgraph].append(f"next{subgraph}: [Thing]")
            self._roots[subgraph].append(self._random.choice([f"of{subgraph}: [Thing]", f"of{subgraph}: Thing"]))

    def _things_of(self, subgraph: str) -> list[_Entity]:
        return [each for each in self._entities if "id" in each.keys.get(subgraph, ())]

    def _reference(self, subgraph: str) -> str:
        """Return the type of a field of *subgraph* that leads to an object; what it leads to is known there."""
        kind = self._random.random()
        here = [each for each in self._entities if subgraph in each.keys]
        if kind < 0.15:
            name = "Value"
        elif kind < 0.35 and subgraph in self._abstract and here:
            return self._wrap(self._random.choice(["Node", "Any"]), nullable=True)
        else:
            entity = self._random.choice(self._entities)
            entity.place(subgraph, {self._random.choice(sorted(next(iter(entity.keys.values()), {"id"})))})
            name = entity.name
        return self._wrap(name, nullable=False)

    def _wrap(self, name: str, *, nullable: bool) -> str:
        wrappers = ["{}", "[{}]", "[[{}]]"] if nullable else ["{}", "{}!", "[{}]", "[{}!]!", "[[{}!]]"]
        return self._random.choice(wrappers).format(name)

    def _print(self, subgraph: str) -> str:
        blocks = ["enum State { OPEN CLOSED }\nscalar Json\ntype Value @shareable { x: Int  y: String!  inner: Value }"]
        here = [each for each in self._entities if subgraph in each.keys]
        has_abstract = subgraph in self._abstract and bool(here)
        if self._roots[subgraph]:
            context = ' @context(name: "above")' if subgraph in self._contextual else ""
            blocks.append(f"type Query{context} {{\n  " + "\n  ".join(self._roots[subgraph]) + "\n}")
        if has_abstract:
            blocks.append("interface Node { kind: String }")
            blocks.append("union Any = " + " | ".join(each.name for each in here))
        things = self._things_of(subgraph) if subgraph == self._things_home else []
        if things:
            blocks.append('interface Thing @key(fields: "id") { id: ID! }')
        if subgraph in self._thing_lines:
            lines = ["id: ID!", *self._thing_lines[subgraph]]
            blocks.append('type Thing @key(fields: "id") @interfaceObject {\n  ' + "\n  ".join(lines) + "\n}")
        for entity in here:
            keys = sorted(entity.keys[subgraph])
            lines = [f"{key}: {'ID!' if key == 'id' else 'Int!'}" for key in keys]
            if has_abstract:
                lines.append("kind: String @shareable")
            lines.extend(line for _, line in sorted(entity.lines[subgraph].items()))
            interfaces = [*(["Node"] if has_abstract else []), *(["Thing"] if entity in things else [])]
            implements = f" implements {' & '.join(interfaces)}" if interfaces else ""
            directives = " ".join(f'@key(fields: "{key}")' for key in keys)
            if subgraph in entity.setting:
                directives += ' @context(name: "above")'
            blocks.append(f"type {entity.name}{implements} {directives} {{\n  " + "\n  ".join(lines) + "\n}")
        return "\n".join(blocks)

    def _sample(self, choices: list[str], least: int) -> list[str]:
        return sorted(self._random.sample(choices, self._random.randint(least, len(choices))))

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability
