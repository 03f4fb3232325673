"""The steps of a checkout as data: from which state it may come to which. No I/O.

    QUOTED     recorded: whose cart, what is in it, where it goes;
               buyer, prices, discounts and sums are fixed         (user and product asked)
    RESERVED   the stock is the order's                            (inventory asked)
    PLACED     the order exists, the cart is emptied, and the uses
               of its discounts are counted                        (one transaction)
    OPENED     it can be paid; the answer is known                 (payment asked, unless there is nothing to pay)
    RELEASING  refused after the stock was reserved: it goes back  (inventory asked)
    REFUSED    nothing is left; the refusal is the answer          (recorded at once if there is no quote)

Before the first record only questions were asked: a crash leaves nothing, and the buyer's client asks again.

What must hold after a crash at any step is tried for each entry (tests/e2e/test_kills.py), so that a
new step is tried as soon as it is here; one that is not here cannot be recorded.
"""

from collections.abc import Mapping

from subgraphs.order.documents import CheckoutState

FIRST_STATE: CheckoutState = "QUOTED"

# The first of each is the way on, the others are refusals
STEPS: Mapping[CheckoutState, tuple[CheckoutState, ...]] = {
    "QUOTED": ("RESERVED", "REFUSED", "RELEASING"),
    "RESERVED": ("PLACED", "RELEASING"),
    "PLACED": ("OPENED", "REFUSED"),
    "RELEASING": ("REFUSED",),
    "OPENED": (),
    "REFUSED": (),
}

FINAL_STATES: frozenset[CheckoutState] = frozenset(state for state, targets in STEPS.items() if not targets)


def check_step(source: CheckoutState, target: CheckoutState) -> None:
    """Raise ValueError unless a checkout in *source* may come to *target*."""
    if target not in STEPS[source]:
        raise ValueError(f"no step of a checkout leads from {source} to {target}")
