"""Declaring, in the schema, whose personal or money data a field shows.

`@requiresScopes` and `@authenticated` are enforced by the router. Ownership cannot be: who an order belongs to is known
once it is read. So the field says whose it is by `@owned`, and its subgraph keeps that promise; `@public` says that
everybody may see it, and why. Both are composed into the supergraph.

tests/unit/schema/test_declared.py walks that supergraph and fails for a field that shows money or a person and declares
nothing; tests/integration/security/expected.py has, for each of these fields, who sees it.
"""

import strawberry
from strawberry.schema_directive import Location

SPEC_URL = "https://pasar.dev/ownership/v1.0"


@strawberry.federation.schema_directive(
    locations=[Location.FIELD_DEFINITION], name="owned", compose=True, import_url=SPEC_URL, print_definition=True
)
class Owned:
    """Shown to whoever *by* names, to holders of all of *orScopes* if there are any, and to the store's services."""

    by: str
    or_scopes: list[str] | None = strawberry.directive_field(name="orScopes", default=strawberry.UNSET)


@strawberry.federation.schema_directive(
    locations=[Location.FIELD_DEFINITION], name="public", compose=True, import_url=SPEC_URL, print_definition=True
)
class Public:
    """Money or a person's data that everybody may see, *because*."""

    because: str
