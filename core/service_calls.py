"""Which subgraph may call which internal field of another: all of it, in one place.

Internal fields are `@inaccessible`, so the API does not have them; a service proves itself with an assertion that names
the subgraph it is meant for. That it is *some* service is not enough: a subgraph that was taken over must not be able
to do what its work never needs.
"""

from collections.abc import Mapping

from core.errors import Forbidden
from core.identity import Identity, service_identity
from core.subgraph import require_service

CALLERS: Mapping[str, frozenset[str]] = {
    "cancelPayment": frozenset({"order"}),
    "cartOf": frozenset({"user"}),
    "changedOrders": frozenset({"sync", "user"}),
    "commitStock": frozenset({"order"}),
    "openOrderCount": frozenset({"user"}),
    "openPayment": frozenset({"order"}),
    "releaseStock": frozenset({"order"}),
    "reserveStock": frozenset({"order"}),
}


def require_caller(identity: Identity, field: str) -> None:
    """Refuse a caller that is not one of the services that *field* is for."""
    require_service(identity)
    if identity.subject not in {service_identity(name).subject for name in CALLERS[field]}:
        raise Forbidden(f"{field} is not for {identity.subject}")
