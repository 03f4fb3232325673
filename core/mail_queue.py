"""Mail that is sent once the change that it tells of has been committed, and again until it is out."""

from datetime import datetime, timedelta

import structlog

from core.errors import Unavailable
from core.mail import Mail, Mailer
from core.mongo import Database, Row, Session

log = structlog.get_logger(__name__)

MAILS = "mails"
SEND_EVERY_S = 2.0
BATCH = 100
# A mail that could not be sent is tried again after this long
RETRY_AFTER = timedelta(seconds=60)
KEPT_S = 30 * 86_400


class MailQueue:
    """The mails of one database, sent by *mailer* from a job."""

    def __init__(self, database: Database, mailer: Mailer) -> None:
        self._mails = database[MAILS]
        self._mailer = mailer

    async def queue(self, mail: Mail, *, now: datetime, session: Session) -> None:
        """Have *mail* sent once the transaction of *session* commits; a mail with its id is queued once."""
        row: Row = {"to": mail.to, "subject": mail.subject, "text": mail.text, "due_at": now, "attempts": 0}
        await self._mails.update_one({"_id": mail.id}, {"$setOnInsert": row}, upsert=True, session=session)

    async def send_due(self, now: datetime) -> None:
        """Send mail that is due; one that cannot be sent is tried again later and holds up nothing."""
        for _ in range(BATCH):
            row = await self._mails.find_one_and_update(
                {"due_at": {"$lte": now}},
                {"$set": {"due_at": now + RETRY_AFTER}, "$inc": {"attempts": 1}},
                sort=[("due_at", 1)],
                return_document=True,
            )
            if row is None:
                return
            try:
                await self._mailer.send(Mail(row["_id"], row["to"], row["subject"], row["text"]), now=now)
            except Unavailable as error:
                log.warning("mail not sent yet", mail_id=row["_id"], attempts=row["attempts"], reason=error.message)
                continue
            # Its id stays, so that it is not sent twice; whom it went to and what it said is nobody's business any more
            sent = {"$set": {"sent_at": now}, "$unset": {"due_at": "", "to": "", "subject": "", "text": ""}}
            await self._mails.update_one({"_id": row["_id"]}, sent)

    async def prepare(self) -> None:
        """Create the indexes; a mail is forgotten a month after it was sent."""
        await self._mails.create_index("due_at", partialFilterExpression={"due_at": {"$exists": True}})
        await self._mails.create_index("sent_at", expireAfterSeconds=KEPT_S)
