"""Opting out by a link: once for each yes, however often the button is pressed."""

import hashlib

from adapters.database import customers
from adapters.database.connection import Database
from adapters.database.events import NewEvent
from adapters.links import Links
from domain.clock import Clock
from domain.customers import ConsentStatus, in_force
from domain.errors import NotFound
from domain.events import OPTED_OUT
from domain.messages import Channel
from services.ingest import Ingest


class OptingOut:
    """Reads unsubscribe links and does what they say."""

    def __init__(self, database: Database, clock: Clock, links: Links, ingest: Ingest) -> None:
        self._database, self._clock, self._links, self._ingest = database, clock, links, ingest

    async def read(self, token: str) -> tuple[Channel, str | None]:
        """The channel and the customer's language behind a link. Changes nothing. Raises NotFound."""
        meant = self._links.read_unsubscribe(token)
        async with self._database.transaction() as connection:
            row = await customers.find(connection, meant.customer)
        if row is None:
            raise NotFound("link", token[:12])
        return meant.channel, row["locale"]

    async def opt_out(self, token: str) -> None:
        """Put the refusal in force now. Raises NotFound.

        A customer's link stays the same for ever, so the event's id also holds the word that it takes back: pressed
        twice it is one opt-out, and after a new yes it is a new one.
        """
        meant = self._links.read_unsubscribe(token)
        async with self._database.transaction() as connection:
            row = await customers.find(connection, meant.customer)
            consents = await customers.consents_of(connection, row["id"]) if row else {}
        if row is None:
            raise NotFound("link", token[:12])
        if row["erased_at"]:  # nothing is sent any more
            return
        word = in_force(consents, meant.channel)
        if word and word.status is ConsentStatus.DENIED:
            return
        takes_back = word.at.isoformat() if word else ""
        digest = hashlib.sha256(f"{meant.customer}/{meant.channel}/{takes_back}".encode()).digest()
        now = self._clock.now()
        event = NewEvent(
            event_id=f"unsubscribe:{digest.hex()}",
            customer_id=row["customer_id"],
            name=OPTED_OUT,
            occurred_at=max(now, word.at) if word else now,
            received_at=now,
            source="unsubscribe link",
            about="",
            properties=b'{"channel":"%s"}' % meant.channel.value.encode(),
            digest=digest,
        )
        await self._ingest.accept([event])
