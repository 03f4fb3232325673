"""`pasar token`: an access token for development."""

from enum import StrEnum
from typing import Annotated

import typer

from pasar.cli.options import DataOption

RoleName = StrEnum("RoleName", [("CUSTOMER", "CUSTOMER"), ("STAFF", "STAFF"), ("ADMIN", "ADMIN")])


def token(
    role: Annotated[
        list[RoleName] | None,
        typer.Option("--role", help="A role; several are possible.  [default: STAFF]", case_sensitive=False),
    ] = None,
    subject: Annotated[
        str, typer.Option("--subject", help="The user id that the token speaks for; it need not exist.")
    ] = "usr_dev",
    data: DataOption = None,
) -> None:
    """Print an access token that the store accepts, signed with its own key: for scripts and first steps.

    Use it as `Authorization: Bearer <token>`. It lives as long as any other (PASAR_ACCESS_TOKEN_TTL_S, 10 minutes).
    """
    from core.clock import SystemClock
    from core.identity import Identity
    from core.scopes import scopes_of
    from core.settings import Environment
    from pasar.configuration import ConfigurationInvalid, read_settings
    from pasar.keys import complete_settings
    from subgraphs.user.keys import load_token_issuer

    settings = read_settings(data=data)
    if settings.environment is Environment.PRODUCTION:
        raise ConfigurationInvalid("development tokens are not made where PASAR_ENVIRONMENT is production: log in")
    roles = frozenset(chosen.value for chosen in role or [RoleName.STAFF])
    identity = Identity(subject=subject, roles=roles, scopes=scopes_of(roles))
    print(load_token_issuer(complete_settings(settings)).issue(identity, now=SystemClock().now()))
