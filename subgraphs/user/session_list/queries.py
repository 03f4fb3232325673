"""Root queries about sessions."""

from typing import Annotated

import strawberry

from subgraphs.user.session_list.types import SESSION_OWNER, Session
from subgraphs.user.types import UserContext


@strawberry.type
class SessionQuery:
    """Reads about sessions."""

    @strawberry.federation.field(authenticated=True, directives=SESSION_OWNER)
    async def sessions(
        self,
        info: strawberry.Info[UserContext, None],
        user_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Whose; one's own unless told. Others' need users:write."),
        ] = None,
    ) -> list[Session]:
        """Where somebody is logged in, newest first, at most 200."""
        identity = info.context.identity
        found = await info.context.session_list.list_sessions(user_id, by=identity)
        return [Session.from_document(document, viewer=identity) for document in found]
