"""The codes of the tools themselves, beside those of composition: what was handed in cannot be used."""

from router.composition import ErrorCode

TOOL_CODES: tuple[ErrorCode, ...] = (
    ErrorCode(
        "CONTEXT_NOT_SET_ABOVE",
        "A field of the operation takes an argument from a context (@fromContext) that no object above it sets.",
        "# pasar plan '{ order { total } }'   # where the context is set by User",
        "Ask for the field below an object that sets the context, or set it on a type above, such as Query.",
    ),
    ErrorCode(
        "OUTPUT_NOT_WRITTEN",
        "The file named with --output cannot be written.",
        "# pasar compose --output /no/such/folder/supergraph.graphql",
        "Name a file in a folder that exists and that you may write to.",
    ),
    ErrorCode(
        "QUERY_UNREADABLE",
        "What was handed to `pasar plan` is neither a file that can be read nor a GraphQL document.",
        "# pasar plan query.graphl",
        "Name a file with one operation, `-` for standard input, or write the document itself.",
    ),
    ErrorCode(
        "RESERVED_ALIAS",
        "An alias of the operation is a name that the planner needs for itself, such as __typename for another field.",
        "{ product { __typename: name } }",
        "Choose another alias.",
    ),
    ErrorCode(
        "SCHEMA_INVALID",
        "A schema handed to `pasar check` is not valid GraphQL.",
        "type Query {\n  product: Prodct   # no such type\n}",
        "Hand in API schema SDL or supergraph SDL; `pasar compose` makes either from subgraphs.",
    ),
    ErrorCode(
        "SCHEMA_UNREADABLE",
        "A file handed to `pasar check` cannot be read: it is missing, a folder without a schema, or not UTF-8.",
        "# pasar check none.graphql new.graphql",
        "Name a file with API schema SDL or supergraph SDL.",
    ),
    ErrorCode(
        "SUBGRAPH_ARGUMENT_INVALID",
        "An argument of `pasar compose` does not name a subgraph and where its schema is.",
        "# pasar compose order.graphql",
        "Write NAME=FILE, NAME=URL or NAME=FILE@URL: order=order.graphql@http://127.0.0.1:4104/graphql.",
    ),
    ErrorCode(
        "SUBGRAPH_LIST_INVALID",
        "The list of subgraphs (`pasar compose --config`) is missing, is not YAML, or an entry lacks something.",
        "# subgraphs:\n#   order: { schema: { file: order.graphql } }\n#   order: { schema: {} }   # again, without",
        "Give each subgraph, once, schema.file or schema.subgraph_url, and a routing_url.",
    ),
    ErrorCode(
        "SUBGRAPH_SOURCE_UNUSABLE",
        "A subgraph's schema cannot be had: its file cannot be read, or the running subgraph does not answer"
        " `{ _service { sdl } }`.",
        "# pasar compose order=none.graphql user=http://127.0.0.1:1/graphql",
        "Correct the name of the file, or start the subgraph; it must answer without a login and know `_service`.",
    ),
    ErrorCode(
        "SUPERGRAPH_DUPLICATE_SUBGRAPH",
        "Two values of the supergraph's join__Graph have the same subgraph name.",
        'enum join__Graph {\n  A @join__graph(name: "order", url: "")\n  B @join__graph(name: "order", url: "")\n}',
        "Compose it again, with distinct names.",
    ),
    ErrorCode(
        "SUPERGRAPH_INVALID_CONTEXT",
        "An argument of the supergraph cannot be filled from its context: what it selects there is not one value.",
        'contextArguments: [{context: "user", name: "locale", type: "String", selection: "{ locale name }"}]',
        "Compose it again; supergraph SDL is not made to be written by hand.",
    ),
    ErrorCode(
        "SUPERGRAPH_INVALID_DIRECTIVE",
        "A join directive of the supergraph lacks an argument or has one of a wrong kind.",
        "enum join__Graph {\n  ORDER   # no @join__graph\n}",
        "Compose it again; supergraph SDL is not made to be written by hand.",
    ),
    ErrorCode(
        "SUPERGRAPH_INVALID_FIELD_SET",
        "A key, requires or provides of the supergraph selects what the type does not have.",
        'type Order @join__type(graph: ORDER, key: "number") { id: ID! }',
        "Compose it again; supergraph SDL is not made to be written by hand.",
    ),
    ErrorCode(
        "SUPERGRAPH_INVALID_SCHEMA",
        "What clients would see of the supergraph is not a valid schema.",
        "type Query { order: Order }\ntype Order { id: ID! @inaccessible }",
        "Leave a field to every type that stays visible, and compose again.",
    ),
    ErrorCode(
        "SUPERGRAPH_NO_JOIN_SPEC",
        "The SDL links to no join specification, so it is not a supergraph.",
        "type Query { order: Int }   # an API schema or a subgraph",
        "Make a supergraph of it with `pasar compose`.",
    ),
    ErrorCode(
        "SUPERGRAPH_NO_QUERY",
        "The supergraph has no query type.",
        "schema { mutation: Mutation }",
        "Add a query field to a subgraph, and compose again.",
    ),
    ErrorCode(
        "SUPERGRAPH_NO_SUBGRAPHS",
        "The supergraph names no subgraphs: join__Graph is missing.",
        'schema @link(url: "https://specs.apollo.dev/join/v0.5") { query: Query }',
        "Compose it again from its subgraphs.",
    ),
    ErrorCode(
        "SUPERGRAPH_SYNTAX",
        "The supergraph's SDL cannot be parsed.",
        "type Query {",
        "Correct the SDL at the place shown, or compose it again.",
    ),
    ErrorCode(
        "SUPERGRAPH_UNKNOWN_CONTEXT",
        "An argument of the supergraph comes from a context that no type sets.",
        'contextArguments: [{context: "user", name: "locale", type: "String", selection: "{ locale }"}]  # not set',
        "Compose it again; supergraph SDL is not made to be written by hand.",
    ),
    ErrorCode(
        "SUPERGRAPH_UNKNOWN_SUBGRAPH",
        "A join directive names a subgraph that join__Graph does not have.",
        "type Order @join__type(graph: SHIPPING) { id: ID! }",
        "Compose it again; supergraph SDL is not made to be written by hand.",
    ),
    ErrorCode(
        "SUPERGRAPH_UNKNOWN_TYPE",
        "A join directive names an interface or a union member that the type itself does not name.",
        'type Order @join__implements(graph: ORDER, interface: "Node") { id: ID! }',
        "Compose it again; supergraph SDL is not made to be written by hand.",
    ),
    ErrorCode(
        "SUPERGRAPH_UNREADABLE",
        "The supergraph file handed to `pasar plan` cannot be read.",
        "# pasar plan '{ me { id } }' --supergraph none.graphql",
        "Name a file with supergraph SDL; `pasar compose` makes one.",
    ),
    ErrorCode(
        "SUPERGRAPH_UNSUPPORTED_FEATURE",
        "The supergraph links to a specification that must be obeyed and that this router does not know.",
        'schema @link(url: "https://example.com/spec/v1.0", for: SECURITY) { query: Query }',
        "Leave the feature out of the subgraphs, or use a router that knows it.",
    ),
    ErrorCode(
        "SUPERGRAPH_UNSUPPORTED_VERSION",
        "The supergraph was composed for a version of the join specification that this router does not know.",
        'schema @link(url: "https://specs.apollo.dev/join/v9.9") { query: Query }',
        "Compose it for a version from v0.1 to v0.5.",
    ),
    ErrorCode(
        "UNKNOWN_LABEL",
        "No @override of the supergraph has the label that was named with --label.",
        "# pasar plan '{ me { id } }' --label percent(5",
        "Name one of the labels that the message lists.",
    ),
    ErrorCode(
        "UNKNOWN_OPERATION",
        "The document has no operation of the asked name.",
        "query A { me { id } }   # and operationName: B",
        "Name an operation of the document.",
    ),
    ErrorCode(
        "UNSATISFIABLE_OPERATION",
        "A field of the operation cannot be reached through any subgraph: the supergraph was composed without a check.",
        "# composed with satisfiability checks switched off",
        "Compose the subgraphs again with `pasar compose`, which names the fields that cannot be reached.",
    ),
)

_BY_CODE = {entry.code: entry for entry in TOOL_CODES}


def find_tool_code(code: str) -> ErrorCode | None:
    """Return the entry of *code*, or None when it is none of the tools' own."""
    return _BY_CODE.get(code)
