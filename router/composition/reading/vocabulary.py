"""What the names in a supergraph mean: `@link`, or `@core` in Federation 1, says which specification owns which."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from graphql import (
    ConstDirectiveNode,
    ListValueNode,
    ObjectValueNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    ValueNode,
    print_ast,
)

from router.composition.links import parse_link_url
from router.composition.merged import SupergraphLink
from router.composition.reading.errors import unreadable
from router.composition.specs import CORE_IDENTITY, LINK_IDENTITY, SPEC_HOST, SUPERGRAPH_SPECS, SupergraphSpec

JOIN_IDENTITY = f"{SPEC_HOST}/join"
JOIN_VERSIONS = ((0, 1), (0, 2), (0, 3), (0, 4), (0, 5))
_SPECS: Mapping[str, SupergraphSpec] = {f"{SPEC_HOST}/{spec.name}": spec for spec in SUPERGRAPH_SPECS}
_LINKING = frozenset({LINK_IDENTITY, CORE_IDENTITY})


@dataclass(frozen=True, slots=True)
class LinkedSpec:
    """One `@link` or `@core` of the schema: its *namespace* is the prefix of what it does not import."""

    identity: str
    url: str
    version: tuple[int, int] | None
    namespace: str
    alias: str | None
    purpose: str | None
    imports: tuple[tuple[str, str], ...]
    node: ConstDirectiveNode

    def spell(self, name: str, own_name: str) -> str:
        """Return how the specification's directive *name* is spelled here; *own_name* is that of the specification."""
        imported = dict(self.imports).get(f"@{name}")
        if imported is not None:
            return imported.removeprefix("@")
        return self.namespace if name == own_name else f"{self.namespace}__{name}"


@dataclass(frozen=True, slots=True)
class SupergraphVocabulary:
    """The names of a supergraph.

    *spellings* maps the directives of the specifications that rendering defines itself to how they are written here.
    *namespaces* are the prefixes, *owned* the imported names, of what rendering defines itself.
    """

    join_version: tuple[int, int]
    join: str
    linking: frozenset[str]
    linked: tuple[LinkedSpec, ...]
    spellings: Mapping[str, str]
    namespaces: frozenset[str]
    owned: frozenset[str]

    def owns_type(self, name: str) -> bool:
        """Tell whether rendering defines the type *name* itself."""
        return name in self.owned or ("__" in name and name.split("__", 1)[0] in self.namespaces)

    def owns_directive(self, written: str) -> bool:
        """Tell whether rendering defines the directive itself."""
        return f"@{written}" in self.owned or written in self.linking or self.owns_type(written)

    def links(self, used: frozenset[str]) -> tuple[SupergraphLink, ...]:
        """Return the links besides `link` and `join`; *used* are the directives that the supergraph applies."""
        return tuple(
            _modernise(linked, _SPECS[linked.identity], self.spellings, used)
            if linked.identity in _SPECS
            else SupergraphLink(linked.url, linked.purpose, linked.alias, linked.imports)
            for linked in self.linked
            if linked.identity not in _LINKING and linked.identity != JOIN_IDENTITY
        )


def read_vocabulary(schema_nodes: Sequence[SchemaDefinitionNode | SchemaExtensionNode]) -> SupergraphVocabulary:
    """Read what the schema links to.

    Raises:
        UnreadableSupergraphError: it does not link to the join specification, or to a version that is not known.
    """
    directives = [directive for node in schema_nodes for directive in node.directives or ()]
    linking = frozenset({"link", "core", *_names_of_link(directives)})
    linked = tuple(spec for node in directives if node.name.value in linking and (spec := _read_linked(node)))
    join = next((spec for spec in linked if spec.identity == JOIN_IDENTITY), None)
    if join is None:
        raise unreadable(
            "NOT_A_SUPERGRAPH",
            f"the schema does not link to {JOIN_IDENTITY}",
            schema_nodes[0] if schema_nodes else None,
        )
    if join.version not in JOIN_VERSIONS:
        raise unreadable("UNKNOWN_JOIN_VERSION", f"{join.url} is not a known version", join.node)
    known = [spec for spec in linked if spec.identity in _SPECS]
    spellings: dict[str, str] = {}
    for spec in known:
        own_name = _SPECS[spec.identity].name
        spellings.update({name: spec.spell(name, own_name) for name in _SPECS[spec.identity].directives})
    machinery = [*known, join, *(spec for spec in linked if spec.identity in _LINKING)]
    return SupergraphVocabulary(
        join_version=join.version,
        join=join.namespace,
        linking=linking,
        linked=linked,
        spellings={name: written for name, written in spellings.items() if name != written},
        namespaces=frozenset({"link", "core", *(spec.namespace for spec in machinery)}),
        owned=frozenset(
            {
                *(f"@{spec.namespace}" for spec in known),
                *(f"@{written}" for written in spellings.values()),
                *(alias for spec in machinery for _, alias in spec.imports),
            }
        ),
    )


def _modernise(
    linked: LinkedSpec, spec: SupergraphSpec, spellings: Mapping[str, str], used: frozenset[str]
) -> SupergraphLink:
    """Link to the version that rendering defines; an `as:` becomes an import by that name, which says the same."""
    imported = {name for name, _ in linked.imports}
    spelled = {name: spellings.get(name, name) for name in spec.directives if f"@{name}" in imported or name in used}
    return SupergraphLink(
        f"{SPEC_HOST}/{spec.name}/{spec.version}",
        purpose=spec.purpose,
        imports=tuple((f"@{name}", f"@{written}") for name, written in spelled.items() if written != spec.name),
    )


def _names_of_link(directives: Iterable[ConstDirectiveNode]) -> Iterable[str]:
    """Yield how `@link` itself is spelled: the application that links to its specification tells."""
    for node in directives:
        found = parse_link_url(_text(_arguments(node).get("url")) or _text(_arguments(node).get("feature")) or "")
        if found is not None and found[0] in _LINKING:
            yield node.name.value


def _read_linked(node: ConstDirectiveNode) -> LinkedSpec | None:
    arguments = _arguments(node)
    url = _text(arguments.get("url")) or _text(arguments.get("feature"))
    found = parse_link_url(url) if url is not None else None
    if url is None or found is None:
        return None
    identity, name, version = found
    alias, purpose = _text(arguments.get("as")), arguments.get("for")
    return LinkedSpec(
        identity,
        url,
        version,
        alias or name,
        alias,
        print_ast(purpose) if purpose is not None else None,
        tuple(_read_imports(arguments.get("import"))),
        node,
    )


def _read_imports(value: ValueNode | None) -> Iterable[tuple[str, str]]:
    for entry in value.values if isinstance(value, ListValueNode) else ():
        if isinstance(entry, StringValueNode):
            yield entry.value, entry.value
        elif isinstance(entry, ObjectValueNode):
            fields = {field.name.value: _text(field.value) for field in entry.fields}
            name = fields.get("name")
            if name is not None:
                yield name, fields.get("as") or name


def _arguments(node: ConstDirectiveNode) -> dict[str, ValueNode]:
    return {argument.name.value: argument.value for argument in node.arguments or ()}


def _text(value: ValueNode | None) -> str | None:
    return value.value if isinstance(value, StringValueNode) else None
