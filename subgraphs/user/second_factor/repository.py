"""The MongoDB queries about second factors and challenges. Each guard is in its filter."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from core.mongo import Database, Row, Session, find_one_and_update
from subgraphs.user.second_factor.documents import ChallengeDocument, SecondFactorDocument

# Wrong codes of an account that cost nothing; each further one doubles the wait for the next, from a minute to an hour
FREE_TRIES = 10
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT_DOUBLINGS = 6


class SecondFactorRepository:
    """Second factors and challenges in one database."""

    def __init__(self, database: Database) -> None:
        self._factors = database["second_factors"]
        self._challenges = database["login_challenges"]

    async def find(self, user_id: str, *, session: Session | None = None) -> SecondFactorDocument | None:
        """Return the factor of an account, confirmed or not."""
        return await SecondFactorDocument.find_one({"_id": user_id}, session=session)

    async def put_unconfirmed(self, factor: SecondFactorDocument, *, session: Session) -> bool:
        """Store a factor to be confirmed, in the place of an older one; return False if the account has one already."""
        row = factor.model_dump(exclude={"id"})
        # Not an upsert: beside a confirmed factor it would try to insert a second one
        if await self._factors.find_one({"_id": factor.id, "confirmed_at": {"$ne": None}}, {"_id": 1}, session=session):
            return False
        await self._factors.replace_one({"_id": factor.id}, row, upsert=True, session=session)
        return True

    async def confirm(
        self, user_id: str, sealed_secret: str, counter: int, digests: Sequence[str], *, now: datetime, session: Session
    ) -> bool:
        """Make the factor with this secret the account's; return False if it is another one, or confirmed already."""
        result = await self._factors.update_one(
            {"_id": user_id, "sealed_secret": sealed_secret, "confirmed_at": None},
            {"$set": {"confirmed_at": now, "last_counter": counter, "recovery_digests": list(digests)}},
            session=session,
        )
        return result.modified_count == 1

    async def claim_try(self, user_id: str, *, now: datetime) -> SecondFactorDocument | None:
        """Count a code that is about to be tried and return the factor; None while the account has to wait.

        Counted first, and forgiven if it was right: otherwise codes tried at the same moment would all be free.
        """
        waits = {"$pow": [2, {"$min": [{"$subtract": ["$tries", FREE_TRIES]}, LONGEST_WAIT_DOUBLINGS]}]}
        wait_ms = {"$multiply": [int(FIRST_WAIT.total_seconds() * 1000), waits]}
        return await find_one_and_update(
            SecondFactorDocument,
            {
                "_id": user_id,
                "confirmed_at": {"$ne": None},
                "$or": [{"blocked_until": None}, {"blocked_until": {"$lte": now}}],
            },
            [
                {"$set": {"tries": {"$add": ["$tries", 1]}}},
                {
                    "$set": {
                        "blocked_until": {"$cond": [{"$gte": ["$tries", FREE_TRIES]}, {"$add": [now, wait_ms]}, None]}
                    }
                },
            ],
        )

    async def use_counter(
        self, user_id: str, counter: int, changes: dict[str, Any], *, session: Session
    ) -> SecondFactorDocument | None:
        """Use up the code of a time step, and all earlier ones; None if one of it was used before."""
        query: Row = {"_id": user_id, "confirmed_at": {"$ne": None}, "last_counter": {"$lt": counter}}
        update = {"$set": {"last_counter": counter, **_FORGIVEN, **changes}}
        return await find_one_and_update(SecondFactorDocument, query, update, session=session)

    async def use_recovery_code(
        self, user_id: str, digests: Sequence[str], *, session: Session
    ) -> SecondFactorDocument | None:
        """Use up a recovery code by its hashes; None if there is none with any of them."""
        query: Row = {"_id": user_id, "confirmed_at": {"$ne": None}, "recovery_digests": {"$in": list(digests)}}
        update = {"$pull": {"recovery_digests": {"$in": list(digests)}}, "$set": _FORGIVEN}
        return await find_one_and_update(SecondFactorDocument, query, update, session=session)

    async def replace_recovery_codes(self, user_id: str, digests: Collection[str], *, session: Session) -> None:
        """Store the hashes of new recovery codes; the old ones are worth nothing any more."""
        await self._factors.update_one({"_id": user_id}, {"$set": {"recovery_digests": list(digests)}}, session=session)

    async def delete_of(self, user_id: str, *, session: Session) -> bool:
        """Remove everything that is stored here of an account; return whether it had a confirmed factor."""
        await self._challenges.delete_many({"user_id": user_id}, session=session)
        removed = await self._factors.find_one_and_delete({"_id": user_id}, session=session)
        return removed is not None and removed["confirmed_at"] is not None

    async def insert_challenge(self, challenge: ChallengeDocument) -> None:
        """Add a challenge."""
        await challenge.insert()

    async def find_challenge(self, challenge_hash: str, *, most_tries: int, now: datetime) -> ChallengeDocument | None:
        """Return a challenge that can still be met."""
        return await ChallengeDocument.find_one(_open_challenge(challenge_hash, most_tries, now))

    async def claim_challenge_try(self, challenge_hash: str, *, most_tries: int, now: datetime) -> bool:
        """Count a code that is about to be tried; return False if the challenge is over."""
        result = await self._challenges.update_one(
            _open_challenge(challenge_hash, most_tries, now), {"$inc": {"tries": 1}}
        )
        return result.modified_count == 1

    async def use_challenge(self, challenge_hash: str, *, now: datetime, session: Session) -> bool:
        """Use up a challenge; return False if it was used before."""
        result = await self._challenges.update_one(
            {"_id": challenge_hash, "used_at": None}, {"$set": {"used_at": now}}, session=session
        )
        return result.modified_count == 1


_FORGIVEN: Row = {"tries": 0, "blocked_until": None}


def _open_challenge(challenge_hash: str, most_tries: int, now: datetime) -> Row:
    return {"_id": challenge_hash, "used_at": None, "tries": {"$lt": most_tries}, "expires_at": {"$gt": now}}
