"""What people do about their sessions: see them, and end those that they do not want."""

from core.errors import NotFound
from core.identity import Identity
from core.mongo import Session, in_transaction
from core.scopes import USERS_WRITE
from core.subgraph import UNKNOWN_ORIGIN, Origin, Runtime, require_person, require_scopes
from subgraphs.user.audit import AuditAction, AuditLog
from subgraphs.user.documents import SessionDocument
from subgraphs.user.model import session_of
from subgraphs.user.session_repository import SessionRepository
from subgraphs.user.sessions import EndReason, Sessions


class SessionList:
    """The use cases about a person's sessions; each checks who is asking."""

    def __init__(self, runtime: Runtime, sessions: Sessions) -> None:
        self._client = runtime.client
        self._clock = runtime.clock
        self._repository = SessionRepository(runtime.database)
        self._audit = AuditLog(runtime.database, runtime.clock)
        self._sessions = sessions

    async def list_sessions(self, user_id: str | None, *, by: Identity) -> list[SessionDocument]:
        """Return the living sessions of *user_id*, or the caller's own, newest first.

        Raises:
            Forbidden: they are somebody else's, and the caller lacks users:write.
        """
        own_id = require_person(by)
        if user_id not in (None, own_id):
            require_scopes(by, USERS_WRITE)
        return await self._repository.find_living_of(user_id or own_id, now=self._clock.now())

    async def revoke_session(
        self, session_id: str, *, by: Identity, origin: Origin = UNKNOWN_ORIGIN
    ) -> SessionDocument:
        """End a session and return it. Its access tokens are refused everywhere within a minute.

        Raises:
            NotFound: no session with this id lives, or it is somebody else's and the caller lacks users:write.
        """
        own_id = require_person(by)
        await self._sessions.require_living(by)
        refusal = NotFound(f"there is no session {session_id}")
        found = await self._repository.find_session(session_id)
        if found is None or (found.user_id != own_id and not by.has_scopes(USERS_WRITE)):
            raise refusal
        ended = await self._sessions.end_one(
            session_id, found.user_id, EndReason.REVOKED, AuditAction.SESSION_REVOKED, by=by, origin=origin
        )
        if not ended:
            raise refusal
        return found

    async def log_out_everywhere(self, *, keep_current: bool, by: Identity, origin: Origin = UNKNOWN_ORIGIN) -> int:
        """End all of the caller's sessions, or all but the present one; return how many there were."""
        user_id = require_person(by)
        await self._sessions.require_living(by)
        kept = session_of(by.token_id) if keep_current else None

        async def work(session: Session) -> int:
            ended = await self._sessions.revoke_sessions_of(
                user_id, EndReason.LOGOUT_EVERYWHERE, except_session=kept, session=session
            )
            if ended:
                await self._audit.record(
                    AuditAction.LOGGED_OUT_EVERYWHERE,
                    by=by,
                    user_id=user_id,
                    origin=origin,
                    details={"sessions": ended, "kept_current": keep_current},
                    session=session,
                )
            return ended

        return await in_transaction(self._client, work)
