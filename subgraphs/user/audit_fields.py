"""The audit log in the graph."""

from typing import Annotated

import strawberry

from core.paging import read_page_request
from core.scopes import AUDIT_READ
from schema.pagination import After, Before, Connection, First, Last, connection_arguments
from schema.scalars import DateTime
from subgraphs.user.audit import AuditEntry as Entry
from subgraphs.user.audit import AuditFilter
from subgraphs.user.types import User, UserContext


@strawberry.type(description="A detail of an entry.")
class AuditDetail:
    """A name with its value."""

    name: str = strawberry.field(description="What it is, such as scopes.")
    value: str = strawberry.field(description="Its value as text.")


@strawberry.federation.type(requires_scopes=[[AUDIT_READ]], description="Something that was done, and by whom.")
class AuditEntry:
    """A row of the log in the graph."""

    id: strawberry.ID = strawberry.field(description="Identifier.")
    at: DateTime = strawberry.field(description="When.")
    action: str = strawberry.field(description="What, such as ROLES_CHANGED; docs/users.md lists them.")
    actor_id: strawberry.ID | None = strawberry.field(
        description="Who did it: an account, `service:<name>`, or null for somebody who was not logged in."
    )
    user_id: strawberry.ID | None = strawberry.field(description="The account that it was done to, if it was one.")
    target: strawberry.ID | None = strawberry.field(
        description="What it was done to, if that is no account: a product, an order, the name of a role."
    )
    address: str | None = strawberry.field(description="Network address of the client, where it is known.")
    user_agent: str | None = strawberry.field(description="What the client's program calls itself.")
    details: list[AuditDetail] = strawberry.field(description="What else there is to know.")

    @strawberry.field(description="The account that did it; null if there is none of this id.")
    async def actor(self, info: strawberry.Info[UserContext, None]) -> User | None:
        """Look the actor up."""
        return await _find_user(info.context, self.actor_id)

    @strawberry.field(description="The account that it was done to; null if there is none.")
    async def user(self, info: strawberry.Info[UserContext, None]) -> User | None:
        """Look the account up."""
        return await _find_user(info.context, self.user_id)

    @classmethod
    def from_entry(cls, entry: Entry) -> "AuditEntry":
        """Show *entry*."""
        return cls(
            id=strawberry.ID(entry.id),
            at=DateTime(entry.at),
            action=entry.action,
            actor_id=None if entry.actor_id is None else strawberry.ID(entry.actor_id),
            user_id=None if entry.user_id is None else strawberry.ID(entry.user_id),
            target=None if entry.target is None else strawberry.ID(entry.target),
            address=entry.address or None,
            user_agent=entry.user_agent or None,
            details=[AuditDetail(name=name, value=_show(value)) for name, value in sorted(entry.details.items())],
        )


@strawberry.input(description="Which entries; what is not given does not matter.")
class AuditLogFilter:
    """AuditFilter as an input."""

    action: str | None = strawberry.field(default=None, description="Of this action.")
    actor_id: strawberry.ID | None = strawberry.field(default=None, description="Done by this account or service.")
    user_id: strawberry.ID | None = strawberry.field(default=None, description="Done to this account.")
    from_: DateTime | None = strawberry.field(default=None, name="from", description="Done then or later.")
    to: DateTime | None = strawberry.field(default=None, description="Done before then.")

    def to_filter(self) -> AuditFilter:
        """Return the log's filter."""
        return AuditFilter(self.action, self.actor_id, self.user_id, self.from_, self.to)


@strawberry.type
class AuditQuery:
    """Reads of the audit log."""

    @strawberry.federation.field(requires_scopes=[[AUDIT_READ]])
    async def audit_log(
        self,
        info: strawberry.Info[UserContext, None],
        filter: Annotated[AuditLogFilter | None, strawberry.argument(description="Which; all if not given.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AuditEntry]:
        """What was done by staff and around accounts, newest first."""
        page = await info.context.service.list_audit_entries(
            filter.to_filter() if filter is not None else AuditFilter(),
            read_page_request(first, after, last, before),
            by=info.context.identity,
        )
        return Connection(**connection_arguments(page, AuditEntry.from_entry))


async def _find_user(context: UserContext, user_id: str | None) -> User | None:
    profile = None if user_id is None else await context.profiles.load(user_id)
    return None if profile is None else User.from_profile(profile, viewer=context.identity)


def _show(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
