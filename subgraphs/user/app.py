"""The user subgraph, put together."""

from core.jobs import Job
from core.subgraph import Call, Runtime, Subgraph
from loaders.entity import entity_loader
from subgraphs.user.accounts.documents import DOCUMENTS as ACCOUNT_DOCUMENTS
from subgraphs.user.audit import AUDIT, audit_indexes
from subgraphs.user.cookies import token_cookies
from subgraphs.user.devices import device_cookie
from subgraphs.user.documents import (
    RefreshTokenDocument,
    RevocationDocument,
    RoleDocument,
    SessionDocument,
    UserDocument,
)
from subgraphs.user.handlers import build_handlers
from subgraphs.user.keys import jwks_route, open_issuer
from subgraphs.user.passwords import Passwords
from subgraphs.user.revocations import RevocationList, revocations_route
from subgraphs.user.schema import schema
from subgraphs.user.second_factor.documents import ChallengeDocument, SecondFactorDocument
from subgraphs.user.service import UserService
from subgraphs.user.session_list.service import SessionList
from subgraphs.user.throttle import THROTTLE, THROTTLE_INDEXES
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
    issuer = open_issuer(runtime.settings)
    service = UserService(runtime, passwords=passwords or Passwords(), issuer=issuer)
    session_list = SessionList(runtime, service.sessions)
    revocations = RevocationList(runtime.database, runtime.clock)
    cookies, devices = token_cookies(runtime.settings), device_cookie(runtime.settings)

    def make_context(call: Call) -> UserContext:
        return UserContext(
            identity=call.identity,
            call=call,
            service=service,
            session_list=session_list,
            second_factors=service.second_factors,
            cookies=cookies,
            device_cookie=devices,
            now=runtime.clock.now,
            profiles=entity_loader(service.find_profiles, lambda profile: profile.id),
            address_books=entity_loader(service.accounts.address_books.find_books, lambda book: book[0]),
            roles=entity_loader(service.roles.find_roles, lambda role: role.name),
        )

    return Subgraph(
        name=NAME,
        schema=schema,
        runtime=runtime,
        documents=(
            UserDocument,
            RoleDocument,
            SessionDocument,
            RefreshTokenDocument,
            RevocationDocument,
            SecondFactorDocument,
            ChallengeDocument,
            *ACCOUNT_DOCUMENTS,
        ),
        context=make_context,
        handlers=build_handlers(service),
        jobs=(
            Job("send_letters", LETTERS_EVERY_S, service.accounts.postbox.send_due),
            Job("collect_exports", EXPORTS_EVERY_S, service.accounts.data_exports.collect_due),
        ),
        routes=(jwks_route(issuer, runtime.clock),),
        internal_routes=(revocations_route(revocations, runtime.settings, runtime.clock),),
        more_indexes={AUDIT: audit_indexes(runtime.settings.audit_retention_days), THROTTLE: THROTTLE_INDEXES},
        prepare=service.prepare,
    )


def build_service(runtime: Runtime, *, passwords: Passwords | None = None) -> UserService:
    """Return the use cases alone, for the seed and the command line; the subgraph must have been started once."""
    return UserService(runtime, passwords=passwords or Passwords(), issuer=open_issuer(runtime.settings))
