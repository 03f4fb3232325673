"""Which names of a supergraph are federation machinery: read from `@link` (or Federation 1's `@core`)."""

import re
from dataclasses import dataclass

from graphql import (
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    ListValueNode,
    ObjectValueNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    ValueNode,
)

from router.supergraph.errors import SupergraphError, SupergraphErrorCode

# Features that change how an operation must be run, and that the router therefore has to know (spec: `for: EXECUTION`
# or `for: SECURITY`). Anything else that is not marked so may be ignored.
KNOWN_FEATURES = frozenset(
    {
        "authenticated",
        # Advice for a CDN in front of a subgraph: planner and executor have nothing to do
        "cacheTag",
        "connect",
        "context",
        "core",
        "cost",
        "inaccessible",
        "join",
        "link",
        "policy",
        "requiresScopes",
        "source",
        "tag",
    }
)

JOIN_VERSIONS = ("v0.1", "v0.2", "v0.3", "v0.4", "v0.5")

_VERSION = re.compile(r"v\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Feature:
    """One linked specification: its *name* and *version*, the *prefix* it goes by here, and its imported names.

    *imports* maps the name in the specification ("@key") to the name here.
    """

    name: str
    version: str
    prefix: str
    imports: tuple[tuple[str, str], ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Features:
    """All linked specifications of a supergraph."""

    features: tuple[Feature, ...]

    @property
    def join_version(self) -> str:
        """The version of the join specification, one of JOIN_VERSIONS."""
        return next(feature.version for feature in self.features if feature.name == "join")

    def prefix_of(self, feature_name: str) -> str:
        """Return what the names of a linked feature begin with here."""
        return next(feature.prefix for feature in self.features if feature.name == feature_name)

    def name_of_directive(self, feature_name: str) -> str | None:
        """Return how the directive that a feature is named after is called here; None if it is not linked."""
        for feature in self.features:
            if feature.name == feature_name:
                imported = dict(feature.imports)
                return imported.get(f"@{feature_name}", f"@{feature.prefix}")[1:]
        return None

    def owns_type(self, name: str) -> bool:
        """Tell whether the type belongs to a feature rather than to the store of types that clients see."""
        return any(
            name.startswith(f"{feature.prefix}__") or any(here == name for _, here in feature.imports)
            for feature in self.features
        )

    def owns_directive(self, name: str) -> bool:
        """Tell whether the directive belongs to a feature."""
        return any(
            name == feature.prefix
            or name.startswith(f"{feature.prefix}__")
            or any(here == f"@{name}" for _, here in feature.imports)
            for feature in self.features
        )


def read_features(document: DocumentNode) -> Features:
    """Read what the schema links; raise SupergraphError when a feature the router must know is unknown."""
    features = list(read_links(document))
    joins = [feature for feature in features if feature.name == "join"]
    if not joins:
        raise SupergraphError(
            SupergraphErrorCode.NO_JOIN_SPEC,
            "the schema does not link https://specs.apollo.dev/join, so it is not a supergraph",
        )
    if joins[0].version not in JOIN_VERSIONS:
        raise SupergraphError(
            SupergraphErrorCode.UNSUPPORTED_VERSION,
            f"join {joins[0].version} is not supported; supported are {', '.join(JOIN_VERSIONS)}",
        )
    # The link machinery itself may go unmentioned.
    for name in ("core", "link"):
        if not any(feature.name == name for feature in features):
            features.append(Feature(name, "v1.0", name, ()))
    return Features(tuple(features))


def read_links(document: DocumentNode) -> tuple[Feature, ...]:
    """Read the links of the schema definition and of its extensions, in the order in which they stand."""
    return tuple(
        _read_feature(directive)
        for definition in document.definitions
        if isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode)
        for directive in definition.directives or ()
        if directive.name.value in ("link", "core")
    )


def _read_feature(directive: DirectiveNode) -> Feature:
    arguments = {argument.name.value: argument.value for argument in directive.arguments or ()}
    url = _text(arguments.get("url")) or _text(arguments.get("feature"))
    line, column = (directive.loc.start_token.line, directive.loc.start_token.column) if directive.loc else (None, None)
    if not url:
        raise SupergraphError(
            SupergraphErrorCode.INVALID_DIRECTIVE, f"@{directive.name.value} has no URL", line=line, column=column
        )
    parts = [part for part in url.split("/") if part]
    if len(parts) > 1 and _VERSION.fullmatch(parts[-1]):
        version, name = parts[-1], parts[-2]
    else:
        version, name = "", parts[-1]
    purpose = arguments.get("for")
    if isinstance(purpose, EnumValueNode) and purpose.value in ("EXECUTION", "SECURITY") and name not in KNOWN_FEATURES:
        raise SupergraphError(
            SupergraphErrorCode.UNSUPPORTED_FEATURE,
            f"the supergraph needs {url} for {purpose.value}, which this router does not support",
            line=line,
            column=column,
        )
    return Feature(name, version, _text(arguments.get("as")) or name, _read_imports(arguments.get("import")), url)


def _read_imports(node: ValueNode | None) -> tuple[tuple[str, str], ...]:
    imports: list[tuple[str, str]] = []
    for value in node.values if isinstance(node, ListValueNode) else ():
        if isinstance(value, StringValueNode):
            imports.append((value.value, value.value))
        elif isinstance(value, ObjectValueNode):
            fields = {field.name.value: _text(field.value) for field in value.fields}
            name = fields.get("name") or ""
            imports.append((name, fields.get("as") or name))
    return tuple(imports)


def _text(node: ValueNode | None) -> str | None:
    return node.value if isinstance(node, StringValueNode) else None
