"""Codes of hints: legal, and worth a look."""

from router.composition.model import Severity
from router.composition.registry.entry import ErrorCode


def _hint(code: str, meaning: str, example: str, remedy: str) -> ErrorCode:
    return ErrorCode(code, meaning, example, remedy, Severity.HINT)


HINT_CODES: tuple[ErrorCode, ...] = (
    _hint(
        "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE",
        "A field has different types that fit; the supergraph has the one that covers the others.",
        "# a\nprice: Int! @shareable\n# b\nprice: Int @shareable",
        "Agree on one type.",
    ),
    _hint(
        "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE",
        "An argument has different types that fit; the supergraph has the strictest.",
        "# a\nlist(first: Int!): [ID] @shareable\n# b\nlist(first: Int): [ID] @shareable",
        "Agree on one type.",
    ),
    _hint(
        "INCONSISTENT_DEFAULT_VALUE_PRESENCE",
        "An argument or input field has a default in some subgraphs only; the supergraph has none.",
        "# a\nlist(first: Int = 10): [ID] @shareable\n# b\nlist(first: Int): [ID] @shareable",
        "Give it the same default everywhere, or nowhere.",
    ),
    _hint(
        "INCONSISTENT_ARGUMENT_PRESENCE",
        "An optional argument is missing in some subgraph; the supergraph leaves it out.",
        "# a\nlist(first: Int): [ID] @shareable\n# b\nlist: [ID] @shareable",
        "Add the argument everywhere, or remove it.",
    ),
    _hint(
        "INCONSISTENT_INPUT_OBJECT_FIELD",
        "An optional input field is missing in some subgraph; the supergraph leaves it out.",
        "# a\ninput Page { size: Int after: ID }\n# b\ninput Page { size: Int }",
        "Add the field everywhere, or remove it.",
    ),
    _hint(
        "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM",
        "A value of an enum that clients send is missing in some subgraph; the supergraph leaves it out.",
        "# a\nenum Order { ASC DESC }\n# b\nenum Order { ASC }",
        "Add the value everywhere, or remove it.",
    ),
    _hint(
        "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM",
        "A value of an enum that clients receive is missing in some subgraph; the supergraph has it all the same.",
        "# a\nenum Status { NEW PAID }\n# b\nenum Status { NEW }",
        "Add the value everywhere.",
    ),
    _hint(
        "UNUSED_ENUM_TYPE",
        "An enum is used by no field and no argument.",
        "enum Colour { RED }",
        "Remove it.",
    ),
    _hint(
        "INCONSISTENT_DESCRIPTION",
        "An element has different descriptions; the supergraph has the most frequent one.",
        '# a\n"A product" type Product { id: ID }\n# b\n"Something sold" type Product { id: ID }',
        "Agree on one description, or describe it in one subgraph only.",
    ),
    _hint(
        "INCONSISTENT_OBJECT_VALUE_TYPE_FIELD",
        "A value type has a field in some subgraphs only.",
        "# a\ntype Money { amount: Int currency: String }\n# b\ntype Money { amount: Int }",
        "Define the same fields everywhere.",
    ),
    _hint(
        "INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD",
        "An interface has a field in some subgraphs only.",
        "# a\ninterface Media { id: ID! title: String }\n# b\ninterface Media { id: ID! }",
        "Define the same fields everywhere.",
    ),
    _hint(
        "INCONSISTENT_UNION_MEMBER",
        "A union has a member in some subgraphs only.",
        "# a\nunion Hit = Product | Category\n# b\nunion Hit = Product",
        "Define the same members everywhere.",
    ),
    _hint(
        "INCONSISTENT_ENTITY",
        "A type has a @key in some subgraphs only.",
        '# a\ntype Product @key(fields: "id") { id: ID! }\n# b\ntype Product { id: ID! @shareable }',
        "Give it the key everywhere, or nowhere.",
    ),
    _hint(
        "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN",
        "A shared field can be objects in one subgraph that it cannot be in another.",
        "# a\nmedia: Media @shareable   # Book or Movie\n# b\nmedia: Media @shareable   # Book",
        "Make sure that all subgraphs return the same object, or define the same implementations.",
    ),
    _hint(
        "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
        "A directive that cannot be repeated has different arguments; the most frequent ones win.",
        '# a\nid: ID @deprecated(reason: "old") @shareable\n# b\nid: ID @deprecated(reason: "gone") @shareable',
        "Agree on the arguments.",
    ),
    _hint(
        "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
        "A directive that cannot be repeated has different arguments, which are combined.",
        "# a\nprice: Int @cost(weight: 2) @shareable\n# b\nprice: Int @cost(weight: 5) @shareable",
        "Agree on the arguments.",
    ),
    _hint(
        "FROM_SUBGRAPH_DOES_NOT_EXIST",
        "An @override names a subgraph that takes no part.",
        'price: Int @override(from: "prodct")',
        "Correct the name, or remove the @override.",
    ),
    _hint(
        "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED",
        "An @override takes a field from a subgraph that no longer resolves it.",
        'price: Int @override(from: "legacy")   # legacy has no price any more',
        "Remove the @override.",
    ),
    _hint(
        "OVERRIDDEN_FIELD_CAN_BE_REMOVED",
        "A field is still declared in the subgraph that lost it.",
        '# a\nprice: Int @override(from: "b")\n# b\nprice: Int',
        "Remove the field there, or make it @external where a key or a requirement needs it.",
    ),
    _hint(
        "OVERRIDE_MIGRATION_IN_PROGRESS",
        "A field is moved step by step by a labelled @override.",
        'price: Int @override(from: "b", label: "percent(10)")',
        "Remove the label, then the old field, when the migration is complete.",
    ),
    _hint(
        "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE",
        "An executable directive is missing in some subgraph; the supergraph leaves it out.",
        "# a\ndirective @trace on FIELD\n# b\n# no @trace",
        "Define it everywhere.",
    ),
    _hint(
        "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS",
        "An executable directive may stand in different places; the supergraph has the common ones.",
        "# a\ndirective @trace on FIELD | QUERY\n# b\ndirective @trace on FIELD",
        "Agree on the places.",
    ),
    _hint(
        "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE",
        "An executable directive is repeatable in some subgraphs only; in the supergraph it is not.",
        "# a\ndirective @trace repeatable on FIELD\n# b\ndirective @trace on FIELD",
        "Agree on it.",
    ),
    _hint(
        "NO_EXECUTABLE_DIRECTIVE_INTERSECTION",
        "An executable directive has no place that all subgraphs allow; the supergraph leaves it out.",
        "# a\ndirective @trace on FIELD\n# b\ndirective @trace on QUERY",
        "Agree on the places.",
    ),
)
