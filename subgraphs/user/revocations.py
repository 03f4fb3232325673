"""The list of access tokens that are refused before they expire, for routers; router/revocations.py reads it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.clock import Clock
from core.mongo import Database
from core.peers import ASSERTION_HEADER
from core.settings import Settings
from core.tokens import REVOCATIONS_AUDIENCE, AssertionVerifier, InvalidToken
from subgraphs.user.session_repository import SessionRepository

REVOCATIONS_PATH = "/internal/revocations"

# A revocation bears the time at which its transaction began, and is seen once that has been committed: MongoDB lets a
# transaction last for a minute, and two machines' clocks may differ. So each answer goes back by more than both
SETTLING = timedelta(minutes=2)


class RevocationList:
    """Reads the list from a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._repository = SessionRepository(database)
        self._clock = clock

    async def read(self, since: str) -> dict[str, Any]:
        """Return what has been revoked since an earlier answer's `asOf`, or all that still matters if it is empty.

        Raises:
            ValueError: *since* is not from an earlier answer.
        """
        now = self._clock.now()
        asked = None if not since else datetime.fromtimestamp(int(since) / 1000, UTC) - SETTLING
        rows = await self._repository.find_revocations(asked, now=now)
        revoked = [{"session": row["_id"], "before": row["before"], "until": row["until"].timestamp()} for row in rows]
        return {"asOf": str(int(now.timestamp() * 1000)), "revoked": revoked}


def revocations_route(revocations: RevocationList, settings: Settings, clock: Clock) -> Route:
    """Return the route that hands out the list to whoever holds the installation's secret."""
    verifier = AssertionVerifier(settings.internal_secret.get_secret_value().encode(), REVOCATIONS_AUDIENCE)

    async def publish(request: Request) -> Response:
        try:
            verifier.verify(request.headers.get(ASSERTION_HEADER, ""), now=clock.now())
        except InvalidToken:
            return JSONResponse({"error": "this is for the store's routers"}, status_code=401)
        try:
            page = await revocations.read(request.query_params.get("since", ""))
        except (ValueError, OverflowError):
            return JSONResponse({"error": "since is not from an earlier answer"}, status_code=400)
        return JSONResponse(page, headers={"cache-control": "no-store"})

    return Route(REVOCATIONS_PATH, publish, methods=["GET"])
