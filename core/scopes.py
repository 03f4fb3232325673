"""Scopes: what a caller may do, by the names that `@requiresScopes` uses. Roles are sets of them."""

from collections.abc import Iterable

from core.identity import Role

PRODUCTS_WRITE = "products:write"
INVENTORY_READ = "inventory:read"
INVENTORY_WRITE = "inventory:write"
ORDERS_READ = "orders:read"
ORDERS_WRITE = "orders:write"
PAYMENTS_READ = "payments:read"
REPORTS_READ = "reports:read"
USERS_READ = "users:read"
USERS_WRITE = "users:write"
SYNC_WRITE = "sync:write"

# What belongs to a customer (the own cart, orders, profile, schedules) needs no scope: ownership decides there
ROLE_SCOPES: dict[str, frozenset[str]] = {
    Role.CUSTOMER: frozenset(),
    Role.STAFF: frozenset(
        {
            PRODUCTS_WRITE,
            INVENTORY_READ,
            INVENTORY_WRITE,
            ORDERS_READ,
            ORDERS_WRITE,
            PAYMENTS_READ,
            REPORTS_READ,
            USERS_READ,
            SYNC_WRITE,
        }
    ),
}
ROLE_SCOPES[Role.ADMIN] = ROLE_SCOPES[Role.STAFF] | {USERS_WRITE}


def scopes_of(roles: Iterable[str]) -> frozenset[str]:
    """Return the scopes that *roles* hold together; an unknown role holds none."""
    return frozenset[str]().union(*(ROLE_SCOPES.get(role, frozenset()) for role in roles))
