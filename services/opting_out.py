"""Opting out by a link: once for each yes, however often the button is pressed; and the reason, if they tell it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import RowMapping

from adapters.database import customers
from adapters.database.connection import Database
from adapters.database.events import told_once
from adapters.links import Links, Unsubscribe
from domain.clock import Clock
from domain.customers import Consent, ConsentStatus, in_force
from domain.errors import NotFound
from domain.events import OPTED_OUT, UNSUBSCRIBE_REASON
from domain.messages import Channel
from services.ingest import Ingest


class Reason(StrEnum):
    """Why somebody left, as far as we ask (S93, S97)."""

    TOO_OFTEN = "too_often"
    NOT_RELEVANT = "not_relevant"
    ONLY_SELLING = "only_selling"
    NEVER_SIGNED_UP = "never_signed_up"
    ANOTHER = "another"


@dataclass(frozen=True, kw_only=True)
class Leaver:
    """Whose link it is (our id), for which channel, and whether a no to it is in force."""

    customer: str
    channel: Channel
    locale: str | None
    said_no: bool


class OptingOut:
    """Reads unsubscribe links and does what they say."""

    def __init__(self, database: Database, clock: Clock, links: Links, ingest: Ingest) -> None:
        self._database, self._clock, self._links, self._ingest = database, clock, links, ingest

    async def read(self, token: str) -> Leaver:
        """Who is behind a link. Changes nothing. Raises NotFound."""
        meant, row, word = await self._find(token)
        return Leaver(customer=row["id"], channel=meant.channel, locale=row["locale"], said_no=_is_no(word))

    async def opt_out(self, token: str) -> None:
        """Put the refusal in force now. Raises NotFound.

        A customer's link stays the same for ever, so the event's id also holds the word that it takes back: pressed
        twice it is one opt-out, and after a new yes it is a new one.
        """
        meant, row, word = await self._find(token)
        if _is_no(word):
            return
        takes_back = word.at.isoformat() if word else ""
        key = f"{meant.customer}/{meant.channel}/{takes_back}"
        now = self._clock.now()
        at = max(now, word.at) if word else now
        properties = {"channel": meant.channel.value}
        await self._accept(row, OPTED_OUT, "unsubscribe", key, properties, at=at, source="unsubscribe link")

    async def give_reason(self, token: str, reason: Reason) -> None:
        """Store why they left, once for each opt-out and reason; nothing while no opt-out holds. Raises NotFound."""
        meant, row, word = await self._find(token)
        if word is None or not _is_no(word):
            return
        key = f"{meant.customer}/{meant.channel}/{word.at.isoformat()}/{reason}"
        properties = {"reason": reason.value, "channel": meant.channel.value}
        at = self._clock.now()
        name = UNSUBSCRIBE_REASON
        await self._accept(row, name, name, key, properties, at=at, source="unsubscribe page")

    async def _find(self, token: str) -> tuple[Unsubscribe, RowMapping, Consent | None]:
        meant = self._links.read_unsubscribe(token)
        async with self._database.transaction() as connection:
            row = await customers.find(connection, meant.customer)
            consents = await customers.consents_of(connection, row["id"]) if row else {}
        if row is None or row["erased_at"]:
            raise NotFound("link", token[:12])
        return meant, row, in_force(consents, meant.channel)

    async def _accept(
        self,
        row: RowMapping,
        name: str,
        prefix: str,
        key: str,
        properties: dict[str, str],
        *,
        at: datetime,
        source: str,
    ) -> None:
        event = told_once(
            f"{prefix}:{hashlib.sha256(key.encode()).hexdigest()}",
            customer_id=row["customer_id"],
            name=name,
            at=at,
            received_at=self._clock.now(),
            source=source,
            properties=properties,
        )
        await self._ingest.accept([event])


def _is_no(word: Consent | None) -> bool:
    return word is not None and word.status is ConsentStatus.DENIED
