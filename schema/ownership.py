"""Declaring, in the schema, whose personal or money data a field shows.

`@requiresScopes` and `@authenticated` are enforced by the router. Ownership cannot be: who an order belongs to is known
once it is read. So the field says whose it is by `@owned`, and its subgraph keeps that promise; `@public` says that it
is for everybody, and why. Both are composed into the supergraph.

tests/unit/schema/test_declared.py walks that supergraph and fails for a root field that declares nothing, and for any
field that shows money or a person and declares neither a scope nor one of these; for each of them
tests/integration/security/expected.py has who sees it.
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
    """Everybody may see or do this, *because*."""

    because: str
