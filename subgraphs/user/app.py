"""The user subgraph, put together."""

from core.jobs import Job
from core.subgraph import Call, Runtime, Subgraph
from loaders.entity import entity_loader
from subgraphs.user.accounts.documents import DOCUMENTS as ACCOUNT_DOCUMENTS
from subgraphs.user.cookies import token_cookies
from subgraphs.user.documents import RefreshTokenDocument, SessionDocument, UserDocument
from subgraphs.user.keys import jwks_route, load_token_issuer
from subgraphs.user.passwords import Passwords
from subgraphs.user.schema import schema
from subgraphs.user.service import UserService
from subgraphs.user.types import UserContext

NAME = "user"

# Somebody is waiting at the mailbox
LETTERS_EVERY_S = 2.0
EXPORTS_EVERY_S = 5.0


def build(runtime: Runtime, *, passwords: Passwords | None = None) -> Subgraph:
    """Return the user subgraph; *passwords* other than the default are for tests, where Argon2 may be cheap.

    Raises:
        ValueError: the key that signs access tokens, or the internal secret, is missing or not usable.
    """
    issuer = load_token_issuer(runtime.settings)
    service = build_service(runtime, passwords=passwords)
    cookies = token_cookies(runtime.settings)

    def make_context(call: Call) -> UserContext:
        return UserContext(
            identity=call.identity,
            call=call,
            service=service,
            cookies=cookies,
            now=runtime.clock.now,
            profiles=entity_loader(service.find_profiles, lambda profile: profile.id),
            address_books=entity_loader(service.accounts.address_books.find_books, lambda book: book[0]),
        )

    return Subgraph(
        name=NAME,
        schema=schema,
        runtime=runtime,
        documents=(UserDocument, SessionDocument, RefreshTokenDocument, *ACCOUNT_DOCUMENTS),
        context=make_context,
        jobs=(
            Job("send_letters", LETTERS_EVERY_S, service.accounts.postbox.send_due),
            Job("collect_exports", EXPORTS_EVERY_S, service.accounts.data_exports.collect_due),
        ),
        routes=(jwks_route(issuer),),
        prepare=service.prepare,
    )


def build_service(runtime: Runtime, *, passwords: Passwords | None = None) -> UserService:
    """Return the use cases alone, for the seed and the command line; the subgraph must have been started once."""
    return UserService(runtime, passwords=passwords or Passwords(), issuer=load_token_issuer(runtime.settings))
