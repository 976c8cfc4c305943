"""Replies: what customers answer by SMS and messengers. STOP and START act at once; all else is for people."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec import structs
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import addresses, customers, events
from adapters.database.connection import Database, lock_customer
from adapters.database.events import NewEvent, told_once
from domain.clock import Clock
from domain.customers import Consent, ConsentStatus
from domain.events import OPTED_OUT, REPLIED
from domain.messages import Channel
from domain.replies import Reply
from services.customers import Change, Customers
from services.ingest import Ingest
from services.tasks import Tasks

_SOURCES = {
    Channel.SMS: "reply by text message",
    Channel.WHATSAPP: "reply by WhatsApp",
    Channel.TELEGRAM: "reply by Telegram",
}
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """One text from a customer, by the provider's id. The text is personal: it stays in the database.

    `address` is a phone number or a chat.
    """

    channel: Channel
    gateway: str
    provider_id: str
    address: str
    text: str
    means: Reply

    def meaning(self, means: Reply) -> "Incoming":
        """The same text, understood."""
        return replace(self, means=means)


class Replies:
    """Takes texts in, each once for everybody who has the address."""

    def __init__(self, database: Database, clock: Clock, ingest: Ingest, known: Customers, tasks: Tasks) -> None:
        self._database, self._clock, self._ingest, self._customers = database, clock, ingest, known
        self._tasks = tasks

    async def take(self, incoming: Incoming) -> bool:
        """Do what a text says; the same text again changes nothing. Answers whether anybody has the address."""
        async with self._database.transaction() as connection:
            writers = await _writers(connection, incoming)
        if not writers:
            log.info("a text from an address that no customer has", extra={"means": incoming.means.value})
            return False
        if incoming.means is Reply.START:
            for writer in writers:
                await self._start(incoming, writer)
            return True
        if incoming.means is Reply.OTHER:
            for writer in writers:
                await self._ask_people(incoming, writer)
            return True
        taken = await self._ingest.accept([self._event(incoming, writer) for writer in writers])
        if taken.accepted:  # told again, it was written no later
            for writer in writers:
                async with self._database.transaction() as connection:
                    row = await _locked(connection, writer)
                    if not row["erased_at"]:
                        await self._hear(connection, incoming, row)
        return True

    async def _start(self, incoming: Incoming, writer: RowMapping) -> None:
        """An explicit yes, newer than every no."""
        async with self._database.transaction() as connection:
            row = await _locked(connection, writer)
            event = structs.replace(self._event(incoming, writer), customer_id=row["customer_id"])
            if row["erased_at"] or not await events.insert(connection, [event]):
                return
            await self._hear(connection, incoming, row)
            granted = Consent(status=ConsentStatus.GRANTED, at=self._clock.now(), source=_SOURCES[incoming.channel])
            change = Change(consents={incoming.channel.value: granted})
            await self._customers.change(connection, row["customer_id"], change)
        self._database.wake()

    async def _ask_people(self, incoming: Incoming, writer: RowMapping) -> None:
        """No rule answers this: somebody must (S63)."""
        async with self._database.transaction() as connection:
            row = await _locked(connection, writer)
            event = structs.replace(self._event(incoming, writer), customer_id=row["customer_id"])
            if row["erased_at"] or not await events.insert(connection, [event]):
                return
            await self._hear(connection, incoming, row)
            await self._tasks.answer(connection, row, incoming.channel, incoming.text.replace("\x00", ""))
        self._database.wake()

    async def _hear(self, connection: AsyncConnection, incoming: Incoming, writer: RowMapping) -> None:
        """Remember when they wrote: WhatsApp takes free words from us for a day from then."""
        if incoming.channel is not Channel.SMS:
            now = self._clock.now()
            await addresses.heard(connection, writer["id"], incoming.channel.value, incoming.address, now)

    def _event(self, incoming: Incoming, writer: RowMapping) -> NewEvent:
        properties: Mapping[str, Any]
        if incoming.means is Reply.STOP:
            name, properties = OPTED_OUT, {"channel": incoming.channel.value}
        else:
            name, properties = REPLIED, _answer(incoming)
        return told_once(
            f"{incoming.gateway}:{incoming.provider_id}:{writer['id']}",
            customer_id=writer["customer_id"],
            name=name,
            at=self._clock.now(),
            source=incoming.gateway,
            properties=properties,
        )


async def _locked(connection: AsyncConnection, writer: RowMapping) -> RowMapping:
    """A writer under their lock, whoever that is by now."""
    return await customers.by_id(connection, await lock_customer(connection, writer["id"]))


async def _writers(connection: AsyncConnection, incoming: Incoming) -> Sequence[RowMapping]:
    if incoming.channel is Channel.TELEGRAM:
        return await addresses.owners(connection, incoming.channel.value, incoming.address)
    return await customers.by_phone(connection, incoming.address)


def _answer(incoming: Incoming) -> Mapping[str, Any]:
    text = incoming.text.replace("\x00", "")
    return {"channel": incoming.channel.value, "means": incoming.means.value, "text": text}
