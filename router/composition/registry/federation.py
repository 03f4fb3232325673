"""Codes about federation's directives in one subgraph."""

from router.composition.registry.entry import ErrorCode

FEDERATION_CODES: tuple[ErrorCode, ...] = (
    ErrorCode(
        "KEY_INVALID_FIELDS",
        "The fields of a @key cannot be read, or select what the type does not have.",
        'type Product @key(fields: "sku") { id: ID! }',
        "Select fields that the type has in this subgraph; give objects a selection of their own.",
    ),
    ErrorCode(
        "KEY_INVALID_FIELDS_TYPE",
        "The fields of a @key are not a string.",
        'type Product @key(fields: ["id"]) { id: ID! }',
        'Write one string: @key(fields: "id sku").',
    ),
    ErrorCode(
        "KEY_FIELDS_HAS_ARGS",
        "A @key selects a field with arguments.",
        'type Product @key(fields: "id") { id(short: Boolean): ID! }',
        "Choose a field without arguments: a key has one value.",
    ),
    ErrorCode(
        "KEY_DIRECTIVE_IN_FIELDS_ARG",
        "A @key applies a directive in its fields.",
        'type Product @key(fields: "id @include(if: true)") { id: ID! }',
        "Remove the directive from the field set.",
    ),
    ErrorCode(
        "KEY_FIELDS_SELECT_INVALID_TYPE",
        "A @key selects an interface or a union, which cannot identify anything.",
        'type Product @key(fields: "owner { id }") { owner: Owner! }\ninterface Owner { id: ID! }',
        "Key by scalars, enums or objects.",
    ),
    ErrorCode(
        "KEY_UNSUPPORTED_ON_INTERFACE",
        "An interface has a @key, which federation knows since v2.3.",
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.2", import: ["@key"])\n'
        'interface Media @key(fields: "id") { id: ID! }',
        "Link to federation v2.3 or later, or remove the key.",
    ),
    ErrorCode(
        "REQUIRES_INVALID_FIELDS",
        "The fields of a @requires cannot be read, or select what the type does not have.",
        'type Product @key(fields: "id") { id: ID! shipping: Int @requires(fields: "weight") }',
        "Declare the required field in this subgraph too, with @external.",
    ),
    ErrorCode(
        "REQUIRES_INVALID_FIELDS_TYPE",
        "The fields of a @requires are not a string.",
        'shipping: Int @requires(fields: ["weight"])',
        'Write one string: @requires(fields: "weight").',
    ),
    ErrorCode(
        "REQUIRES_DIRECTIVE_IN_FIELDS_ARG",
        "A @requires applies a directive in its fields.",
        'shipping: Int @requires(fields: "weight @skip(if: false)")',
        "Remove the directive from the field set.",
    ),
    ErrorCode(
        "REQUIRES_FIELDS_MISSING_EXTERNAL",
        "A @requires selects a field that this subgraph resolves itself.",
        'type Product @key(fields: "id") { id: ID! weight: Int shipping: Int @requires(fields: "weight") }',
        "Mark the field @external if another subgraph resolves it; otherwise drop it from @requires.",
    ),
    ErrorCode(
        "REQUIRES_UNSUPPORTED_ON_INTERFACE",
        "A field of an interface has @requires.",
        'interface Media { weight: Int shipping: Int @requires(fields: "weight") }',
        "Put @requires on the implementations.",
    ),
    ErrorCode(
        "PROVIDES_INVALID_FIELDS",
        "The fields of a @provides cannot be read, or select what the returned type does not have.",
        'type Review { author: User @provides(fields: "nick") }\ntype User @key(fields: "id") { id: ID! }',
        "Declare the provided field in this subgraph, with @external.",
    ),
    ErrorCode(
        "PROVIDES_INVALID_FIELDS_TYPE",
        "The fields of a @provides are not a string.",
        'author: User @provides(fields: ["name"])',
        'Write one string: @provides(fields: "name").',
    ),
    ErrorCode(
        "PROVIDES_FIELDS_HAS_ARGS",
        "A @provides selects a field with arguments.",
        'author: User @provides(fields: "name")   # where User.name(short: Boolean): String',
        "Provide fields without arguments only.",
    ),
    ErrorCode(
        "PROVIDES_DIRECTIVE_IN_FIELDS_ARG",
        "A @provides applies a directive in its fields.",
        'author: User @provides(fields: "name @skip(if: false)")',
        "Remove the directive from the field set.",
    ),
    ErrorCode(
        "PROVIDES_FIELDS_MISSING_EXTERNAL",
        "A @provides selects a field that this subgraph resolves anyway.",
        'type Review { author: User @provides(fields: "name") }\ntype User @key(fields: "id") { id: ID! name: String }',
        "Mark the field @external if only this path can provide it; otherwise drop the @provides.",
    ),
    ErrorCode(
        "PROVIDES_ON_NON_OBJECT_FIELD",
        "A field that returns a scalar or an enum has @provides.",
        'type Query { count: Int @provides(fields: "id") }',
        "Remove the @provides: there is nothing below the field.",
    ),
    ErrorCode(
        "PROVIDES_UNSUPPORTED_ON_INTERFACE",
        "A field of an interface has @provides.",
        'interface Review { author: User @provides(fields: "name") }',
        "Put @provides on the implementations.",
    ),
    ErrorCode(
        "EXTERNAL_UNUSED",
        "A field is @external, but neither a @key, a @requires, a @provides nor an interface needs it here.",
        'type Product @key(fields: "id") { id: ID! name: String @external }',
        "Remove the field, or resolve it here and drop @external.",
    ),
    ErrorCode(
        "EXTERNAL_ON_INTERFACE",
        "A field of an interface is @external.",
        "interface Media { title: String @external }",
        "Mark the fields of the implementations instead: interface fields are not resolved.",
    ),
    ErrorCode(
        "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE",
        "A field is @external, yet says with @provides what it resolves.",
        'type Review @key(fields: "id") { id: ID! author: User @external @provides(fields: "name") }',
        "Decide whether this subgraph resolves the field.",
    ),
    ErrorCode(
        "TYPE_WITH_ONLY_UNUSED_EXTERNAL",
        "A Federation 1 type has only @external fields, and nothing uses them.",
        "extend type Product { name: String @external }\ntype Query { top: Product }",
        "Add the type's key, or a field that this subgraph resolves.",
    ),
    ErrorCode(
        "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
        "A directive that reaches the supergraph stands on an @external field.",
        'weight: Int @external @tag(name: "logistics")',
        "Move the directive to the subgraph that resolves the field.",
    ),
    ErrorCode(
        "INVALID_SHAREABLE_USAGE",
        "@shareable stands on an interface field, or twice on one field.",
        "interface Media { title: String @shareable }",
        "Put @shareable once on the field of each object that shares it.",
    ),
    ErrorCode(
        "OVERRIDE_FROM_SELF_ERROR",
        "A subgraph overrides a field from itself.",
        '# in subgraph "product"\nprice: Int @override(from: "product")',
        "Name the subgraph that the field comes from.",
    ),
    ErrorCode(
        "OVERRIDE_ON_INTERFACE",
        "A field of an interface has @override.",
        'interface Media { title: String @override(from: "old") }',
        "Override the fields of the implementations.",
    ),
    ErrorCode(
        "OVERRIDE_LABEL_INVALID",
        "The label of an @override is neither a name nor a percentage.",
        'price: Int @override(from: "old", label: "percent(101)")',
        "Write percent(0) to percent(100), or a name that begins with a letter.",
    ),
    ErrorCode(
        "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
        "A field with @override, or the field it overrides, has a directive that prevents it.",
        '# a\nprice: Int @override(from: "b")\n# b\nprice: Int @requires(fields: "weight")',
        "Remove @external, @requires or @provides from the two declarations first.",
    ),
    ErrorCode(
        "OVERRIDE_SOURCE_HAS_OVERRIDE",
        "A field is overridden from a subgraph that itself overrides it.",
        '# a\nprice: Int @override(from: "b")\n# b\nprice: Int @override(from: "c")',
        "Finish one migration before the next: only one subgraph may override the field.",
    ),
    ErrorCode(
        "INTERFACE_OBJECT_USAGE_ERROR",
        "An @interfaceObject has no @key, no subgraph defines its interface, or its subgraph also has an"
        " implementation.",
        "type Media @interfaceObject { id: ID! score: Int }",
        "Give it the key of the interface, and keep the implementations in the subgraph that defines the interface.",
    ),
    ErrorCode(
        "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
        "An interface has a @key that one of its implementations lacks or cannot resolve.",
        'interface Media @key(fields: "id") { id: ID! }\ntype Book implements Media { id: ID! }',
        "Repeat the key on every implementation.",
    ),
    ErrorCode(
        "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
        "A subgraph has a @key on an interface, but another subgraph has an implementation that it lacks.",
        '# a\ninterface Media @key(fields: "id") { id: ID! }\n'
        'type Book implements Media @key(fields: "id") { id: ID! }\n'
        '# b\ninterface Media { id: ID! }\ntype Movie implements Media @key(fields: "id") { id: ID! }',
        "Add the implementation to the subgraph that has the key, or use @interfaceObject in the other one.",
    ),
    ErrorCode(
        "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE",
        "@authenticated, @requiresScopes or @policy stands on an interface, one of its fields, or an interface object.",
        "interface Media @authenticated { id: ID! }",
        "Put it on the implementations.",
    ),
    ErrorCode(
        "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
        "A field requires another one that asks for more than the field itself: it would leak what is protected.",
        'weight: Int @external   # @authenticated in its subgraph\nshipping: Int @requires(fields: "weight")',
        "Repeat the authorisation directives of the required fields on the field.",
    ),
    ErrorCode(
        "COST_APPLIED_TO_INTERFACE_FIELD",
        "A field of an interface has a @cost.",
        "interface Media { title: String @cost(weight: 3) }",
        "Put the cost on the fields of the implementations.",
    ),
    ErrorCode(
        "LIST_SIZE_APPLIED_TO_NON_LIST",
        "@listSize describes a field that is no list.",
        "type Query { count: Int @listSize(assumedSize: 10) }",
        "Remove it, or name the list fields of the returned object in sizedFields.",
    ),
    ErrorCode(
        "LIST_SIZE_INVALID_ASSUMED_SIZE",
        "@listSize assumes a negative size.",
        "type Query { top: [Product] @listSize(assumedSize: -1) }",
        "Assume a size of 0 or more.",
    ),
    ErrorCode(
        "LIST_SIZE_INVALID_SLICING_ARGUMENT",
        "@listSize names an argument that does not exist or is no Int.",
        'type Query { top(first: String): [Product] @listSize(slicingArguments: ["first"]) }',
        "Name arguments of the field whose type is Int or Int!.",
    ),
    ErrorCode(
        "LIST_SIZE_INVALID_SIZED_FIELD",
        "@listSize names a sized field that does not exist.",
        'type Query { top: Page @listSize(assumedSize: 10, sizedFields: ["items"]) }\ntype Page { edges: [Product] }',
        "Name list fields of the object that the field returns.",
    ),
    ErrorCode(
        "CONTEXT_NAME_INVALID",
        "A context has a name that is not one.",
        'type User @context(name: "_user") { id: ID! }',
        "Use letters and digits, beginning with a letter.",
    ),
    ErrorCode(
        "CONTEXT_NOT_SET",
        "An argument comes from a context that no type sets.",
        'total(locale: String @fromContext(field: "$user { locale }")): Int   # no @context(name: "user")',
        'Put @context(name: "...") on the type that has the value.',
    ),
    ErrorCode(
        "NO_CONTEXT_IN_SELECTION",
        "@fromContext does not say which context it means.",
        'total(locale: String @fromContext(field: "{ locale }")): Int',
        "Begin with the context: `$user { locale }`.",
    ),
    ErrorCode(
        "CONTEXT_INVALID_SELECTION",
        "The selection of @fromContext does not lead to exactly one field of the argument's type.",
        'total(locale: String @fromContext(field: "$user { locale name }")): Int',
        "Select one field whose type fits the argument, on every type that sets the context.",
    ),
    ErrorCode(
        "CONTEXT_NO_RESOLVABLE_KEY",
        "A type with a contextual argument has no resolvable @key.",
        'type Order { total(locale: String @fromContext(field: "$user { locale }")): Int }',
        "Add a @key: the router may have to fetch the object again with the value.",
    ),
    ErrorCode(
        "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
        "An argument comes from a context in one subgraph and is required from clients in another.",
        '# a\ntotal(locale: String @fromContext(field: "$user { locale }")): Int @shareable\n'
        "# b\ntotal(locale: String!): Int @shareable",
        "Use @fromContext in every subgraph that has the argument.",
    ),
)
