"""The MongoDB queries about registrations, mail tokens, letters and data exports."""

from collections.abc import Collection, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from core.mongo import Database, Row, Session, find_one_and_update
from subgraphs.user.accounts.documents import (
    DataExportDocument,
    ExportPartDocument,
    ExportStatus,
    LetterDocument,
    LetterKind,
    MailTokenDocument,
    RegistrationDocument,
    TokenPurpose,
)


class AccountRepository:
    """What accounts have beside them, in one database."""

    def __init__(self, database: Database) -> None:
        self._users = database["users"]
        self._sessions = database["sessions"]
        self._refresh_tokens = database["refresh_tokens"]
        self._second_factors = database["second_factors"]
        self._challenges = database["login_challenges"]
        self._registrations = database["registrations"]
        self._tokens = database["mail_tokens"]
        self._letters = database["letters"]
        self._allowances = database["letter_allowances"]
        self._exports = database["data_exports"]
        self._parts = database["data_export_parts"]

    # -- registrations -------------------------------------------------------------------------------------------------

    async def insert_registration(self, document: RegistrationDocument, *, session: Session) -> None:
        """Add an attempt to register."""
        await document.insert(session=session)

    async def find_registration(self, registration_id: str) -> RegistrationDocument | None:
        """Return an attempt by its id."""
        row = await self._registrations.find_one({"_id": registration_id})
        return None if row is None else RegistrationDocument.model_validate(row)

    async def find_registration_by_token(self, token_hash: str, *, now: datetime) -> RegistrationDocument | None:
        """Return the attempt that a mail token confirms, unless it has expired."""
        row = await self._registrations.find_one({"token_hash": token_hash, "expires_at": {"$gt": now}})
        return None if row is None else RegistrationDocument.model_validate(row)

    async def find_newest_registration(self, email_key: str, *, now: datetime) -> RegistrationDocument | None:
        """Return the last attempt with an address that can still be confirmed."""
        row = await self._registrations.find_one(
            {"email_key": email_key, "expires_at": {"$gt": now}}, sort=[("_id", -1)]
        )
        return None if row is None else RegistrationDocument.model_validate(row)

    async def ask_for_letter(self, registration_id: str | None, *, before: datetime, now: datetime) -> None:
        """Have another letter sent about an attempt whose last one was queued *before*.

        None is nobody's attempt: the same command without an effect.
        """
        await self._registrations.update_one(
            {"_id": registration_id or "", "letter_at": {"$lte": before}},
            {"$set": {"letter_wanted": True, "letter_at": now}},
        )

    async def take_wanted_letter(self, *, session: Session) -> RegistrationDocument | None:
        """Return an attempt about which another letter is asked for, and forget that it is."""
        return await find_one_and_update(
            RegistrationDocument, {"letter_wanted": True}, {"$set": {"letter_wanted": False}}, session=session
        )

    async def set_registration_token(self, registration_id: str, token_hash: str) -> bool:
        """Have an attempt confirmed by another token; return False when it is gone."""
        result = await self._registrations.update_one({"_id": registration_id}, {"$set": {"token_hash": token_hash}})
        return result.matched_count == 1

    async def take_registration(self, registration_id: str, token_hash: str, *, session: Session) -> bool:
        """Use up an attempt; return False when it was used, or another token confirms it by now."""
        result = await self._registrations.delete_one(
            {"_id": registration_id, "token_hash": token_hash}, session=session
        )
        return result.deleted_count == 1

    async def delete_registrations(self, email_key: str, *, session: Session | None = None) -> None:
        """Forget all attempts with an address."""
        await self._registrations.delete_many({"email_key": email_key}, session=session)

    # -- mail tokens ---------------------------------------------------------------------------------------------------

    async def replace_token(self, document: MailTokenDocument, *, session: Session) -> None:
        """Store a token; an older one of its purpose is worth nothing any more."""
        row = document.model_dump(by_alias=True, exclude={"revision_id"})
        await self._tokens.replace_one({"_id": row["_id"]}, row, upsert=True, session=session)

    async def find_token(self, purpose: TokenPurpose, token_hash: str, *, now: datetime) -> MailTokenDocument | None:
        """Return a token that has not expired."""
        row = await self._tokens.find_one({"token_hash": token_hash, "purpose": purpose, "expires_at": {"$gt": now}})
        return None if row is None else MailTokenDocument.model_validate(row)

    async def take_token(self, token: MailTokenDocument, *, session: Session) -> bool:
        """Use up a token; return False when somebody else did, or a newer one has replaced it."""
        result = await self._tokens.delete_one({"_id": token.id, "token_hash": token.token_hash}, session=session)
        return result.deleted_count == 1

    async def void_tokens(self, user_id: str, email_key: str, *, session: Session) -> None:
        """Make all tokens of an account worthless, also those whose letters are still to be written."""
        await self._tokens.delete_many({"user_id": user_id}, session=session)
        kinds = [LetterKind.PASSWORD_RESET.value, LetterKind.EMAIL_CHANGE.value]
        owner = {"$or": [{"user_id": user_id}, {"email_key": email_key}]}
        await self._letters.delete_many({**owner, "kind": {"$in": kinds}}, session=session)

    # -- letters -------------------------------------------------------------------------------------------------------

    async def take_allowance(
        self, kind: LetterKind, email_key: str, *, most: int, now: datetime, until: datetime
    ) -> bool:
        """Count a letter to an address; return False when it was sent *most* of this kind since the count began.

        The count begins again after *until*, which is kept from its first letter. One command, whatever the answer.
        """
        over = {"$lte": [{"$ifNull": ["$expires_at", now]}, now]}
        row = await self._allowances.find_one_and_update(
            {"_id": sha256(f"{kind}:{email_key}".encode()).hexdigest()},
            [
                {
                    "$set": {
                        "letters": {"$cond": [over, 1, {"$add": ["$letters", 1]}]},
                        "expires_at": {"$cond": [over, until, "$expires_at"]},
                    }
                }
            ],
            upsert=True,
            return_document=True,
        )
        return row is not None and row["letters"] <= most

    async def insert_letter(self, document: LetterDocument, *, session: Session) -> None:
        """Have a letter sent once the transaction commits."""
        await document.insert(session=session)

    async def claim_letter(self, *, now: datetime, until: datetime) -> LetterDocument | None:
        """Take the letter that is longest due; None when none is. It is due again at *until*."""
        return await find_one_and_update(
            LetterDocument,
            {"due_at": {"$lte": now}},
            {"$set": {"due_at": until}, "$inc": {"attempts": 1}},
            sort=[("due_at", 1)],
        )

    async def postpone_letter(self, letter_id: str, due_at: datetime) -> None:
        """Try again at *due_at*."""
        await self._letters.update_one({"_id": letter_id}, {"$set": {"due_at": due_at}})

    async def mark_minted(self, letter_id: str, *, session: Session) -> LetterDocument | None:
        """Note that a letter's token is stored; return the letter as it was before, None when it is gone.

        Writing to the letter makes the storing of its token collide with `void_tokens`: one of them sees the other.
        """
        row = await self._letters.find_one_and_update({"_id": letter_id}, {"$set": {"minted": True}}, session=session)
        return None if row is None else LetterDocument.model_validate(row)

    async def delete_letter(self, letter_id: str) -> None:
        """Forget a letter that is out, or that nobody is to get."""
        await self._letters.delete_one({"_id": letter_id})

    # -- data exports --------------------------------------------------------------------------------------------------

    async def find_export(self, user_id: str) -> DataExportDocument | None:
        """Return the data export of an account."""
        row = await self._exports.find_one({"_id": user_id})
        return None if row is None else DataExportDocument.model_validate(row)

    async def replace_export(self, document: DataExportDocument, *, session: Session) -> None:
        """Begin a data export; the account's earlier one is deleted."""
        row = document.model_dump(by_alias=True, exclude={"revision_id"})
        await self._parts.delete_many({"user_id": document.id}, session=session)
        await self._exports.replace_one({"_id": document.id}, row, upsert=True, session=session)

    async def claim_export(self, *, now: datetime, until: datetime) -> DataExportDocument | None:
        """Take on the export that is longest due; None when none is. It is due again at *until*."""
        return await find_one_and_update(
            DataExportDocument,
            {"due_at": {"$lte": now}},
            {"$set": {"due_at": until}, "$inc": {"attempts": 1}},
            sort=[("due_at", 1)],
        )

    async def postpone_export(self, export: DataExportDocument, due_at: datetime) -> None:
        """Try again at *due_at*."""
        await self._exports.update_one(
            {"_id": export.id, "export_id": export.export_id, "status": ExportStatus.COLLECTING},
            {"$set": {"due_at": due_at}},
        )

    async def store_part(self, document: ExportPartDocument) -> None:
        """Store a part, in place of what an earlier attempt has stored under its number."""
        row = document.model_dump(by_alias=True, exclude={"revision_id"})
        await self._parts.replace_one({"_id": row["_id"]}, row, upsert=True)

    async def find_part(self, part_id: str) -> str | None:
        """Return the content of a part."""
        row = await self._parts.find_one({"_id": part_id})
        return None if row is None else str(row["content"])

    async def finish_export(
        self, export: DataExportDocument, *, part_count: int, now: datetime, session: Session
    ) -> bool:
        """Make an export readable; return False when it was replaced, finished or deleted meanwhile."""
        result = await self._exports.update_one(
            {"_id": export.id, "export_id": export.export_id, "status": ExportStatus.COLLECTING},
            {"$set": {"status": ExportStatus.READY, "part_count": part_count, "ready_at": now, "due_at": None}},
            session=session,
        )
        return result.modified_count == 1

    async def delete_parts(self, export_id: str) -> None:
        """Delete the parts of an export that nobody can read any more."""
        # "0" follows "/" in ASCII
        await self._parts.delete_many({"_id": {"$gte": f"{export_id}/", "$lt": f"{export_id}0"}})

    async def find_address_books(self, user_ids: Collection[str]) -> list[Row]:
        """Return the fields of accounts that hold their address books."""
        fields = {"addresses": 1, "default_address_id": 1}
        return await self._users.find({"_id": {"$in": list(user_ids)}}, fields).to_list()

    async def find_sessions(self, user_id: str) -> list[Row]:
        """Return all sessions of an account, oldest first."""
        return await self._sessions.find({"user_id": user_id}).sort("created_at", 1).to_list()

    async def find_second_factor(self, user_id: str) -> Row | None:
        """Return when the second factor of an account was confirmed and what is left of it; None while none counts."""
        return await self._second_factors.find_one(
            {"_id": user_id, "confirmed_at": {"$ne": None}}, {"confirmed_at": 1, "recovery_digests": 1}
        )

    # -- erasure -------------------------------------------------------------------------------------------------------

    async def erase_user(self, user_id: str, changes: Mapping[str, Any], *, session: Session) -> None:
        """Overwrite an account with *changes* and delete all that it has beside it."""
        await self._users.update_one({"_id": user_id}, {"$set": dict(changes), "$inc": {"version": 1}}, session=session)
        for collection in (
            *(self._sessions, self._refresh_tokens, self._challenges),
            *(self._tokens, self._letters, self._parts),
        ):
            await collection.delete_many({"user_id": user_id}, session=session)
        for collection in (self._second_factors, self._exports):
            await collection.delete_one({"_id": user_id}, session=session)
