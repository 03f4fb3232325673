"""Why each index is there: the query that it serves, or the rule that it keeps.

An index costs every write and a share of the cache, so one without a reason is one too many. A test compares this list
with the definitions, in both directions.
"""

from collections.abc import Mapping

_FORGETS = "TTL: MongoDB forgets rows that are over by itself"

#: Of every subgraph, by collection and index.
OF_ALL: Mapping[str, Mapping[str, str]] = {
    "inbox": {"at_1": "TTL: an event's mark is forgotten long after its last possible redelivery"},
    "outbox": {
        "due_at_1": "the relay takes what is due, oldest first; partial, so it is as small as the backlog",
        "claimed_1": "the relay finds what a dead worker had claimed; partial, so it holds only events under way",
        "delivered_at_1": "TTL: delivered events are forgotten after the retention",
    },
}

#: By subgraph, collection and index.
REASONS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "inventory": {
        "movements": {
            "by_product": "a product's ledger, page by page",
            "by_order": "what an order reserved, sold and gave back; partial: most movements have no order",
            "idempotency_key": "unique: an adjustment that is sent twice is made once",
        },
        "reservations": {
            "held_by_expiry": "reservations whose time is over; partial: only those still held",
            "held_by_product": "what of a product is held, to be checked, and to lapse when somebody else wants it",
        },
        "stock_alerts": {
            "open": "what runs low now, the latest first, page by page",
            "by_product": "whether a product's alert is open already, and which are over",
            "at_1": "TTL: alerts that are over are forgotten after a year; partial: never one that is open",
        },
        "stock_waits": {
            "by_product": "who waits for a product that is back",
            "by_user": "what a user waits for, the latest first",
        },
        "stock_returns": {"by_time": "products that are back, whose waiters are still to be told"},
        "warehouses": {
            "code": "unique: people call a warehouse by its code",
            "by_priority": "warehouses in the order in which they give",
        },
        "stock_levels": {"by_available": "what runs low, least first, page by page"},
    },
    "order": {
        "orders": {
            "number": "unique: people read the number out, and it must lead to one order",
            "number_lookup": "the same where orders are sharded, which cannot be unique there",
            "shard_key": "where orders are sharded: what they are distributed by (pasar db shard-plan)",
            "buyer": "a buyer's orders, newest first, page by page",
            "newest": "all orders, newest first; and the rollup's rebuild, day by day",
            "status": "the work lists of the store: what is to be packed, shipped, and so on",
            "changed": "the order feed: what changed since a moment, oldest first",
            "changed_of_buyer": "the same, of one buyer",
            "report": "reports by aggregation, covered: status and currency first, the range of dates, then all that is"
            " summed up",
            "product_newest": "the orders of a product, newest first; its reports, and the rests of its rollup",
            "expire_due": "unpaid orders whose time is over; partial: only unpaid ones have the field",
            "attention": "orders that a person must look at; partial: only they have the field",
        },
        "carts": {
            "expires_at": f"{_FORGETS}; only guests' carts have the field",
            "abandoned": "carts that nobody comes back to, to be announced; partial: it ends with the announcement",
        },
        "code_guesses": {"expires_at": _FORGETS},
        "discounts": {"code": "unique: buyers enter it, and it must lead to one discount"},
        "checkouts": {
            "key": "unique: a checkout that is sent twice is one order",
            "due": "checkouts that were cut short, for the recovery job; partial: only unfinished ones have the field",
        },
        "erased_buyers": {"due": "buyers whose orders are to be looked at again"},
        "order_totals": {
            "day": "the buckets of a day, to be reconciled with its orders; partial: months have no day",
            "month": "the rows of a month, to be reconciled with its days; partial: only months have the field",
        },
        "product_totals": {
            "day": "the products' buckets of a day, to be reconciled; partial: months have no day",
            "month": "the products' rows of a month, to be reconciled; partial: only months have the field",
        },
        "category_totals": {
            "day": "the categories' buckets of a day, to be reconciled; partial: months have no day",
            "month": "the categories' rows of a month, to be reconciled; partial: only months have the field",
        },
        "outbox": {
            "change": "changes of sums that are not folded yet, for the months of a report and the days of a repair;"
            " partial: they are there for about a second",
        },
    },
    "payment": {
        "payments": {
            "order": "unique: an order is paid for once, whoever opens the payment how often",
            "reference": "unique: a gateway's notification leads to one payment, by any name it ever had",
            "buyer": "the payments of a buyer who exports or erases an account",
            "newest": "all payments, newest first, page by page",
            "status": "payments in one status, newest first, page by page",
            "check_due": "payments that the gateway has to be asked about; partial: only open ones have the field",
        },
        "refunds": {
            "key": "unique: a refund that is asked for twice is made once; the refunds of a payment",
            "due": "refunds whose outcome is not known; partial: only these have the field",
        },
        "notifications": {"at": "TTL: gateways repeat themselves for hours, not for a month"},
        "mails": {
            "due": "mail to be sent; partial: sent ones have no such field",
            "sent": "TTL: sent mail is forgotten after a month",
        },
    },
    "product": {
        "categories": {
            "slug": "unique: a category's address",
            "by_name": "all categories by name",
            "path": "a category with all below it, to be moved or to have its products filed anew",
        },
        "image_uploads": {
            "token": "unique: a URL takes one picture",
            "product": "a product's uploads under way, of which there are only so many",
            "age": "uploads that were given up, the oldest first",
        },
        "price_lists": {
            "spreading": "lists whose end their products still have to be told; partial: only those",
        },
        "products": {
            "sku": "unique: the store's own name of a product",
            "slug": "unique: a product's address",
            "next_change": "products whose price or status changes by itself now",
            "price_list": "the products of a price list that ends",
            "picture": "which products have a picture, before it is deleted; partial: only those that have any",
            "category": "the products of a category that has moved, to be filed anew in order of their ids",
            "variants": "unique: of one product no two variants have the same choices; partial: only variants",
            "all_newest": "products of a status, newest first, page by page",
            "all_price": "products of a status by price, page by page",
            "all_name": "products of a status by name, page by page",
            "all_facets": "counts of all products of a status, covered",
            "filtered_newest": "a category with all below it, an attribute's value or what is in stock, newest first",
            "filtered_price": "the same by price, page by page",
            "filtered_name": "the same by name, page by page",
            "filtered_facets": "counts of the same, covered",
            "words_of_list": "search by the beginning of a word, and how a word that is being typed may go on",
            "text": "search by whole words, the name before the description",
        },
    },
    "sync": {
        "runs": {
            "schedule_id_1__id_-1": "the runs of a schedule, newest first",
            "one_running": "unique and partial: a schedule runs once at a time, whoever starts it",
            "due_at_1": "runs whose worker went silent; partial: only running ones",
        },
        "schedules": {
            "owner_id_1__id_1": "a person's schedules, page by page",
            "next_run_at_1": "schedules that are due; partial: only enabled ones",
        },
    },
    "user": {
        "audit_entries": {
            "newest": "the log, newest first, page by page",
            "by_user_id": "what happened to an account, newest first",
            "by_actor_id": "what somebody did, newest first",
            "by_action": "who did this, newest first",
            "retention": "TTL: entries are forgotten after PASAR_AUDIT_RETENTION_DAYS",
        },
        "data_export_parts": {"user_id_1": "the parts of a person's export", "expires_at_1": _FORGETS},
        "data_exports": {
            "due_at_1": "exports to be collected; partial: only those under way",
            "expires_at_1": _FORGETS,
        },
        "letter_allowances": {"expires_at_1": _FORGETS},
        "letters": {
            "due_at_1": "letters to be sent, oldest first",
            "user_id_1": "letters to an account that is erased",
            "email_key_1": "letters to an address, of which only so many are sent",
        },
        "login_challenges": {
            "user_id_1": "challenges of an account, ended with its second factor",
            "expires_at_1": _FORGETS,
        },
        "mail_tokens": {
            "token_hash_1": "unique: a token leads to one account",
            "user_id_1": "tokens of an account, ended with its password",
            "expires_at_1": _FORGETS,
        },
        "refresh_tokens": {
            "session_id_1": "tokens of a session, ended with it",
            "expires_at_1": _FORGETS,
        },
        "registrations": {
            "email_key_1__id_-1": "attempts to register an address, newest first",
            "token_hash_1": "unique and partial: the token of a letter leads to one attempt",
            "letter_wanted_1": "attempts that wait for another letter; partial: only those",
            "expires_at_1": _FORGETS,
        },
        "revocations": {
            "at_1": "revocations since a moment, for routers that follow the list",
            "until_1": _FORGETS,
        },
        "sessions": {
            "user_id_1_created_at_-1": "a person's sessions, newest first",
            "expires_at_1": _FORGETS,
        },
        "throttle": {"expires_at_1": _FORGETS},
        "users": {
            "email_key_1": "unique: an address has one account, however it is spelled",
            "search_keys_1": "staff finds accounts by the beginning of a name or an address",
            "roles_1": "who holds a role that is deleted; who is left to administer",
        },
    },
}


def reason_of(subgraph: str, collection: str, index: str) -> str | None:
    """Return why an index is there; None when nobody has said."""
    return REASONS.get(subgraph, {}).get(collection, {}).get(index) or OF_ALL.get(collection, {}).get(index)
