import pytest

from core.errors import Forbidden
from core.identity import ANONYMOUS, Identity, service_identity
from core.service_calls import CALLERS, require_caller
from tests.testkit.callers import ADMIN

SERVICES = ("inventory", "order", "payment", "product", "sync", "user")


@pytest.mark.parametrize("field", sorted(CALLERS))
def test_an_internal_field_is_for_the_services_that_need_it(field: str) -> None:
    admitted = set()
    for name in SERVICES:
        try:
            require_caller(service_identity(name), field)
        except Forbidden:
            continue
        admitted.add(name)
    assert admitted == CALLERS[field]


@pytest.mark.parametrize("field", sorted(CALLERS))
@pytest.mark.parametrize("caller", [ANONYMOUS, ADMIN, Identity("service:order"), Identity("usr_order")])
def test_nobody_else_is_admitted(field: str, caller: Identity) -> None:
    with pytest.raises(Forbidden):
        require_caller(caller, field)


def test_a_field_that_is_not_in_the_list_is_for_nobody() -> None:
    with pytest.raises(KeyError):
        require_caller(service_identity("order"), "deleteEverything")
