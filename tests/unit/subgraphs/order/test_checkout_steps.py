"""The steps of a checkout as data."""

import pytest

from subgraphs.order.checkout_steps import FINAL_STATES, FIRST_STATE, STEPS, check_step
from subgraphs.order.documents import CheckoutState


def test_every_state_can_be_reached_and_leads_to_an_end() -> None:
    reached: set[CheckoutState] = {FIRST_STATE}
    waiting: list[CheckoutState] = [FIRST_STATE]
    while waiting:
        for target in STEPS[waiting.pop()]:
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    assert reached == STEPS.keys()
    assert sorted(FINAL_STATES) == ["OPENED", "REFUSED"]


def test_a_step_that_is_not_declared_is_refused() -> None:
    check_step("STARTED", "QUOTED")
    with pytest.raises(ValueError, match="no step of a checkout leads from STARTED to OPENED"):
        check_step("STARTED", "OPENED")
    with pytest.raises(ValueError, match="no step of a checkout leads from REFUSED to STARTED"):
        check_step("REFUSED", "STARTED")
