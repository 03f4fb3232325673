"""Rates as people write them: percent with up to four decimals, `8.875`, for millionths."""

from decimal import Decimal

from core.errors import BadUserInput
from subgraphs.order.rounding import WHOLE

_PER_PERCENT = WHOLE // 100


def parse_percent(text: str, *, field: str) -> int:
    """Return the millionths that *text*, a decimal number, is; BadUserInput for more than four decimals."""
    rate = Decimal(text) * _PER_PERCENT
    if rate != rate.to_integral_value():
        raise BadUserInput(f"{text} has more than four decimals", field=field)
    return int(rate)


def show_percent(rate: int) -> str:
    """Return millionths as percent, without zeros at the end."""
    return f"{(Decimal(rate) / _PER_PERCENT).normalize():f}"
