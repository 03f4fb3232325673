"""The specifications composition knows: what each directive is called, takes and may stand on.

https://www.apollographql.com/docs/graphos/reference/federation/versions
"""

from collections.abc import Mapping
from dataclasses import dataclass

SPEC_HOST = "https://specs.apollo.dev"
LINK_IDENTITY = f"{SPEC_HOST}/link"
FEDERATION_IDENTITY = f"{SPEC_HOST}/federation"
CORE_IDENTITY = f"{SPEC_HOST}/core"

FEDERATION_1 = (1, 0)
FEDERATION_VERSIONS: tuple[tuple[int, int], ...] = tuple((2, minor) for minor in range(13))
LINK_VERSIONS: tuple[tuple[int, int], ...] = ((1, 0),)

# GraphQL's own: they need no definition and survive composition.
BUILT_IN_DIRECTIVES = frozenset({"deprecated", "specifiedBy", "oneOf", "skip", "include", "defer", "stream"})
BUILT_IN_SCALARS = frozenset({"Int", "Float", "String", "Boolean", "ID"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of a federation directive; *type* is its SDL, without the prefix of federation's scalars."""

    name: str
    type: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class FederationDirective:
    """A directive of the federation specification and the version that brought it."""

    name: str
    since: tuple[int, int]
    parameters: tuple[Parameter, ...]
    locations: tuple[str, ...]
    repeatable: bool = False

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter *name*, or None."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)


_EVERYTHING_TAGGABLE = (
    "FIELD_DEFINITION",
    "OBJECT",
    "INTERFACE",
    "UNION",
    "ARGUMENT_DEFINITION",
    "SCALAR",
    "ENUM",
    "ENUM_VALUE",
    "INPUT_OBJECT",
    "INPUT_FIELD_DEFINITION",
)
_PROTECTABLE = ("FIELD_DEFINITION", "OBJECT", "INTERFACE", "SCALAR", "ENUM")
_FIELDS = Parameter("fields", "FieldSet!")

FEDERATION_DIRECTIVES: Mapping[str, FederationDirective] = {
    directive.name: directive
    for directive in (
        FederationDirective(
            "key",
            (1, 0),
            (_FIELDS, Parameter("resolvable", "Boolean", "true")),
            ("OBJECT", "INTERFACE"),
            repeatable=True,
        ),
        FederationDirective("requires", (1, 0), (_FIELDS,), ("FIELD_DEFINITION",)),
        FederationDirective("provides", (1, 0), (_FIELDS,), ("FIELD_DEFINITION",)),
        FederationDirective("external", (1, 0), (Parameter("reason", "String"),), ("OBJECT", "FIELD_DEFINITION")),
        FederationDirective("extends", (1, 0), (), ("OBJECT", "INTERFACE")),
        # Federation 1 composition already honoured tags.
        FederationDirective(
            "tag", (1, 0), (Parameter("name", "String!"),), (*_EVERYTHING_TAGGABLE, "SCHEMA"), repeatable=True
        ),
        FederationDirective("inaccessible", (2, 0), (), _EVERYTHING_TAGGABLE),
        FederationDirective(
            "override",
            (2, 0),
            (Parameter("from", "String!"), Parameter("label", "String")),
            ("FIELD_DEFINITION",),
        ),
        FederationDirective("shareable", (2, 0), (), ("FIELD_DEFINITION", "OBJECT"), repeatable=True),
        FederationDirective("composeDirective", (2, 1), (Parameter("name", "String"),), ("SCHEMA",), repeatable=True),
        FederationDirective("interfaceObject", (2, 3), (), ("OBJECT",)),
        FederationDirective("authenticated", (2, 5), (), _PROTECTABLE),
        FederationDirective("requiresScopes", (2, 5), (Parameter("scopes", "[[Scope!]!]!"),), _PROTECTABLE),
        FederationDirective("policy", (2, 6), (Parameter("policies", "[[Policy!]!]!"),), _PROTECTABLE),
        FederationDirective(
            "context", (2, 8), (Parameter("name", "String!"),), ("INTERFACE", "OBJECT", "UNION"), repeatable=True
        ),
        FederationDirective(
            "fromContext", (2, 8), (Parameter("field", "ContextFieldValue"),), ("ARGUMENT_DEFINITION",)
        ),
        FederationDirective(
            "cost",
            (2, 9),
            (Parameter("weight", "Int!"),),
            ("ARGUMENT_DEFINITION", "ENUM", "FIELD_DEFINITION", "INPUT_FIELD_DEFINITION", "OBJECT", "SCALAR"),
        ),
        FederationDirective(
            "listSize",
            (2, 9),
            (
                Parameter("assumedSize", "Int"),
                Parameter("slicingArguments", "[String!]"),
                Parameter("sizedFields", "[String!]"),
                Parameter("requireOneSlicingArgument", "Boolean", "true"),
            ),
            ("FIELD_DEFINITION",),
        ),
        FederationDirective(
            "cacheTag",
            (2, 12),
            (Parameter("format", "String!"),),
            ("OBJECT", "FIELD_DEFINITION"),
            repeatable=True,
        ),
    )
}

FEDERATION_SCALARS: Mapping[str, tuple[int, int]] = {
    "FieldSet": (2, 0),
    "Scope": (2, 5),
    "Policy": (2, 6),
    "ContextFieldValue": (2, 8),
}

# What a subgraph library adds to the SDL it serves and composition must not see as the subgraph's own.
FEDERATION_1_MACHINERY = frozenset({"_Any", "_Entity", "_Service", "_FieldSet", "FieldSet"})
MACHINERY_TYPES = frozenset({"_Any", "_Entity", "_Service", "_FieldSet"})
MACHINERY_FIELDS = frozenset({"_entities", "_service"})

# Directives with a specification of their own that a subgraph may also link to directly.
STANDALONE_SPECS = frozenset(
    {"tag", "inaccessible", "authenticated", "requiresScopes", "policy", "cost", "listSize", "context"}
)


@dataclass(frozen=True, slots=True)
class SupergraphSpec:
    """A specification the supergraph links to when one of its directives is used.

    *definitions* is what the supergraph must define for it; `for:` tells a router that it must not ignore it.
    """

    name: str
    version: str
    purpose: str | None
    directives: Mapping[str, str]
    definitions: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


_PROTECTABLE_SDL = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"
_INACCESSIBLE_SDL = (
    "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE"
    " | INPUT_OBJECT | INPUT_FIELD_DEFINITION"
)

# In the order in which they stand on the schema.
SUPERGRAPH_SPECS: tuple[SupergraphSpec, ...] = (
    SupergraphSpec(
        "tag",
        "v0.3",
        None,
        {"tag": f"directive @tag(name: String!) repeatable on {_INACCESSIBLE_SDL} | SCHEMA"},
    ),
    SupergraphSpec(
        "inaccessible",
        "v0.2",
        "SECURITY",
        {"inaccessible": f"directive @inaccessible on {_INACCESSIBLE_SDL}"},
    ),
    SupergraphSpec(
        "authenticated", "v0.1", "SECURITY", {"authenticated": f"directive @authenticated on {_PROTECTABLE_SDL}"}
    ),
    SupergraphSpec(
        "requiresScopes",
        "v0.1",
        "SECURITY",
        {"requiresScopes": (f"directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on {_PROTECTABLE_SDL}")},
        ("scalar requiresScopes__Scope",),
    ),
    SupergraphSpec(
        "policy",
        "v0.1",
        "SECURITY",
        {"policy": f"directive @policy(policies: [[policy__Policy!]!]!) on {_PROTECTABLE_SDL}"},
        ("scalar policy__Policy",),
    ),
    SupergraphSpec(
        "cost",
        "v0.1",
        None,
        {
            "cost": (
                "directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION"
                " | INPUT_FIELD_DEFINITION | OBJECT | SCALAR"
            ),
            "listSize": (
                "directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],"
                " requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION"
            ),
        },
    ),
    SupergraphSpec(
        "context",
        "v0.1",
        "SECURITY",
        {"context": "directive @context(name: String!) repeatable on INTERFACE | OBJECT | UNION"},
        (
            "directive @context__fromContext(field: context__ContextFieldValue) on ARGUMENT_DEFINITION",
            "scalar context__ContextFieldValue",
        ),
    ),
    SupergraphSpec("cacheTag", "v0.1", "EXECUTION", {}),
)

# Every supergraph defines these; routers find them by name.
SUPERGRAPH_HEADER: tuple[str, ...] = (
    "directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) repeatable on"
    " SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION",
    "directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE",
    "directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String,"
    " external: Boolean, override: String, usedOverridden: Boolean, overrideLabel: String,"
    " contextArguments: [join__ContextArgument!]) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION",
    "directive @join__graph(name: String!, url: String!) on ENUM_VALUE",
    "directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE",
    "directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false,"
    " resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION"
    " | ENUM | INPUT_OBJECT | SCALAR",
    "directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION",
    "directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA",
)

SUPERGRAPH_TYPES: tuple[str, ...] = (
    "input join__ContextArgument {\n  name: String!\n  type: String!\n  context: String!\n"
    "  selection: join__FieldValue!\n}",
    "scalar join__DirectiveArguments",
    "scalar join__FieldSet",
    "scalar join__FieldValue",
    "scalar link__Import",
    'enum link__Purpose {\n  """\n  `SECURITY` features provide metadata necessary to securely resolve fields.\n'
    '  """\n  SECURITY\n\n  """\n  `EXECUTION` features provide metadata necessary for operation execution.\n'
    '  """\n  EXECUTION\n}',
)
