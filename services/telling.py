"""Telling the staff: a row on the customer's timeline, and a mail where there is a mail server. Never the customer."""

import asyncio
import html
import logging
from collections.abc import Sequence
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import notices
from adapters.database.connection import Database
from adapters.database.notices import Notice
from domain.deliveries import Letter, Receipt
from domain.errors import Unavailable
from services.announcing import WAITS
from services.gateways import Gateway

AT_ONCE = 4  # letters; a mail server gets no more connections
NO_MAIL = "no mail server is set up"
log = logging.getLogger(__name__)


class Telling:
    """Keeps notices, and mails them by `mail`; without it nobody is written to.

    `sender` is the From header, `console` the address of the console's customers.
    """

    def __init__(self, database: Database, mail: Gateway | None, *, sender: str, console: str) -> None:
        self._database, self._mail = database, mail
        self._sender, self._console = sender, console

    async def tell(self, connection: AsyncConnection, told: Sequence[Notice]) -> set[UUID]:
        """Keep notices, each once, to be mailed after the commit. Answers which are new."""
        return await notices.insert(connection, told, None if self._mail else NO_MAIL)

    async def mail_some(self, limit: int = AT_ONCE) -> int:
        """One attempt for each notice that is due. Answers how many there were."""
        if self._mail is None:
            return 0
        async with self._database.transaction() as connection:
            due = await notices.lease(connection, limit)
        await asyncio.gather(*(self._post(self._mail, row) for row in due))
        return len(due)

    async def _post(self, mail: Gateway, row: RowMapping) -> None:
        try:
            async with mail.connection() as connection:
                receipt = await connection.deliver(self._letter(row))
        except Unavailable as error:
            receipt = Receipt(outcome="retry", detail=str(error))
        # A letter that may have arrived is not written again; a busy server is asked later.
        again = None
        if receipt.outcome == "retry" and row["attempts"] <= len(WAITS):
            again = receipt.retry_after or WAITS[row["attempts"] - 1]
        async with self._database.transaction() as connection:
            await notices.tried(connection, row["id"], f"{receipt.outcome}: {receipt.detail}", again)
        if receipt.outcome != "accepted":
            log.warning("a colleague was not reached by mail", extra={"error": receipt.detail})

    def _letter(self, row: RowMapping) -> Letter:
        page = f"{self._console}/{quote(row['customer_id'], safe='')}"
        paragraphs = "".join(f"<p>{html.escape(part)}</p>" for part in row["text"].split("\n\n"))
        return Letter(
            send_id=row["id"],
            to=row["recipient"],
            sender=self._sender,
            subject=" ".join(row["title"].split()),
            html=f'{paragraphs}<p><a href="{html.escape(page)}">{html.escape(page)}</a></p>',
            text=f"{row['text']}\n\n{page}\n",
            unsubscribe_url=None,
            list_id=None,
            journey="staff",
            message=row["name"],
        )
