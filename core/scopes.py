"""Scopes: what a caller may do, by the names that `@requiresScopes` uses. Roles are sets of them."""

from collections.abc import Iterable

from core.identity import Role

AUDIT_READ = "audit:read"
DISCOUNTS_WRITE = "discounts:write"
PRODUCTS_WRITE = "products:write"
INVENTORY_READ = "inventory:read"
INVENTORY_WRITE = "inventory:write"
ORDERS_READ = "orders:read"
ORDERS_WRITE = "orders:write"
PAYMENTS_READ = "payments:read"
PAYMENTS_REFUND = "payments:refund"
REPORTS_READ = "reports:read"
ROLES_WRITE = "roles:write"
TARIFFS_WRITE = "tariffs:write"
USERS_READ = "users:read"
USERS_WRITE = "users:write"
SYNC_WRITE = "sync:write"

# What belongs to a customer (the own cart, orders, profile, schedules) needs no scope: ownership decides there
ROLE_SCOPES: dict[str, frozenset[str]] = {
    Role.CUSTOMER: frozenset(),
    Role.STAFF: frozenset(
        {
            DISCOUNTS_WRITE,
            PRODUCTS_WRITE,
            INVENTORY_READ,
            INVENTORY_WRITE,
            ORDERS_READ,
            ORDERS_WRITE,
            PAYMENTS_READ,
            REPORTS_READ,
            TARIFFS_WRITE,
            USERS_READ,
            SYNC_WRITE,
        }
    ),
}
# Money leaves the store by a refund: whoever packs parcels does not need to be able to send it
ROLE_SCOPES[Role.ADMIN] = ROLE_SCOPES[Role.STAFF] | {AUDIT_READ, PAYMENTS_REFUND, ROLES_WRITE, USERS_WRITE}

# Whoever holds one of these can give themselves, or a friend, everything else: only the built-in ADMIN has them
ADMIN_SCOPES = frozenset({ROLES_WRITE, USERS_WRITE})
# What a role that administrators make up may consist of
ASSIGNABLE_SCOPES = ROLE_SCOPES[Role.ADMIN] - ADMIN_SCOPES


def scopes_of(roles: Iterable[str]) -> frozenset[str]:
    """Return the scopes that the built-in ones of *roles* hold together; any other holds none here.

    The roles that an installation has made up are known to the user subgraph only (subgraphs/user/roles.py).
    """
    return frozenset[str]().union(*(ROLE_SCOPES.get(role, frozenset()) for role in roles))
