"""Whoever owns the account that is to be changed, and proves it."""

from core.errors import Forbidden, NotFound, Unauthenticated
from core.identity import Identity
from core.subgraph import UNKNOWN_ORIGIN, require_login
from subgraphs.user.documents import UserDocument
from subgraphs.user.model import AccountStatus, InvalidCredentials, can_be_password, normalise_password
from subgraphs.user.passwords import Passwords
from subgraphs.user.repository import UserRepository
from subgraphs.user.throttle import AttemptKind, Throttle


class Owners:
    """Finds the caller's own account."""

    def __init__(self, users: UserRepository, passwords: Passwords, throttle: Throttle) -> None:
        self._users = users
        self._passwords = passwords
        self._throttle = throttle

    async def find(self, by: Identity) -> UserDocument:
        """Return the caller's account.

        Raises:
            Unauthenticated: nobody is logged in, or the account is not active any more.
            Forbidden: a service has none.
            NotFound: there is no such account.
        """
        user_id = require_login(by)
        if by.is_service:
            raise Forbidden("a service has no account")
        account = await self._users.find_user(user_id)
        if account is None:
            raise NotFound(f"there is no user {user_id}")
        if account.status is not AccountStatus.ACTIVE:
            # What is left of an access token must not outlive the account
            raise Unauthenticated("this account is not active; log in again")
        return account

    async def prove(self, by: Identity, password: str) -> UserDocument:
        """Return the caller's account after a look at the password: a token may have been stolen, or left behind.

        Raises:
            InvalidCredentials: it is another password.
            TooManyAttempts: others were tried before.
            Unauthenticated, Forbidden, NotFound: as for `find`.
        """
        account = await self.find(by)
        await prove_password(account, password, passwords=self._passwords, throttle=self._throttle)
        return account


async def prove_password(account: UserDocument, password: str, *, passwords: Passwords, throttle: Throttle) -> None:
    """Raise InvalidCredentials unless *password* is that of *account*; counted like logins from an unknown network."""
    attempt = await throttle.admit(AttemptKind.LOGIN, account.email_key, UNKNOWN_ORIGIN)
    if not can_be_password(password) or not await passwords.verify(account.password_hash, normalise_password(password)):
        await attempt.failed(user_id=account.id)
        raise InvalidCredentials("the password is wrong")
    await attempt.succeeded()
