"""`@link`: which specifications a subgraph uses, and by which names.

https://specs.apollo.dev/link/v1.0/
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    ConstDirectiveNode,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    print_ast,
    value_from_ast_untyped,
)

from router.composition.model import SourceLocation
from router.composition.report import Report
from router.composition.specs import (
    BUILT_IN_DIRECTIVES,
    FEDERATION_1,
    FEDERATION_DIRECTIVES,
    FEDERATION_IDENTITY,
    FEDERATION_SCALARS,
    FEDERATION_VERSIONS,
    LINK_IDENTITY,
    LINK_VERSIONS,
    SPEC_HOST,
    STANDALONE_SPECS,
)
from router.composition.subgraph import Family, Import, Link

_VERSION = re.compile(r"v(\d+)\.(\d+)$")
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*$")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/\s]+(/\S*)?$")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the names in one subgraph's SDL mean.

    *directives* maps a spelling to federation's name for it, *scalars* likewise for federation's scalars; *linked*
    holds the spellings of directives of other specifications.
    """

    version: tuple[int, int]
    links: tuple[Link, ...]
    link_name: str
    directives: Mapping[str, str]
    scalars: Mapping[str, str]
    linked: frozenset[str] = frozenset()
    namespaces: frozenset[str] = field(default_factory=frozenset)

    def meaning(self, written: str) -> tuple[str, Family]:
        """Return what the directive spelled *written* means and where that meaning comes from."""
        if written in self.directives:
            return self.directives[written], Family.FEDERATION
        if written in BUILT_IN_DIRECTIVES:
            return written, Family.BUILT_IN
        if written == self.link_name:
            return "link", Family.LINKED
        if written in self.linked:
            return written, Family.LINKED
        return written, Family.CUSTOM

    def is_machinery_type(self, name: str) -> bool:
        """Tell whether the type *name* belongs to a specification rather than to the subgraph."""
        return name in self.scalars or any(name.startswith(f"{namespace}__") for namespace in self.namespaces)


def read_links(
    directives: Sequence[tuple[ConstDirectiveNode, SourceLocation]],
    defined: frozenset[str],
    report: Report,
    subgraph: str,
) -> Vocabulary:
    """Read the `@link` applications among the schema's *directives*; *defined* are those that the SDL defines."""
    link_name = _find_link_name(directives)
    links = tuple(
        link
        for node, at in directives
        if node.name.value == link_name and (link := _read_link(node, at, report, subgraph)) is not None
    )
    federation = [link for link in links if link.identity == FEDERATION_IDENTITY]
    if len(federation) > 1:
        report.error(
            "INVALID_LINK_DIRECTIVE_USAGE",
            f"[{subgraph}] The federation specification is linked {len(federation)} times.",
            *(link.at for link in federation),
        )
    for link in links:
        if link.identity == LINK_IDENTITY and link.version not in LINK_VERSIONS:
            report.error("UNKNOWN_LINK_VERSION", f"[{subgraph}] {link.written_url!r} is not a known version.", link.at)
    version = FEDERATION_1
    if federation:
        known = federation[0].version
        if known in FEDERATION_VERSIONS:
            version = known
        else:
            version = FEDERATION_VERSIONS[-1]
            report.error(
                "UNKNOWN_FEDERATION_LINK_VERSION",
                f"[{subgraph}] {federation[0].written_url!r} is not a federation version this composition knows;"
                f" it knows v2.0 to v2.{FEDERATION_VERSIONS[-1][1]}.",
                federation[0].at,
            )
    elif not any(link.identity == FEDERATION_IDENTITY for link in links):
        version = FEDERATION_1
    return _build_vocabulary(version, links, link_name, defined, report, subgraph)


def _find_link_name(directives: Sequence[tuple[ConstDirectiveNode, SourceLocation]]) -> str:
    """Return the spelling of `@link`: the application that links to the link specification may rename it."""
    for node, _ in directives:
        arguments = {argument.name.value: argument.value for argument in node.arguments or ()}
        url = arguments.get("url")
        if isinstance(url, StringValueNode) and url.value.startswith(f"{LINK_IDENTITY}/"):
            alias = arguments.get("as")
            if isinstance(alias, StringValueNode) and alias.value == node.name.value:
                return alias.value
            imports = arguments.get("import")
            if isinstance(imports, ListValueNode):
                for entry in imports.values:
                    value = value_from_ast_untyped(entry)
                    if isinstance(value, dict) and value.get("as") == f"@{node.name.value}":
                        return node.name.value
    return "link"


def _read_link(node: ConstDirectiveNode, at: SourceLocation, report: Report, subgraph: str) -> Link | None:
    arguments: dict[str, ValueNode] = {argument.name.value: argument.value for argument in node.arguments or ()}
    unknown = sorted(set(arguments) - {"url", "as", "for", "import"})
    if unknown:
        report.error("INVALID_GRAPHQL", f"[{subgraph}] @link has no argument {unknown[0]!r}.", at)
    url = arguments.get("url")
    if not isinstance(url, StringValueNode):
        report.error("INVALID_LINK_DIRECTIVE_USAGE", f"[{subgraph}] @link needs a url, a string.", at)
        return None
    parsed = parse_link_url(url.value)
    if parsed is None:
        report.error("INVALID_LINK_IDENTIFIER", f"[{subgraph}] {url.value!r} is not the url of a specification.", at)
        return None
    identity, name, version = parsed
    alias = arguments.get("as")
    namespace = name
    if isinstance(alias, StringValueNode):
        namespace = alias.value
        if not _NAME.match(namespace) or "__" in namespace:
            report.error(
                "INVALID_LINK_DIRECTIVE_USAGE", f"[{subgraph}] {namespace!r} cannot be a namespace of @link.", at
            )
            namespace = name
    purpose = arguments.get("for")
    return Link(
        identity=identity,
        version=version,
        namespace=namespace,
        imports=tuple(_read_imports(arguments.get("import"), at, report, subgraph)),
        at=at,
        written_url=url.value,
        purpose=print_ast(purpose) if purpose is not None else None,
    )


def parse_link_url(url: str) -> tuple[str, str, tuple[int, int] | None] | None:
    """Split a specification's url into identity (without version), name and version; None if it is no url."""
    if not _URL.match(url):
        return None
    parts = url.rstrip("/").split("/")
    version: tuple[int, int] | None = None
    if matched := _VERSION.match(parts[-1]):
        version = (int(matched[1]), int(matched[2]))
        parts = parts[:-1]
    name = parts[-1] if len(parts) > 3 else ""
    return "/".join(parts), name, version


def _read_imports(value: ValueNode | None, at: SourceLocation, report: Report, subgraph: str) -> list[Import]:
    if value is None:
        return []
    imports: list[Import] = []

    def refuse(why: str) -> None:
        report.error("INVALID_LINK_DIRECTIVE_USAGE", f"[{subgraph}] In @link(import:), {why}.", at)

    if not isinstance(value, ListValueNode):
        refuse("a list is expected")
        return []
    for entry in value.values:
        name: object
        alias: object
        if isinstance(entry, StringValueNode):
            name = alias = entry.value
        elif isinstance(entry, ObjectValueNode):
            fields = value_from_ast_untyped(entry)
            name = fields.get("name")
            alias = fields.get("as", name)
        else:
            name = alias = None
        if not isinstance(name, str) or not isinstance(alias, str):
            refuse(f'{print_ast(entry)} is neither a name nor {{ name: "...", as: "..." }}')
        elif name.startswith("@") != alias.startswith("@"):
            refuse(f"{name!r} cannot be renamed to {alias!r}: both or neither must start with @")
        elif not _NAME.match(name.removeprefix("@")) or not _NAME.match(alias.removeprefix("@")):
            refuse(f"{print_ast(entry)} is not a name")
        else:
            imports.append(Import(name, alias))
    return imports


def _build_vocabulary(
    version: tuple[int, int],
    links: tuple[Link, ...],
    link_name: str,
    defined: frozenset[str],
    report: Report,
    subgraph: str,
) -> Vocabulary:
    directives: dict[str, str] = {}
    scalars: dict[str, str] = {}
    linked: set[str] = set()
    namespaces = {"link", "core"}
    for link in links:
        namespaces.add(link.namespace)
        imported = {entry.name: entry.alias for entry in link.imports}
        if link.identity == FEDERATION_IDENTITY:
            _add_federation_names(version, link, directives, scalars, report, subgraph)
        elif link.identity.startswith(f"{SPEC_HOST}/") and link.identity.rsplit("/", 1)[1] in STANDALONE_SPECS:
            own = link.identity.rsplit("/", 1)[1]
            # A specification's main directive is called like its namespace; `cost` also brings `listSize`.
            directives[imported.get(f"@{own}", f"@{link.namespace}").removeprefix("@")] = own
            if own == "cost":
                directives[imported.get("@listSize", f"@{link.namespace}__listSize").removeprefix("@")] = "listSize"
        else:
            linked.update(alias.removeprefix("@") for alias in imported.values() if alias.startswith("@"))
            linked.add(link.namespace)
    if version < (2, 0):
        for name, directive in FEDERATION_DIRECTIVES.items():
            if directive.since <= (1, 0):
                directives.setdefault(name, name)
        if "inaccessible" in defined:
            directives.setdefault("inaccessible", "inaccessible")
        scalars["_FieldSet"] = "FieldSet"
    return Vocabulary(version, links, link_name, directives, scalars, frozenset(linked), frozenset(namespaces))


def _add_federation_names(
    version: tuple[int, int],
    link: Link,
    directives: dict[str, str],
    scalars: dict[str, str],
    report: Report,
    subgraph: str,
) -> None:
    known_directives = {
        name: f"{link.namespace}__{name}"
        for name, directive in FEDERATION_DIRECTIVES.items()
        if directive.since <= version
    }
    known_scalars = {
        name: f"{link.namespace}__{name}" for name, since in FEDERATION_SCALARS.items() if since <= version
    }
    for entry in link.imports:
        name = entry.name.removeprefix("@")
        known = known_directives if entry.name.startswith("@") else known_scalars
        if name not in known:
            report.error(
                "INVALID_LINK_DIRECTIVE_USAGE",
                f"[{subgraph}] {entry.name} cannot be imported: federation v{version[0]}.{version[1]} has no such"
                f" {'directive' if entry.name.startswith('@') else 'type'}.",
                link.at,
            )
            # Keep its meaning all the same, so that one wrong version does not cause a hundred follow-up errors.
            if entry.name.startswith("@") and name in FEDERATION_DIRECTIVES:
                directives[entry.alias.removeprefix("@")] = name
        else:
            known[name] = entry.alias.removeprefix("@")
    directives.update({written: name for name, written in known_directives.items()})
    scalars.update({written: name for name, written in known_scalars.items()})
