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
    check_step("QUOTED", "RESERVED")
    with pytest.raises(ValueError, match="no step of a checkout leads from QUOTED to OPENED"):
        check_step("QUOTED", "OPENED")
    with pytest.raises(ValueError, match="no step of a checkout leads from REFUSED to QUOTED"):
        check_step("REFUSED", "QUOTED")
