"""GraphQL types of sessions."""

from typing import Annotated, TypeAlias

import strawberry

from core.identity import Identity
from core.scopes import USERS_WRITE
from schema.ownership import Owned
from schema.problems import NotFoundProblem
from schema.scalars import DateTime
from subgraphs.user.documents import SessionDocument
from subgraphs.user.model import session_of
from subgraphs.user.types import TokenTransport
from subgraphs.user.user_agents import describe_device

# Of the user, for the user, and for those who may end it
SESSION_OWNER = [Owned(by="self", or_scopes=[USERS_WRITE])]


@strawberry.type(description="A login that goes on, on one device.")
class Session:
    id: strawberry.ID = strawberry.field(description="Identifier.")
    device: str = strawberry.field(
        description='What it runs on, such as "Firefox on Windows", as the client says.', directives=SESSION_OWNER
    )
    address: str = strawberry.field(
        description="Network address that it was used from last; empty if unknown.", directives=SESSION_OWNER
    )
    transport: TokenTransport = strawberry.field(
        description="How the client carries its tokens.", directives=SESSION_OWNER
    )
    created_at: DateTime = strawberry.field(description="When it was opened.", directives=SESSION_OWNER)
    last_seen_at: DateTime = strawberry.field(
        description="When its tokens were last renewed: every few minutes.", directives=SESSION_OWNER
    )
    is_current: bool = strawberry.field(description="Whether this request belongs to it.", directives=SESSION_OWNER)

    @classmethod
    def from_document(cls, document: SessionDocument, *, viewer: Identity) -> "Session":
        return cls(
            id=strawberry.ID(document.id),
            device=describe_device(document.user_agent),
            address=document.address,
            transport=TokenTransport[document.transport],
            created_at=DateTime(document.created_at),
            last_seen_at=DateTime(document.last_used_at),
            is_current=document.id == session_of(viewer.token_id),
        )


RevokeSessionResult: TypeAlias = Annotated[
    Session | NotFoundProblem,
    strawberry.union("RevokeSessionResult", description="The session that has ended, or why none has."),
]
