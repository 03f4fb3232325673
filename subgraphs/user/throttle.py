"""Slowing down whoever guesses: passwords, codes, tokens, and who has an account.

Every attempt passes gates. A gate counts attempts that did not succeed; from a certain number on each of them closes it
for 1, 2, 4 ... seconds, at most LONGEST_WAIT. An attempt is counted before it is known how it ends (it is *reserved*),
so that fifty guesses at the same moment are fifty counted guesses; one that succeeds gives its count back.

| gate    | counts attempts of                 | why                                                            |
|---------|------------------------------------|----------------------------------------------------------------|
| device  | one device that has logged in      | its owner mistypes, whatever strangers do at the same time     |
| pair    | one account from one network       | a stranger waits; others are not made to wait with them        |
| account | one account from anywhere          | ten thousand networks together still guess a few hundred times |
| network | one network, whatever the account  | one password tried on every account                            |

**No stranger locks anybody out.** Device cookies were chosen over "networks that the account was used from": people
move between networks, and thousands share one behind a carrier's gateway, where any of them could use up the owner's
attempts. A device that presents its token (devices.py) passes its own gate and no other. A device that is new to the
account has the pair gate to itself as long as the stranger is in another network; only when at least three networks
guess day and night (one alone comes to 111 attempts a day) does the account's gate slow new devices down, too. Known
devices still get in.

**Nothing tells whether an account exists.** Gates are keyed by the address that was typed, account or not. Admitting,
failing and refusing send the same commands in both cases, and an attempt that is refused computes no hash in either.

Counters are in MongoDB, one document each, changed by one atomic update: all processes count together. They disappear
by a TTL index. What is stored of an e-mail or network address is a keyed hash.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any

from pymongo import ASCENDING, IndexModel, ReturnDocument

from core.clock import Clock
from core.errors import RateLimited
from core.identity import ANONYMOUS
from core.mongo import Database, DuplicateKeyError, Row
from core.subgraph import Origin
from subgraphs.user.audit import AuditAction, AuditLog
from subgraphs.user.devices import Devices

THROTTLE = "throttle"
# By which MongoDB forgets counters
THROTTLE_INDEXES = [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)]

LONGEST_WAIT = timedelta(minutes=15)
# 2**20 seconds are far beyond LONGEST_WAIT; the exponent is bounded before the power
_LARGEST_EXPONENT = 20
# Two first attempts at the same moment may both try to insert the counter
_UPSERT_ATTEMPTS = 5
# When a gate that is open was closed. Not "now": two attempts at the same moment, or two machines whose clocks differ,
# reach the counter in any order, and the one that thinks it is earlier would find the gate closed
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class TooManyAttempts(RateLimited):
    """Whoever it was has to wait; whether there is such an account is not told."""

    code = "TOO_MANY_ATTEMPTS"


class AttemptKind(StrEnum):
    """What is attempted. Kinds are counted apart."""

    LOGIN = "LOGIN"
    PASSWORD_RESET = "PASSWORD_RESET"
    REFRESH = "REFRESH"
    REGISTER = "REGISTER"


@dataclass(frozen=True, slots=True)
class Limit:
    """The *free*-th attempt is the first that costs a wait.

    The count begins anew *window* after the first attempt, or where it is *sliding* after the latest one.
    """

    free: int
    window: timedelta
    sliding: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """The gates of one kind; None where it has none.

    With *counts_success* an attempt is never given back. Without *reserves* it is counted when it has failed only: two
    writes less for what succeeds nearly always and cannot be guessed.
    """

    device: Limit | None = None
    pair: Limit | None = None
    account: Limit | None = None
    network: Limit | None = None
    counts_success: bool = False
    reserves: bool = True


_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

POLICIES: Mapping[AttemptKind, Policy] = {
    AttemptKind.LOGIN: Policy(
        device=Limit(5, _DAY, sliding=True),
        pair=Limit(5, _DAY, sliding=True),
        account=Limit(300, _DAY),
        # Offices and dormitories share an address: a hundred failed logins an hour are still people
        network=Limit(100, _HOUR),
    ),
    # Each sends a message. Who is kept from asking again has the message that the earlier request sent
    AttemptKind.PASSWORD_RESET: Policy(account=Limit(4, _HOUR), network=Limit(30, _HOUR), counts_success=True),
    AttemptKind.REGISTER: Policy(account=Limit(60, _HOUR), network=Limit(30, _HOUR), counts_success=True),
    # Refresh tokens cannot be guessed; this spares the database those who try
    AttemptKind.REFRESH: Policy(network=Limit(100, _HOUR), reserves=False),
}


@dataclass(frozen=True, slots=True)
class _Passed:
    """A gate that let the attempt through as its *count*-th; *until* is how long it is closed since."""

    gate: str
    key: str
    limit: Limit
    count: int
    until: datetime


class Throttle:
    """Admits attempts, or refuses them for a while."""

    def __init__(self, database: Database, clock: Clock, devices: Devices, audit: AuditLog) -> None:
        self._counters = database[THROTTLE]
        self._clock = clock
        self._devices = devices
        self._audit = audit

    async def prepare(self) -> None:
        """Create the index by which MongoDB forgets counters."""
        await self._counters.create_indexes(THROTTLE_INDEXES)

    async def admit(
        self, kind: AttemptKind, subject: str, origin: Origin, *, device_token: str | None = None
    ) -> "Attempt":
        """Count an attempt at *subject* (an address in its one spelling, an account's id) and let it through.

        Tell the returned attempt how it ended. One that is never told counts as failed.

        Raises:
            TooManyAttempts: a gate is closed; nothing was counted.
        """
        now = self._clock.now()
        policy = POLICIES[kind]
        device_id = self._devices.recognise(device_token, subject, now=now) if policy.device else None
        passed: list[_Passed] = []
        for gate, limit, parts in _gates(policy, subject, network_of(origin.address), device_id):
            key = f"{kind.value}:{gate}:{self._devices.keys.digest('throttle', *parts)}"
            row = await (self._reserve(key, limit, now) if policy.reserves else self._look_at(key, now))
            if not row["admitted"]:
                for earlier in passed:
                    await self._give_back(earlier)
                wait_s = max(1, ceil((row["blocked_until"] - now).total_seconds()))
                raise TooManyAttempts(f"too many attempts; try again in {wait_s} s", retry_after_s=wait_s)
            passed.append(_Passed(gate, key, limit, row["count"], row["blocked_until"]))
        return Attempt(self, kind, origin, tuple(passed), now)

    async def note_failure(self, attempt: "Attempt", user_id: str | None) -> None:
        """Write what is worth knowing of a failed attempt to the audit log; see Attempt.failed."""
        passed = attempt.passed
        if not POLICIES[attempt.kind].reserves:
            passed = await self._count_now(attempt)
        if attempt.kind is AttemptKind.LOGIN and passed and _is_power_of_two(passed[0].count):
            await self._audit.record(
                AuditAction.LOGIN_FAILED,
                by=ANONYMOUS,
                user_id=user_id,
                origin=attempt.origin,
                details={"failures": passed[0].count, "counted_by": passed[0].gate},
            )
        await self._note_closed(attempt, passed, user_id)

    async def note_success(self, attempt: "Attempt") -> None:
        """Give back what *attempt* was counted; see Attempt.succeeded."""
        policy = POLICIES[attempt.kind]
        if policy.counts_success:
            await self._note_closed(attempt, attempt.passed, None)
            return
        for each in attempt.passed if policy.reserves else ():
            if each.limit.sliding:
                # Whoever has proven to be the owner begins anew
                await self._counters.delete_one({"_id": each.key})
            else:
                # Others count here, too: with an account of one's own one must not wipe out guesses at others
                await self._give_back(each)

    async def _note_closed(self, attempt: "Attempt", passed: tuple[_Passed, ...], user_id: str | None) -> None:
        for each in passed:
            if each.until > attempt.at:
                await self._audit.record(
                    AuditAction.TOO_MANY_ATTEMPTS,
                    by=ANONYMOUS,
                    user_id=user_id,
                    origin=attempt.origin,
                    details={
                        "kind": attempt.kind.value,
                        "counted_by": each.gate,
                        "failures": each.count,
                        "wait_s": int((each.until - attempt.at).total_seconds()),
                    },
                )

    async def _count_now(self, attempt: "Attempt") -> tuple[_Passed, ...]:
        rows = [(each, await self._reserve(each.key, each.limit, attempt.at)) for each in attempt.passed]
        return tuple(
            replace(each, count=row["count"], until=row["blocked_until"]) for each, row in rows if row["admitted"]
        )

    async def _look_at(self, key: str, now: datetime) -> Row:
        row = await self._counters.find_one({"_id": key, "expires_at": {"$gt": now}})
        if row is None:
            return {"count": 0, "blocked_until": _NEVER, "admitted": True}
        return {**row, "admitted": row["blocked_until"] <= now}

    async def _reserve(self, key: str, limit: Limit, now: datetime) -> Row:
        for attempt in range(_UPSERT_ATTEMPTS):
            try:
                row = await self._counters.find_one_and_update(
                    {"_id": key}, _reservation(limit, now), upsert=True, return_document=ReturnDocument.AFTER
                )
            except DuplicateKeyError:
                if attempt + 1 == _UPSERT_ATTEMPTS:
                    raise
            else:
                assert row is not None, "an upsert finds or makes one"
                return row
        raise AssertionError("unreachable")

    async def _give_back(self, passed: _Passed) -> None:
        less = {"$max": [0, {"$subtract": ["$count", 1]}]}
        # Opened again only if it was this attempt that closed it
        until = {"$cond": [{"$eq": ["$blocked_until", passed.until]}, _NEVER, "$blocked_until"]}
        await self._counters.update_one({"_id": passed.key}, [{"$set": {"count": less, "blocked_until": until}}])


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that was let through at *at*. Say how it ended, once."""

    throttle: Throttle
    kind: AttemptKind
    origin: Origin
    passed: tuple[_Passed, ...]
    at: datetime

    async def failed(self, *, user_id: str | None = None) -> None:
        """Leave it counted, and note it: LOGIN_FAILED, and TOO_MANY_ATTEMPTS for each gate that it has closed.

        Failed logins are noted at the 1st, 2nd, 4th, 8th ... of a counter, with the number: a flood of guesses leaves a
        handful of entries. *user_id* is the account that was meant, if there is one; it is told to nobody but the log.
        """
        await self.throttle.note_failure(self, user_id)

    async def succeeded(self) -> None:
        """Count it no longer, where its kind counts failures only."""
        await self.throttle.note_success(self)


def network_of(address: str) -> str:
    """Return what one client cannot change about its address: an IPv4 address, or the /64 of an IPv6 one.

    Whoever has one IPv6 address has the 2**64 beside it. Empty for what is no address.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), 64), strict=False))


def _gates(
    policy: Policy, subject: str, network: str, device_id: str | None
) -> list[tuple[str, Limit, tuple[str, ...]]]:
    if device_id is not None and policy.device is not None:
        return [("device", policy.device, ("device", subject, device_id))]
    gates: list[tuple[str, Limit, tuple[str, ...]]] = []
    if policy.pair is not None:
        gates.append(("pair", policy.pair, ("pair", subject, network)))
    if policy.account is not None:
        gates.append(("account", policy.account, ("account", subject)))
    # Where the address is not known, all clients would be one network, and anybody could close it for everybody
    if policy.network is not None and network:
        gates.append(("network", policy.network, ("network", network)))
    return gates


def _reservation(limit: Limit, now: datetime) -> list[dict[str, Any]]:
    """Return the update that counts one attempt if the gate is open, and says in `admitted` whether it was."""
    is_alive = {"$gt": ["$expires_at", now]}
    exponent = {"$min": [{"$subtract": ["$count", limit.free]}, _LARGEST_EXPONENT]}
    longest_ms = int(LONGEST_WAIT.total_seconds() * 1000)
    wait_ms = {"$min": [longest_ms, {"$multiply": [1000, {"$pow": [2, exponent]}]}]}
    closes = {"$and": ["$admitted", {"$gte": ["$count", limit.free]}]}
    return [
        # Begin anew where there was nothing, or where its time is over
        {
            "$set": {
                "count": {"$cond": [is_alive, "$count", 0]},
                "blocked_until": {"$cond": [is_alive, "$blocked_until", _NEVER]},
                "expires_at": {"$cond": [is_alive, "$expires_at", now + limit.window]},
            }
        },
        {"$set": {"admitted": {"$lte": ["$blocked_until", now]}}},
        {"$set": {"count": {"$add": ["$count", {"$cond": ["$admitted", 1, 0]}]}}},
        {
            "$set": {
                "blocked_until": {"$cond": [closes, {"$add": [now, wait_ms]}, "$blocked_until"]},
                "expires_at": {"$cond": ["$admitted", now + limit.window, "$expires_at"]}
                if limit.sliding
                else "$expires_at",
            }
        },
    ]


def _is_power_of_two(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0
