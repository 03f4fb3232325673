"""Root queries about second factors."""

import strawberry

from subgraphs.user.second_factor.types import SecondFactor
from subgraphs.user.types import OWN, UserContext


@strawberry.type
class SecondFactorQuery:
    """Reads about second factors."""

    @strawberry.federation.field(authenticated=True, directives=OWN)
    async def second_factor(self, info: strawberry.Info[UserContext, None]) -> SecondFactor:
        """How the second factor of one's own account stands."""
        return SecondFactor.from_status(await info.context.second_factors.status(by=info.context.identity))
