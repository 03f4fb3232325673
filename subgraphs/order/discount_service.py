"""What staff does with discounts. Each use case is one transaction, with its note for the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.audit import announce_privileged
from core.clock import Clock
from core.errors import BadUserInput, Conflict, NotFound
from core.identity import Identity
from core.ids import new_id
from core.money import Money
from core.mongo import Client, Database, DuplicateKeyError, Row, Session, in_transaction
from core.paging import Page, PageRequest
from core.scopes import DISCOUNTS_WRITE
from core.subgraph import require_scopes
from subgraphs.order.discount_repository import DiscountRepository
from subgraphs.order.discounts import Discount, DiscountKind, check_discount


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDiscount:
    """What a new discount is made of; see discounts.Discount. *valid_from* None is now."""

    code: str
    name: str
    kind: DiscountKind
    rate: int | None = None
    amount: int | None = None
    currency: str | None = None
    minimum_subtotal: int | None = None
    product_ids: tuple[str, ...] = ()
    category_ids: tuple[str, ...] = ()
    is_stackable: bool = False
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    usage_limit: int | None = None
    usage_limit_per_buyer: int | None = None


#: What of a discount can be changed: what it takes off, and its code, are promised. *minimum* is Money, or None.
CHANGEABLE = frozenset(
    {
        *("name", "minimum", "product_ids", "category_ids", "is_stackable"),
        *("valid_from", "valid_until", "usage_limit", "usage_limit_per_buyer"),
    }
)


class DiscountService:
    """The use cases. *by* is the verified identity behind the request."""

    def __init__(self, client: Client, database: Database, clock: Clock, discounts: DiscountRepository) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self._discounts = discounts

    async def list_discounts(self, page: PageRequest, *, by: Identity) -> Page[Row]:
        """Return a page of all discounts, newest first."""
        require_scopes(by, DISCOUNTS_WRITE)
        return await self._discounts.find_discounts_page(page)

    async def find_discount(self, code: str, *, by: Identity) -> Discount | None:
        """Return the discount that has this code."""
        require_scopes(by, DISCOUNTS_WRITE)
        code = code.strip().upper()
        return (await self._discounts.find_by_codes([code])).get(code)

    async def create_discount(self, new: NewDiscount, *, by: Identity) -> Discount:
        """Add a discount.

        Raises:
            BadUserInput: a field is not valid.
            Conflict: the code is taken.
        """
        require_scopes(by, DISCOUNTS_WRITE)
        now = self._clock.now()
        discount = Discount(
            id=new_id("dsc"),
            code=new.code.strip().upper(),
            name=" ".join(new.name.split()),
            kind=new.kind,
            rate=new.rate,
            amount=new.amount,
            currency=new.currency,
            minimum_subtotal=new.minimum_subtotal,
            product_ids=_distinct(new.product_ids),
            category_ids=_distinct(new.category_ids),
            is_stackable=new.is_stackable,
            valid_from=new.valid_from or now,
            valid_until=new.valid_until,
            usage_limit=new.usage_limit,
            usage_limit_per_buyer=new.usage_limit_per_buyer,
            created_at=now,
        )
        check_discount(discount)

        async def work(session: Session) -> None:
            await self._discounts.insert_discount(discount, session=session)
            await self._note("DISCOUNT_CREATED", discount, by=by, now=now, session=session)

        try:
            await in_transaction(self._client, work)
        except DuplicateKeyError:
            raise Conflict(f"there is a discount {discount.code} already") from None
        return discount

    async def change_discount(self, discount_id: str, changes: Mapping[str, Any], *, by: Identity) -> Discount:
        """Change fields of a discount, among CHANGEABLE; orders that use it stay as they are.

        A limit below what is used already is taken: nobody uses it any more.

        Raises:
            BadUserInput: a field is not valid.
            NotFound: there is no such discount.
        """
        require_scopes(by, DISCOUNTS_WRITE)
        if not changes.keys() <= CHANGEABLE:
            raise RuntimeError(f"not to be changed: {sorted(changes.keys() - CHANGEABLE)}")
        if changes.get("valid_from", ...) is None:
            raise BadUserInput("a discount holds from some moment on", field="validFrom")
        if changes.get("is_stackable", ...) is None:
            raise BadUserInput("a discount is stackable or it is not", field="isStackable")
        return await self._change("DISCOUNT_CHANGED", discount_id, changes, by=by)

    async def end_discount(self, discount_id: str, *, by: Identity) -> Discount:
        """Let a discount end now; one that is over stays as it is, and one that has not begun never begins.

        Raises:
            NotFound: there is no such discount.
        """
        require_scopes(by, DISCOUNTS_WRITE)
        return await self._change("DISCOUNT_ENDED", discount_id, None, by=by)

    async def _change(
        self, action: str, discount_id: str, changes: Mapping[str, Any] | None, *, by: Identity
    ) -> Discount:
        now = self._clock.now()

        async def work(session: Session) -> Discount:
            before = await self._discounts.find_discount(discount_id, session=session)
            if before is None:
                raise NotFound(f"there is no discount {discount_id}")
            wanted = _cleaned(changes, before) if changes is not None else _ending(before, now)
            after = replace(before, **wanted)
            if after == before:
                return before
            if changes is not None:
                check_discount(after)
            set_ = {name: list(value) if isinstance(value, tuple) else value for name, value in wanted.items()}
            changed = await self._discounts.change_discount(discount_id, set_, now=now, session=session)
            await self._note(action, changed, by=by, now=now, session=session)
            return changed

        return await in_transaction(self._client, work)

    async def _note(self, action: str, discount: Discount, *, by: Identity, now: datetime, session: Session) -> None:
        await announce_privileged(
            self._database,
            action,
            discount.id,
            actor_id=by.subject,
            now=now,
            session=session,
            details={"code": discount.code},
        )


def _ending(discount: Discount, now: datetime) -> dict[str, Any]:
    if discount.valid_until is not None and discount.valid_until <= now:
        return {}
    return {"valid_until": now}


def _cleaned(changes: Mapping[str, Any], discount: Discount) -> dict[str, Any]:
    cleaned = dict(changes)
    if "minimum" in cleaned:
        minimum: Money | None = cleaned.pop("minimum")
        cleaned["minimum_subtotal"] = None if minimum is None else minimum.amount
        if minimum is not None:
            if discount.currency not in (None, minimum.currency):
                raise BadUserInput(f"this discount is in {discount.currency}", field="minimumSubtotal")
            cleaned["currency"] = minimum.currency
    if "name" in cleaned:
        cleaned["name"] = " ".join((cleaned["name"] or "").split())
    for name in ("product_ids", "category_ids"):
        if name in cleaned:
            cleaned[name] = _distinct(cleaned[name] or ())
    return cleaned


def _distinct(ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))
