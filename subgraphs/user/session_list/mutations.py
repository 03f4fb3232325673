"""Mutations about sessions."""

from typing import Annotated

import strawberry

from subgraphs.user.model import session_of
from subgraphs.user.session_list.types import SESSION_OWNER, RevokeSessionResult, Session
from subgraphs.user.types import OWN, UserContext


@strawberry.type
class SessionMutation:
    """Changes to sessions."""

    @strawberry.federation.mutation(authenticated=True, directives=SESSION_OWNER)
    async def revoke_session(
        self,
        info: strawberry.Info[UserContext, None],
        id: Annotated[strawberry.ID, strawberry.argument(description="The session; another's needs users:write.")],
    ) -> RevokeSessionResult:
        """End a session: log out a device. Its access tokens stop working within a minute."""
        context = info.context
        ended = await context.session_list.revoke_session(id, by=context.identity, origin=context.call.origin)
        if ended.id == session_of(context.identity.token_id):
            context.call.cookies.extend(context.cookies.remove())
        return Session.from_document(ended, viewer=context.identity)

    @strawberry.federation.mutation(authenticated=True, directives=OWN)
    async def logout_everywhere(
        self,
        info: strawberry.Info[UserContext, None],
        keep_current: Annotated[
            bool, strawberry.argument(description="Whether the session of this request goes on.")
        ] = False,
    ) -> int:
        """End all of one's own sessions, and return how many. Access tokens stop working within a minute."""
        context = info.context
        ended = await context.session_list.log_out_everywhere(
            keep_current=keep_current, by=context.identity, origin=context.call.origin
        )
        if not keep_current:
            context.call.cookies.extend(context.cookies.remove())
        return ended
