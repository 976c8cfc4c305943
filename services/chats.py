"""Chats: how a customer's Telegram becomes an address, by the start link that only they were given."""

from dataclasses import dataclass

from sqlalchemy import RowMapping

from adapters.database import addresses, customers, events
from adapters.database.connection import Database, lock_customer
from adapters.database.events import NewEvent, told_once
from adapters.links import Links
from domain.clock import Clock
from domain.customers import Consent, ConsentStatus
from domain.errors import NotFound
from domain.events import TELEGRAM_STARTED
from domain.messages import Channel
from services.customers import Change, Customers

SOURCE = "telegram_start"


@dataclass(frozen=True, kw_only=True)
class Started:
    """Somebody pressed Start: in which chat, with what token, told by which update."""

    update: str
    chat: str
    token: str


class Chats:
    """Makes start links and binds chats."""

    def __init__(self, database: Database, clock: Clock, links: Links, known: Customers) -> None:
        self._database, self._clock, self._links, self._customers = database, clock, links, known

    def link(self, customer: str) -> str | None:
        """A customer's own start link, good for thirty days. None without a bot."""
        return self._links.telegram_start(customer, self._clock.now())

    async def start(self, started: Started) -> str | None:
        """Bind a chat to the link's customer, in place of an earlier one; a yes to Telegram. Answers their language.

        The same update again changes nothing. Raises NotFound for a token that is not ours, or no longer good.
        """
        ours = self._links.read_telegram_start(started.token, self._clock.now())
        async with self._database.transaction() as connection:
            ours = await lock_customer(connection, ours)
            row = await customers.find(connection, ours)
            if row is None or row["erased_at"]:
                raise NotFound("link", started.token[:12])
            if await events.insert(connection, [self._event(started, row)]):
                await addresses.replace(connection, ours, Channel.TELEGRAM.value, started.chat, self._clock.now())
                granted = Consent(status=ConsentStatus.GRANTED, at=self._clock.now(), source=SOURCE)
                change = Change(consents={Channel.TELEGRAM.value: granted})
                await self._customers.change(connection, row["customer_id"], change)
        self._database.wake()
        locale: str | None = row["locale"]
        return locale

    def _event(self, started: Started, row: RowMapping) -> NewEvent:
        return told_once(
            f"telegram:{started.update}:{row['id']}",
            customer_id=row["customer_id"],
            name=TELEGRAM_STARTED,
            at=self._clock.now(),
            source=Channel.TELEGRAM.value,
            properties={},
        )
