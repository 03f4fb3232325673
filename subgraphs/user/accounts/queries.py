"""Root queries about the caller's account."""

import strawberry

from subgraphs.user.accounts.types import DataExport
from subgraphs.user.types import OWN, UserContext


@strawberry.type
class AccountQueries:
    """Reads of what an account has beside it."""

    @strawberry.federation.field(authenticated=True, directives=OWN)
    async def data_export(self, info: strawberry.Info[UserContext, None]) -> DataExport | None:
        """The caller's data export; null when this session has asked for none, or it has expired."""
        context = info.context
        export = await context.accounts.data_exports.find(by=context.identity)
        return None if export is None else DataExport.from_document(export)
