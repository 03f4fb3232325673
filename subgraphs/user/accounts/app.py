"""The account use cases, put together."""

from dataclasses import dataclass

from core.subgraph import Runtime
from subgraphs.user.accounts.address_book import AddressBooks
from subgraphs.user.accounts.credentials import Credentials
from subgraphs.user.accounts.data_export import DataExports
from subgraphs.user.accounts.erasure import Erasure
from subgraphs.user.accounts.mail_tokens import MailTokens
from subgraphs.user.accounts.neighbours import Neighbours
from subgraphs.user.accounts.owner import Owners
from subgraphs.user.accounts.postbox import Postbox
from subgraphs.user.accounts.registration import Registrations
from subgraphs.user.accounts.repository import AccountRepository
from subgraphs.user.accounts.standing import Standing
from subgraphs.user.audit import AuditLog
from subgraphs.user.passwords import Passwords
from subgraphs.user.repository import UserRepository
from subgraphs.user.roles import RoleService
from subgraphs.user.sessions import Sessions
from subgraphs.user.throttle import Throttle


@dataclass(frozen=True, slots=True)
class Accounts:
    """What can be done with accounts besides logging in."""

    registrations: Registrations
    credentials: Credentials
    address_books: AddressBooks
    standing: Standing
    data_exports: DataExports
    erasure: Erasure
    postbox: Postbox


def build_postbox(runtime: Runtime, users: UserRepository, audit: AuditLog) -> Postbox:
    """Return what sends the letters; raise ValueError when the internal secret of *runtime* is too short."""
    return Postbox(
        AccountRepository(runtime.database),
        users,
        client=runtime.client,
        clock=runtime.clock,
        mailer=runtime.mailer,
        tokens=MailTokens(runtime.settings.internal_secret),
        audit=audit,
        url=runtime.settings.base_url,
    )


def build_accounts(
    runtime: Runtime,
    users: UserRepository,
    *,
    passwords: Passwords,
    sessions: Sessions,
    postbox: Postbox,
    audit: AuditLog,
    throttle: Throttle,
    roles: RoleService,
) -> Accounts:
    """Return the use cases on *runtime*."""
    client, database, clock = runtime.client, runtime.database, runtime.clock
    repository, owners = AccountRepository(database), Owners(users, passwords, throttle)
    neighbours = Neighbours(runtime.peers)
    return Accounts(
        registrations=Registrations(
            repository,
            users,
            client=client,
            database=database,
            clock=clock,
            passwords=passwords,
            sessions=sessions,
            postbox=postbox,
            audit=audit,
            throttle=throttle,
        ),
        credentials=Credentials(
            repository,
            users,
            owners,
            client=client,
            database=database,
            clock=clock,
            passwords=passwords,
            sessions=sessions,
            postbox=postbox,
            audit=audit,
            throttle=throttle,
        ),
        address_books=AddressBooks(repository, users, owners, client=client, clock=clock),
        standing=Standing(
            repository,
            users,
            owners,
            client=client,
            clock=clock,
            sessions=sessions,
            postbox=postbox,
            audit=audit,
            roles=roles,
        ),
        data_exports=DataExports(
            repository, users, owners, neighbours, client=client, clock=clock, postbox=postbox, audit=audit
        ),
        erasure=Erasure(
            repository,
            users,
            owners,
            neighbours,
            client=client,
            database=database,
            clock=clock,
            sessions=sessions,
            postbox=postbox,
            audit=audit,
        ),
        postbox=postbox,
    )
