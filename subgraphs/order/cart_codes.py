"""Discount codes on a cart. They need a login: whoever can have carts without number could guess without end."""

from datetime import timedelta

from core.clock import Clock
from core.identity import Identity
from core.subgraph import require_person
from subgraphs.order.cart_service import CartService
from subgraphs.order.carts import Cart, add_code, remove_code
from subgraphs.order.discount_problems import DiscountNotApplicable
from subgraphs.order.discount_repository import DiscountRepository
from subgraphs.order.discounts import MAX_CODES, CodeProblem, CodeRefusal, clean_code
from subgraphs.order.neighbours import Neighbours
from subgraphs.order.pricing import currency_of
from subgraphs.order.quoting import Quoter, order_lines

# Codes that do not exist; enough for typing errors. An account costs a guesser a mailbox, so ten an hour are little
MAX_GUESSES = 10
GUESS_WINDOW = timedelta(hours=1)
# Of what was typed, so much is told back
_SHOWN = 40


class CartCodes:
    """Applies codes to carts and removes them. *caller* is the verified identity."""

    def __init__(
        self,
        carts: CartService,
        discounts: DiscountRepository,
        quoter: Quoter,
        neighbours: Neighbours,
        clock: Clock,
    ) -> None:
        self._carts = carts
        self._discounts = discounts
        self._quoter = quoter
        self._neighbours = neighbours
        self._clock = clock

    async def apply(self, text: str, caller: Identity) -> Cart:
        """Have a code on the caller's cart.

        Raises:
            DiscountNotApplicable: why it does not apply to what is in the cart; the cart stays as it is.
            ProductUnavailable, BadUserInput: the cart cannot be priced.
        """
        owner_id, now = require_person(caller), self._clock.now()
        shown = text.strip()[:_SHOWN]
        # Counted before the look, or a thousand guesses at once would all be the first
        if await self._discounts.count_guess(owner_id, now=now, window=GUESS_WINDOW) > MAX_GUESSES:
            raise _refused(shown, CodeRefusal.TOO_MANY_ATTEMPTS)
        code = clean_code(text)
        found = {} if code is None else await self._discounts.find_by_codes([code])
        discount = None if code is None else found.get(code)
        if code is None or discount is None or now < discount.valid_from:
            raise _refused(shown, CodeRefusal.UNKNOWN)
        await self._discounts.take_back_guess(owner_id)
        cart = await self._carts.get_cart(caller)
        if cart is None:
            raise RuntimeError("a user always has a cart")
        if code not in cart.codes:
            await self._check_applies(cart, code)

        def add(cart: Cart) -> Cart:
            changed = add_code(cart, code)
            if len(changed.codes) > MAX_CODES:
                raise _refused(code, CodeRefusal.TOO_MANY_CODES)
            return changed

        return await self._carts.change(caller, None, add)

    async def remove(self, text: str, caller: Identity) -> Cart:
        """Take a code off the caller's cart; do nothing when it is not on it."""
        require_person(caller)
        code = clean_code(text)
        return await self._carts.change(caller, None, lambda cart: cart if code is None else remove_code(cart, code))

    async def _check_applies(self, cart: Cart, code: str) -> None:
        if len(cart.codes) >= MAX_CODES:
            raise _refused(code, CodeRefusal.TOO_MANY_CODES)
        products = await self._neighbours.find_products([line.product_id for line in cart.lines]) if cart.lines else {}
        lines = order_lines(cart.id, cart.lines, products)
        if lines:
            currency_of(lines)
        _, problems = await self._quoter.judge([*cart.codes, code], lines, buyer_id=cart.owner_id)
        for problem in problems:
            if problem.code == code:
                raise DiscountNotApplicable(problem)
        # It would push another one out
        if any(problem.refusal is CodeRefusal.NOT_COMBINABLE for problem in problems):
            raise _refused(code, CodeRefusal.NOT_COMBINABLE)


def _refused(code: str, refusal: CodeRefusal) -> DiscountNotApplicable:
    return DiscountNotApplicable(CodeProblem(code, refusal))
