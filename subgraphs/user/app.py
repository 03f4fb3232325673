"""The user subgraph, put together."""

from core.subgraph import Call, Runtime, Subgraph
from loaders.entity import entity_loader
from subgraphs.user.cookies import token_cookies
from subgraphs.user.devices import device_cookie
from subgraphs.user.documents import RefreshTokenDocument, RoleDocument, SessionDocument, UserDocument
from subgraphs.user.handlers import build_handlers
from subgraphs.user.keys import jwks_route, load_token_issuer
from subgraphs.user.passwords import Passwords
from subgraphs.user.schema import schema
from subgraphs.user.service import UserService
from subgraphs.user.types import UserContext

NAME = "user"


def build(runtime: Runtime, *, passwords: Passwords | None = None) -> Subgraph:
    """Return the user subgraph; *passwords* other than the default are for tests, where Argon2 may be cheap.

    Raises:
        ValueError: the key that signs access tokens is missing or not usable.
    """
    issuer = load_token_issuer(runtime.settings)
    service = build_service(runtime, passwords=passwords)
    cookies, devices = token_cookies(runtime.settings), device_cookie(runtime.settings)

    def make_context(call: Call) -> UserContext:
        return UserContext(
            identity=call.identity,
            call=call,
            service=service,
            cookies=cookies,
            device_cookie=devices,
            now=runtime.clock.now,
            profiles=entity_loader(service.find_profiles, lambda profile: profile.id),
            roles=entity_loader(service.roles.find_roles, lambda role: role.name),
        )

    return Subgraph(
        name=NAME,
        schema=schema,
        runtime=runtime,
        documents=(UserDocument, RoleDocument, SessionDocument, RefreshTokenDocument),
        context=make_context,
        handlers=build_handlers(service),
        routes=(jwks_route(issuer),),
        prepare=service.prepare,
    )


def build_service(runtime: Runtime, *, passwords: Passwords | None = None) -> UserService:
    """Return the use cases alone, for the seed and the command line; the subgraph must have been started once."""
    return UserService(runtime, passwords=passwords or Passwords(), issuer=load_token_issuer(runtime.settings))
