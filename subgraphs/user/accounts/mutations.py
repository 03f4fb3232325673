"""Mutations of accounts, besides those that log in."""

from typing import Annotated

import strawberry

from core.scopes import USERS_WRITE
from schema.ownership import Public
from subgraphs.user.accounts.types import (
    AccountDeactivated,
    AccountErased,
    AddressInput,
    AddressResult,
    ChangePasswordInput,
    ChangePasswordResult,
    ConfirmEmailChangeResult,
    DataExport,
    DeactivateAccountResult,
    EmailChangeRequested,
    EraseAccountResult,
    PasswordChanged,
    PasswordResetRequested,
    RegisterResult,
    RegistrationAccepted,
    RequestDataExportResult,
    RequestEmailChangeInput,
    RequestEmailChangeResult,
    RequestPasswordResetResult,
    ResetPasswordInput,
    ResetPasswordResult,
    SetAccountStatusInput,
    SetAccountStatusResult,
)
from subgraphs.user.model import AccountStatus, Profile
from subgraphs.user.types import CALLERS, OWN, SELF, RegisterInput, User, UserContext

Password = Annotated[str, strawberry.argument(description="The password of the account.")]
AddressId = Annotated[strawberry.ID, strawberry.argument(description="The address's id.")]

# Whoever cannot log in, or not yet
ANYBODY = [Public(because="the answer is the same for every address, with an account or without")]


@strawberry.type
class AccountMutations:
    """From registration to erasure."""

    @strawberry.mutation(directives=ANYBODY)
    async def register(
        self,
        info: strawberry.Info[UserContext, None],
        input: Annotated[RegisterInput, strawberry.argument(description="The new account.")],
    ) -> RegisterResult:
        """Ask for a customer's account. `verifyEmail` opens it, with the token that is sent to the address."""
        context = info.context
        await context.accounts.registrations.register(
            email=input.email, password=input.password, name=input.name, origin=context.call.origin
        )
        return RegistrationAccepted(
            message="A letter is on its way to this address. If nothing comes, register again in an hour."
        )

    @strawberry.mutation(directives=ANYBODY)
    async def request_password_reset(
        self,
        info: strawberry.Info[UserContext, None],
        email: Annotated[str, strawberry.argument(description="The e-mail address of the account.")],
    ) -> RequestPasswordResetResult:
        """Have a token for `resetPassword` sent to an address. The answer is the same for every address."""
        context = info.context
        await context.accounts.credentials.request_password_reset(email, origin=context.call.origin)
        return PasswordResetRequested(
            message="If this address has an account, a letter is on its way to it. At most five are sent in an hour."
        )

    @strawberry.mutation(directives=CALLERS)
    async def reset_password(
        self,
        info: strawberry.Info[UserContext, None],
        input: Annotated[ResetPasswordInput, strawberry.argument(description="Token and new password.")],
    ) -> ResetPasswordResult:
        """Choose a new password with a token from a letter. All sessions end."""
        context = info.context
        await context.accounts.credentials.reset_password(input.token, input.new_password, origin=context.call.origin)
        return PasswordChanged(message="Your password is changed, and all sessions have ended. Log in with it.")

    @strawberry.federation.mutation(authenticated=True, directives=OWN)
    async def change_password(
        self,
        info: strawberry.Info[UserContext, None],
        input: Annotated[ChangePasswordInput, strawberry.argument(description="Present and new password.")],
    ) -> ChangePasswordResult:
        """Choose a new password. All sessions end but the one that asks."""
        context = info.context
        await context.accounts.credentials.change_password(
            input.current_password, input.new_password, by=context.identity, origin=context.call.origin
        )
        return PasswordChanged(message="Your password is changed, and all other sessions have ended.")

    @strawberry.federation.mutation(authenticated=True, directives=OWN)
    async def request_email_change(
        self,
        info: strawberry.Info[UserContext, None],
        input: Annotated[RequestEmailChangeInput, strawberry.argument(description="New address and password.")],
    ) -> RequestEmailChangeResult:
        """Have a token for `confirmEmailChange` sent to a new address; the present one is told."""
        context = info.context
        await context.accounts.credentials.request_email_change(
            input.new_email, input.password, by=context.identity, origin=context.call.origin
        )
        return EmailChangeRequested(
            message="A letter is on its way to the new address. Until you confirm it, yours stays as it is."
        )

    @strawberry.federation.mutation(authenticated=True, directives=SELF)
    async def confirm_email_change(
        self,
        info: strawberry.Info[UserContext, None],
        token: Annotated[str, strawberry.argument(description="The token from the letter to the new address.")],
    ) -> ConfirmEmailChangeResult:
        """Take the new address. Both addresses are told, and sessions stay."""
        context = info.context
        profile = await context.accounts.credentials.confirm_email_change(
            token, by=context.identity, origin=context.call.origin
        )
        return _show(profile, context)

    @strawberry.federation.mutation(authenticated=True, directives=SELF)
    async def add_address(
        self,
        info: strawberry.Info[UserContext, None],
        input: Annotated[AddressInput, strawberry.argument(description="The address.")],
        make_default: Annotated[
            bool, strawberry.argument(description="Whether it becomes the default; the first one does anyway.")
        ] = False,
    ) -> AddressResult:
        """Add an address to one's own address book, which holds at most 20."""
        context = info.context
        profile = await context.accounts.address_books.add(
            input.to_address(), make_default=make_default, by=context.identity
        )
        return _show(profile, context)

    @strawberry.federation.mutation(authenticated=True, directives=SELF)
    async def update_address(
        self,
        info: strawberry.Info[UserContext, None],
        id: AddressId,
        input: Annotated[AddressInput, strawberry.argument(description="All of the address as it is from now on.")],
    ) -> AddressResult:
        """Replace an address of one's own address book."""
        context = info.context
        profile = await context.accounts.address_books.update(id, input.to_address(), by=context.identity)
        return _show(profile, context)

    @strawberry.federation.mutation(authenticated=True, directives=SELF)
    async def remove_address(self, info: strawberry.Info[UserContext, None], id: AddressId) -> AddressResult:
        """Remove an address from one's own address book."""
        profile = await info.context.accounts.address_books.remove(id, by=info.context.identity)
        return _show(profile, info.context)

    @strawberry.federation.mutation(authenticated=True, directives=SELF)
    async def set_default_address(self, info: strawberry.Info[UserContext, None], id: AddressId) -> AddressResult:
        """Choose the address that checkouts propose."""
        profile = await info.context.accounts.address_books.set_default(id, by=info.context.identity)
        return _show(profile, info.context)

    @strawberry.federation.mutation(authenticated=True, directives=OWN)
    async def deactivate_account(
        self, info: strawberry.Info[UserContext, None], password: Password
    ) -> DeactivateAccountResult:
        """Log out everywhere and let nobody log in any more, until the store makes the account active again."""
        context = info.context
        await context.accounts.standing.deactivate(password, by=context.identity, origin=context.call.origin)
        context.call.cookies.extend(context.cookies.remove())
        return AccountDeactivated(message="Your account is deactivated. Write to us if you want it back.")

    @strawberry.federation.mutation(requires_scopes=[[USERS_WRITE]])
    async def set_account_status(
        self,
        info: strawberry.Info[UserContext, None],
        input: Annotated[SetAccountStatusInput, strawberry.argument(description="Whose account, and why.")],
    ) -> SetAccountStatusResult:
        """Suspend somebody else's account, or make it active again. The holder is told."""
        context = info.context
        profile = await context.accounts.standing.set_status(
            input.user_id,
            AccountStatus[input.status.name],
            input.reason,
            by=context.identity,
            origin=context.call.origin,
        )
        return _show(profile, context)

    @strawberry.federation.mutation(authenticated=True, directives=OWN)
    async def request_data_export(
        self, info: strawberry.Info[UserContext, None], password: Password
    ) -> RequestDataExportResult:
        """Have all that the store knows about oneself collected, for `dataExport`. A letter tells when it is ready."""
        context = info.context
        export = await context.accounts.data_exports.request(password, by=context.identity, origin=context.call.origin)
        return DataExport.from_document(export)

    @strawberry.federation.mutation(authenticated=True, directives=OWN)
    async def erase_account(self, info: strawberry.Info[UserContext, None], password: Password) -> EraseAccountResult:
        """Erase one's account with its personal data, for good. Orders remain without saying whose they were."""
        context = info.context
        await context.accounts.erasure.erase(password, by=context.identity)
        context.call.cookies.extend(context.cookies.remove())
        return AccountErased(message="Your account is erased. Thank you for having been with us.")


def _show(profile: Profile, context: UserContext) -> User:
    return User.from_profile(profile, viewer=context.identity)
