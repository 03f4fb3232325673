"""What a router in the store's own process knows of the issuer: its keys and what it has revoked, without HTTP."""

import msgspec
from pymongo.errors import PyMongoError

from core.settings import Settings
from pasar.keys import open_key_ring
from pasar.store import Store
from router.auth import Authenticator, build_authenticator
from router.config import AuthenticationConfig
from router.keys import LocalKeys
from router.revocations import FeedUnreadable, RevocationPage, Revocations
from subgraphs.user.revocations import RevocationList

# An indexed look into a list that is mostly empty
READ_EVERY_S = 2.0


class InProcessFeed:
    """The list of the user subgraph in this process."""

    def __init__(self, revocations: RevocationList) -> None:
        self._revocations = revocations

    async def read(self, since: str) -> RevocationPage:
        """Ask the subgraph's database."""
        try:
            return msgspec.convert(await self._revocations.read(since), RevocationPage)
        except PyMongoError as error:
            raise FeedUnreadable(f"{type(error).__name__}") from error

    async def aclose(self) -> None:
        """Do nothing: the database belongs to the store."""


def build_store_authenticator(store: Store, config: AuthenticationConfig) -> Authenticator:
    """Return an authenticator that believes the user subgraph of *store*, unless *config* names another issuer."""
    settings: Settings = store.settings
    runtime = store.subgraphs["user"].runtime
    feed = InProcessFeed(RevocationList(runtime.database, store.clock))
    every_s = min(READ_EVERY_S, config.revocations_refresh_s)
    return build_authenticator(
        config,
        now=store.clock.now,
        keys=LocalKeys(config, ring=open_key_ring(settings)),
        revocations=Revocations(feed, every_s=every_s, now=store.clock.now),
    )
