"""Codes about SDL, links and names: what a subgraph says before federation matters."""

from router.composition.registry.entry import ErrorCode

GRAPHQL_CODES: tuple[ErrorCode, ...] = (
    ErrorCode(
        "INVALID_GRAPHQL",
        "A subgraph's SDL is not valid GraphQL: it cannot be parsed, or it breaks a rule of the GraphQL specification"
        " (unknown type or directive, duplicate name, interface not implemented, and so on).",
        "type Query {\n  product: Prodct   # no such type\n}\ntype Product { id: ID! }",
        "Correct the SDL at the place shown; the message names the rule.",
    ),
    ErrorCode(
        "INVALID_SUBGRAPH_NAME",
        "A subgraph has a name that a supergraph cannot hold: empty, or a single underscore.",
        '# a subgraph called "_"\ntype Query { a: Int }',
        "Give the subgraph a name of letters, digits, hyphens and underscores.",
    ),
    ErrorCode(
        "DUPLICATE_SUBGRAPH_NAME",
        "Two subgraphs have the same name; the supergraph could not tell them apart.",
        '# two subgraphs, both called "product"',
        "Rename one of them, or hand it in only once.",
    ),
    ErrorCode(
        "ROOT_QUERY_USED",
        "A type is called Query but is not the query type.",
        "schema { query: Store }\ntype Store { query: Query }\ntype Query { text: String }",
        "Rename the type: in the supergraph, Query is the query type of every subgraph.",
    ),
    ErrorCode(
        "ROOT_MUTATION_USED",
        "A type is called Mutation but is not the mutation type.",
        "schema { query: Query mutation: Change }\ntype Change { a: Int }\ntype Mutation { gene: String }",
        "Rename the type, or make it the mutation type.",
    ),
    ErrorCode(
        "ROOT_SUBSCRIPTION_USED",
        "A type is called Subscription but is not the subscription type.",
        "schema { query: Query }\ntype Query { plan: Subscription }\ntype Subscription { price: Int }",
        "Rename the type, or make it the subscription type.",
    ),
    ErrorCode(
        "NO_QUERIES",
        "No subgraph has a query field, so there is nothing to ask.",
        'type Product @key(fields: "id") { id: ID! }',
        "Add a field to the query type of at least one subgraph.",
    ),
    ErrorCode(
        "DIRECTIVE_DEFINITION_INVALID",
        "A subgraph defines one of federation's directives differently from federation.",
        "directive @key(fields: String!, unknown: Int) repeatable on OBJECT | INTERFACE",
        "Remove the definition: federation's directives come with the @link, without being defined.",
    ),
    ErrorCode(
        "UNKNOWN_FEDERATION_LINK_VERSION",
        "The schema links to a federation version that this composition does not know.",
        'extend schema @link(url: "https://specs.apollo.dev/federation/v9.9", import: ["@key"])',
        "Link to a version from v2.0 to v2.12.",
    ),
    ErrorCode(
        "UNKNOWN_LINK_VERSION",
        "The schema links to a version of the link specification that this composition does not know.",
        'schema @link(url: "https://specs.apollo.dev/link/v7.0") { query: Query }',
        "Link to https://specs.apollo.dev/link/v1.0, or leave that @link out.",
    ),
    ErrorCode(
        "INVALID_LINK_DIRECTIVE_USAGE",
        "An application of @link breaks the link specification: no url, an import that does not exist in that version,"
        " or a rename that is not possible.",
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@authenticated"])',
        "Correct the @link: import what the linked version has, and rename directives to names that begin with @.",
    ),
    ErrorCode(
        "INVALID_LINK_IDENTIFIER",
        "The url of a @link is not the url of a specification.",
        'extend schema @link(url: "federation")',
        "Write the whole url, like https://specs.apollo.dev/federation/v2.9.",
    ),
    ErrorCode(
        "LINK_IMPORT_NAME_MISMATCH",
        "A directive that reaches the supergraph (@tag, @inaccessible, ...) is imported by different names.",
        '# a\nextend schema @link(url: "https://specs.apollo.dev/federation/v2.9",'
        ' import: [{name: "@tag", as: "@label"}])\n'
        '# b\nextend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@tag"])',
        "Import the directive by the same name in every subgraph that uses it.",
    ),
    ErrorCode(
        "DIRECTIVE_COMPOSITION_ERROR",
        "A directive named by @composeDirective cannot be kept: it is undefined, not linked, federation's own, or not"
        " the same in all subgraphs.",
        'extend schema @composeDirective(name: "@audit")   # no @link brings @audit',
        "Link to the directive's specification, import it by the same name everywhere, define it in the subgraph, and"
        " use one major version.",
    ),
)
