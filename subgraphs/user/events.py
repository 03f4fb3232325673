"""What the user subgraph announces.

| event          | payload                       |
|----------------|-------------------------------|
| UserRegistered | user_id, name, roles          |
| UserUpdated    | user_id, name, roles          |
| UserErased     | user_id                       |
"""

from datetime import datetime

from core.events import announce
from core.mongo import Database, Session
from subgraphs.user.model import Profile

USER_REGISTERED = "UserRegistered"
USER_UPDATED = "UserUpdated"
USER_ERASED = "UserErased"


async def announce_user(type_: str, profile: Profile, *, database: Database, now: datetime, session: Session) -> None:
    """Tell that *profile* was registered or updated. Contact details stay here: who needs them asks for them."""
    payload = {"user_id": profile.id, "name": profile.name, "roles": list(profile.roles)}
    await announce(database, type_, profile.id, payload, now=now, session=session)


async def announce_user_erased(user_id: str, *, database: Database, now: datetime, session: Session) -> None:
    """Tell the others to let go of what they know about a person."""
    await announce(database, USER_ERASED, user_id, {"user_id": user_id}, now=now, session=session)
