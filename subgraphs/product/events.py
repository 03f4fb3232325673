"""What the catalogue announces. The payload is always `{product_id}`: whoever needs more asks for the present state."""

from datetime import datetime

from core.events import announce
from core.mongo import Database, Session

PRODUCT_CREATED = "ProductCreated"
PRODUCT_EDITED = "ProductEdited"
PRODUCT_PUBLISHED = "ProductPublished"
PRODUCT_ARCHIVED = "ProductArchived"
PRODUCT_DELETED = "ProductDeleted"
PRODUCT_RESTORED = "ProductRestored"
PRODUCT_SCHEDULED = "ProductScheduled"


async def announce_product(database: Database, type_: str, product_id: str, *, now: datetime, session: Session) -> None:
    """Write a product's event in the transaction of its change."""
    await announce(database, type_, product_id, {"product_id": product_id}, now=now, session=session)
