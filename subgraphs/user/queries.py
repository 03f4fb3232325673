"""Root queries of the user subgraph."""

from typing import Annotated

import strawberry

from core.paging import read_page_request
from core.scopes import USERS_READ
from schema.pagination import After, Before, Connection, First, Last, connection_arguments
from subgraphs.user.accounts.queries import AccountQueries
from subgraphs.user.model import AccountStatus
from subgraphs.user.second_factor.queries import SecondFactorQuery
from subgraphs.user.session_list.queries import SessionQuery
from subgraphs.user.types import SELF, User, UserContext


@strawberry.type
class Query(AccountQueries, SessionQuery, SecondFactorQuery):
    """Reads about accounts."""

    @strawberry.field(directives=SELF)
    async def me(self, info: strawberry.Info[UserContext, None]) -> User | None:
        """Whoever is logged in; null for an anonymous caller."""
        identity = info.context.identity
        if identity.subject is None or identity.is_service:
            return None
        profile = await info.context.profiles.load(identity.subject)
        if profile is None or profile.status is AccountStatus.ERASED:
            return None
        return User.from_profile(profile, viewer=identity)

    @strawberry.federation.field(authenticated=True, directives=SELF)
    async def user(
        self,
        info: strawberry.Info[UserContext, None],
        id: Annotated[strawberry.ID, strawberry.argument(description="The user's id.")],
    ) -> User | None:
        """A user by id: oneself, or anybody for staff; null where there is none or it may not be seen."""
        profile = await info.context.service.find_visible_profile(id, by=info.context.identity)
        return None if profile is None else User.from_profile(profile, viewer=info.context.identity)

    @strawberry.federation.field(requires_scopes=[[USERS_READ]])
    async def users(
        self,
        info: strawberry.Info[UserContext, None],
        search: Annotated[
            str | None, strawberry.argument(description="Beginning of an e-mail address, a name, or a word of it.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[User]:
        """All users, newest first."""
        identity = info.context.identity
        page = await info.context.service.list_profiles(
            search, read_page_request(first, after, last, before), by=identity
        )
        return Connection(**connection_arguments(page, lambda profile: User.from_profile(profile, viewer=identity)))
