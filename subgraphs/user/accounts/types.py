"""GraphQL types of the account mutations."""

from typing import Annotated, TypeAlias

import strawberry

from core.addresses import PostalAddress
from schema.problems import ConflictProblem, InvalidInputProblem, NotFoundProblem
from schema.scalars import DateTime
from subgraphs.user.accounts.documents import DataExportDocument, ExportStatus
from subgraphs.user.problems import InvalidCredentialsProblem, InvalidMailTokenProblem, TooManyAttemptsProblem
from subgraphs.user.types import OWN, AccountStatusName, AuthSession, TokenTransport, User, UserContext

strawberry.enum(ExportStatus, name="DataExportStatus", description="How a data export stands.")


@strawberry.type(description="A letter is on its way to the address, whether or not it has an account already.")
class RegistrationAccepted:
    message: str = strawberry.field(description="What to do next, for people.")


@strawberry.type(description="A letter is on its way to the address, if it has an account.")
class PasswordResetRequested:
    message: str = strawberry.field(description="What to do next, for people.")


@strawberry.type(description="The account has a new password, and sessions have ended.")
class PasswordChanged:
    message: str = strawberry.field(description="What has happened, for people.")


@strawberry.type(description="A letter is on its way to the new address, and one to the present address.")
class EmailChangeRequested:
    message: str = strawberry.field(description="What to do next, for people.")


@strawberry.type(description="The account is deactivated.")
class AccountDeactivated:
    message: str = strawberry.field(description="What has happened, for people.")


@strawberry.type(description="The account is erased.")
class AccountErased:
    message: str = strawberry.field(description="What has happened, for people.")


@strawberry.type(description="What the store knows about a person, for that person, in parts.")
class DataExport:
    id: strawberry.ID = strawberry.field(description="Identifier.")
    status: ExportStatus = strawberry.field(description="How it stands.")
    requested_at: DateTime = strawberry.field(description="When it was asked for.")
    ready_at: DateTime | None = strawberry.field(description="When it was collected.")
    expires_at: DateTime = strawberry.field(description="When it is deleted.")
    part_count: int = strawberry.field(description="How many parts there are; 0 while it is being collected.")
    document: strawberry.Private[DataExportDocument]

    @classmethod
    def from_document(cls, document: DataExportDocument) -> "DataExport":
        return cls(
            id=strawberry.ID(document.export_id),
            status=document.status,
            requested_at=DateTime(document.requested_at),
            ready_at=None if document.ready_at is None else DateTime(document.ready_at),
            expires_at=DateTime(document.expires_at),
            part_count=document.part_count,
            document=document,
        )

    @strawberry.field(description="A part as JSON, which says what is in it; null where there is none.", directives=OWN)
    async def part(
        self,
        info: strawberry.Info[UserContext, None],
        number: Annotated[int, strawberry.argument(description="Which, from 1.")] = 1,
    ) -> str | None:
        return await info.context.accounts.data_exports.read_part(self.document, number)


@strawberry.input(description="A registration to confirm.")
class VerifyEmailInput:
    token: str = strawberry.field(description="The token from the letter.")
    password: str = strawberry.field(description="The password that was registered with.")
    transport: TokenTransport = strawberry.field(default=TokenTransport.BEARER, description="How to carry the tokens.")


@strawberry.input(description="A new password for whoever forgot the old one.")
class ResetPasswordInput:
    token: str = strawberry.field(description="The token from the letter.")
    new_password: str = strawberry.field(description="At least 8 characters, and not a common password.")


@strawberry.input(description="A new password in place of the present one.")
class ChangePasswordInput:
    current_password: str = strawberry.field(description="The present password.")
    new_password: str = strawberry.field(description="At least 8 characters, and not a common password.")


@strawberry.input(description="Another e-mail address.")
class RequestEmailChangeInput:
    new_email: str = strawberry.field(description="The new address.")
    password: str = strawberry.field(description="The password of the account.")


@strawberry.input(description="A postal address.")
class AddressInput:
    recipient: str = strawberry.field(description="Who receives it.")
    line1: str = strawberry.field(description="Street and number.")
    city: str = strawberry.field(description="City or town.")
    postal_code: str = strawberry.field(description="Postal code.")
    country: str = strawberry.field(description="ISO 3166 code of two letters, such as ID.")
    phone: str | None = strawberry.field(default=None, description="For the carrier.")
    line2: str | None = strawberry.field(default=None, description="What else helps to find it.")
    region: str | None = strawberry.field(default=None, description="Province or state.")

    def to_address(self) -> PostalAddress:
        return PostalAddress(
            recipient=self.recipient,
            line1=self.line1,
            city=self.city,
            postal_code=self.postal_code,
            country=self.country,
            phone=self.phone,
            line2=self.line2,
            region=self.region,
        )


@strawberry.input(description="Whether somebody may use their account.")
class SetAccountStatusInput:
    user_id: strawberry.ID = strawberry.field(description="Whose account.")
    status: AccountStatusName = strawberry.field(description="ACTIVE or SUSPENDED.")
    reason: str = strawberry.field(description="Why; it is kept in the audit log.")


RegisterResult: TypeAlias = Annotated[
    RegistrationAccepted | InvalidInputProblem | TooManyAttemptsProblem,
    strawberry.union("RegisterResult", description="The same for every address, or what is wrong with a value."),
]
VerifyEmailResult: TypeAlias = Annotated[
    AuthSession | InvalidMailTokenProblem | InvalidCredentialsProblem,
    strawberry.union("VerifyEmailResult", description="Logged in to the new account, or why there is none."),
]
RequestPasswordResetResult: TypeAlias = Annotated[
    PasswordResetRequested | TooManyAttemptsProblem,
    strawberry.union("RequestPasswordResetResult", description="The same for every address."),
]
ResetPasswordResult: TypeAlias = Annotated[
    PasswordChanged | InvalidMailTokenProblem | InvalidInputProblem,
    strawberry.union("ResetPasswordResult", description="The password is changed, or why not."),
]
ChangePasswordResult: TypeAlias = Annotated[
    PasswordChanged | InvalidCredentialsProblem | InvalidInputProblem | TooManyAttemptsProblem,
    strawberry.union("ChangePasswordResult", description="The password is changed, or why not."),
]
RequestEmailChangeResult: TypeAlias = Annotated[
    EmailChangeRequested | InvalidCredentialsProblem | InvalidInputProblem | TooManyAttemptsProblem,
    strawberry.union("RequestEmailChangeResult", description="Letters are on their way, or why not."),
]
ConfirmEmailChangeResult: TypeAlias = Annotated[
    User | InvalidMailTokenProblem | ConflictProblem,
    strawberry.union("ConfirmEmailChangeResult", description="The account with its new address, or why it is not."),
]
AddressResult: TypeAlias = Annotated[
    User | InvalidInputProblem | NotFoundProblem | ConflictProblem,
    strawberry.union("AddressResult", description="The account with its address book, or why that is unchanged."),
]
DeactivateAccountResult: TypeAlias = Annotated[
    AccountDeactivated | InvalidCredentialsProblem | ConflictProblem | TooManyAttemptsProblem,
    strawberry.union("DeactivateAccountResult", description="The account is deactivated, or why not."),
]
SetAccountStatusResult: TypeAlias = Annotated[
    User | NotFoundProblem | InvalidInputProblem | ConflictProblem,
    strawberry.union("SetAccountStatusResult", description="The account with its status, or why that is unchanged."),
]
RequestDataExportResult: TypeAlias = Annotated[
    DataExport | InvalidCredentialsProblem | ConflictProblem | TooManyAttemptsProblem,
    strawberry.union("RequestDataExportResult", description="The export that is being collected, or why none is."),
]
EraseAccountResult: TypeAlias = Annotated[
    AccountErased | InvalidCredentialsProblem | ConflictProblem | TooManyAttemptsProblem,
    strawberry.union("EraseAccountResult", description="The account is erased, or why not."),
]
