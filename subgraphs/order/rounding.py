"""The store's one rounding rule: an exact fraction becomes the nearest minor unit, halves go up, and it is done once
per sum; what was rounded is then shared out over the parts so that they add up to it. docs/pricing.md tells why.
"""

from collections.abc import Sequence

# Rates are whole millionths: 11 % is 110_000, and New York's 8.875 % still is a whole number
WHOLE = 1_000_000


def round_fraction(numerator: int, denominator: int) -> int:
    """Return *numerator* / *denominator*, neither negative, as the nearest whole number; halves go up."""
    return (2 * numerator + denominator) // (2 * denominator)


def part_of(amount: int, rate: int) -> int:
    """Return *rate* millionths of *amount*, rounded."""
    return round_fraction(amount * rate, WHOLE)


def part_within(amount: int, rate: int) -> int:
    """Return what of *amount* was added to the rest at *rate* millionths of it, rounded: the tax in a price.

    Whatever `part_of` adds, this finds again: for any n, `part_within(n + part_of(n, rate), rate) == part_of(n, rate)`.
    """
    return round_fraction(amount * rate, WHOLE + rate)


def share_out(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Cut *amount* into a share per weight, in proportion, whose sum is *amount*: by largest remainder.

    Of equal remainders the first ones get the unit more, so put *weights* into an order that means nothing. No share is
    greater than its weight if *amount* is not greater than all of them together; none is negative.

    Raises:
        ValueError: there is something to share and nobody to have it.
    """
    whole = sum(weights)
    if whole == 0:
        if amount:
            raise ValueError(f"{amount} cannot be shared out over nothing")
        return (0,) * len(weights)
    shares = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: -(amount * weights[place] % whole))
    for place in by_remainder[: amount - sum(shares)]:
        shares[place] += 1
    return tuple(shares)
