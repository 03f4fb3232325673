"""Codes about subgraphs that do not fit together, and about the whole."""

from router.composition.registry.entry import ErrorCode

MERGING_CODES: tuple[ErrorCode, ...] = (
    ErrorCode(
        "TYPE_KIND_MISMATCH",
        "A type has one name and several kinds.",
        "# a\ntype Media { id: ID! }\n# b\ninterface Media { id: ID! }",
        "Rename one of them; if the object stands for the interface, mark it @interfaceObject.",
    ),
    ErrorCode(
        "EXTENSION_WITH_NO_BASE",
        "A type is extended, but no subgraph defines it.",
        'extend type Product @key(fields: "id") { id: ID! @external }',
        "Define the type in one subgraph (`type` instead of `extend type`).",
    ),
    ErrorCode(
        "EXTERNAL_MISSING_ON_BASE",
        "A field is @external in every subgraph that has it.",
        'type Product @key(fields: "id") { id: ID! weight: Int @external }   # nobody else has Product.weight',
        "Resolve the field in one subgraph.",
    ),
    ErrorCode(
        "EXTERNAL_TYPE_MISMATCH",
        "An @external field has another type than where it is resolved.",
        "# a\nweight: Int!\n# b\nweight: Int @external",
        "Declare exactly the type that the resolving subgraph declares.",
    ),
    ErrorCode(
        "EXTERNAL_ARGUMENT_MISSING",
        "An @external field lacks an argument that it has where it is resolved.",
        "# a\nweight(unit: Unit): Int\n# b\nweight: Int @external",
        "Declare the arguments too.",
    ),
    ErrorCode(
        "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
        "An argument of an @external field has another type than where the field is resolved.",
        "# a\nweight(unit: Unit): Int\n# b\nweight(unit: String): Int @external",
        "Declare the same type.",
    ),
    ErrorCode(
        "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
        "An argument of an @external field has another default than where the field is resolved.",
        "# a\nweight(unit: Unit = KG): Int\n# b\nweight(unit: Unit = LB): Int @external",
        "Declare the same default.",
    ),
    ErrorCode(
        "FIELD_TYPE_MISMATCH",
        "A field has types in different subgraphs of which none covers the others.",
        "# a\nprice: Int @shareable\n# b\nprice: String @shareable",
        "Agree on one type; nullability may differ.",
    ),
    ErrorCode(
        "FIELD_ARGUMENT_TYPE_MISMATCH",
        "An argument has types in different subgraphs of which none covers the others.",
        "# a\nproducts(first: Int): [Product] @shareable\n# b\nproducts(first: String): [Product] @shareable",
        "Agree on one type; nullability may differ.",
    ),
    ErrorCode(
        "FIELD_ARGUMENT_DEFAULT_MISMATCH",
        "An argument has different defaults.",
        "# a\nproducts(first: Int = 10): [Product] @shareable\n# b\nproducts(first: Int = 20): [Product] @shareable",
        "Agree on one default.",
    ),
    ErrorCode(
        "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
        "An argument is required in one subgraph and missing in another.",
        "# a\nprice(currency: String!): Int @shareable\n# b\nprice: Int @shareable",
        "Add the argument everywhere, or make it optional.",
    ),
    ErrorCode(
        "INPUT_FIELD_DEFAULT_MISMATCH",
        "A field of an input object has different defaults.",
        "# a\ninput Page { size: Int = 10 }\n# b\ninput Page { size: Int = 20 }",
        "Agree on one default.",
    ),
    ErrorCode(
        "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
        "A field of an input object is required in one subgraph and missing in another.",
        "# a\ninput Address { city: String street: String! }\n# b\ninput Address { city: String }",
        "Add the field everywhere, or make it optional.",
    ),
    ErrorCode(
        "EMPTY_MERGED_INPUT_TYPE",
        "An input object has no field that all of its subgraphs have.",
        "# a\ninput Filter { name: String }\n# b\ninput Filter { sku: String }",
        "Give it a common field, or different names.",
    ),
    ErrorCode(
        "ENUM_VALUE_MISMATCH",
        "An enum that is both sent and received has a value that some subgraph lacks.",
        "# a\nenum Status { NEW PAID }\ntype Query { byStatus(status: Status): Status }\n# b\nenum Status { NEW }",
        "Define the same values everywhere; add a new one @inaccessible first, and uncover it when all have it.",
    ),
    ErrorCode(
        "EMPTY_MERGED_ENUM_TYPE",
        "An enum that clients send has no value that all of its subgraphs have.",
        "# a\nenum Order { ASC }\n# b\nenum Order { DESC }",
        "Give it a common value, or different names.",
    ),
    ErrorCode(
        "INVALID_FIELD_SHARING",
        "Several subgraphs resolve a field without all of them allowing it.",
        '# a\ntype Product @key(fields: "id") { id: ID! name: String }\n'
        '# b\ntype Product @key(fields: "id") { id: ID! name: String }',
        "Mark the field @shareable in all of them, or resolve it in one and make it @external in the others.",
    ),
    ErrorCode(
        "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES",
        "A shared field can never be the same object in its subgraphs.",
        "# a\nmedia: Media @shareable   # only Book implements Media here\n"
        "# b\nmedia: Media @shareable   # only Movie implements Media here",
        "Define the possible types in all of the subgraphs, or stop sharing the field.",
    ),
    ErrorCode(
        "INTERFACE_FIELD_NO_IMPLEM",
        "An implementation lacks a field that another subgraph has added to the interface.",
        "# a\ninterface Media { id: ID! title: String }\n"
        "# b\ninterface Media { id: ID! }\ntype Movie implements Media { id: ID! }",
        "Add the field to the implementation, in any subgraph.",
    ),
    ErrorCode(
        "QUERY_ROOT_TYPE_INACCESSIBLE",
        "The query type is @inaccessible.",
        "type Query @inaccessible { a: Int }",
        "Hide its fields instead.",
    ),
    ErrorCode(
        "REFERENCED_INACCESSIBLE",
        "A visible field or argument is of an @inaccessible type.",
        "type Query { stock: Stock }\ntype Stock @inaccessible { count: Int }",
        "Hide the field too, or show the type.",
    ),
    ErrorCode(
        "DEFAULT_VALUE_USES_INACCESSIBLE",
        "The default of something visible uses something @inaccessible.",
        "type Query { list(order: Order = OLD): Int }\nenum Order { NEW OLD @inaccessible }",
        "Choose another default.",
    ),
    ErrorCode(
        "REQUIRED_INACCESSIBLE",
        "A required argument or input field is @inaccessible.",
        "type Query { price(currency: String! @inaccessible): Int }",
        "Make it optional or give it a default.",
    ),
    ErrorCode(
        "IMPLEMENTED_BY_INACCESSIBLE",
        "A field is @inaccessible, but implements a visible field of an interface.",
        "interface Media { title: String }\ntype Book implements Media { title: String @inaccessible }",
        "Hide the field of the interface too.",
    ),
    ErrorCode(
        "ONLY_INACCESSIBLE_CHILDREN",
        "A visible type has only @inaccessible parts.",
        "type Stock { count: Int @inaccessible }",
        "Hide the type itself, or show one of its parts.",
    ),
    ErrorCode(
        "SATISFIABILITY_ERROR",
        "The API schema allows a query that the subgraphs cannot answer; the message shows one.",
        "# a\ntype Query { product: Product }\ntype Product { name: String }\n"
        "# b\ntype Product { price: Int }   # no @key leads here",
        "Give the type a @key that the other subgraphs can supply, or resolve the field where the query starts.",
    ),
)
