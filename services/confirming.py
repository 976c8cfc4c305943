"""Double opt-in: the owner of an address says themselves that they want to hear from us, on a page of their own."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import consent_requests, customers
from adapters.database.connection import Database, lock_customer
from adapters.links import START_LASTS, Links
from domain.clock import Clock
from domain.customers import Consent, ConsentStatus, in_force
from domain.errors import NotFound
from domain.events import CONSENT_CONFIRMED
from domain.messages import Channel
from services.customers import Customers

SOURCE, PAGE = "double opt-in", "/y/"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody was asked, and where."""

    id: UUID
    at: datetime
    source: str
    wording: str
    proof: str
    topic: str | None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who was asked (our id), what still waits for their answer, and whether a yes is in force."""

    customer: str
    locale: str | None
    waiting: Sequence[Request]
    confirmed: bool


class Confirming:
    """Reads the links of confirmation letters and does what their page asks. `topics` are those there are."""

    def __init__(
        self, database: Database, clock: Clock, links: Links, known: Customers, topics: Collection[str]
    ) -> None:
        self._database, self._clock, self._links = database, clock, links
        self._customers, self._topics = known, topics

    async def read(self, token: str) -> Asked:
        """What waits behind a link. Changes nothing. Raises NotFound."""
        async with self._database.transaction() as connection:
            return await self._asked(connection, await self._whose(connection, token))

    async def confirm(self, token: str, requests: Collection[UUID], wording: str) -> Asked:
        """The yes to requests, those that were shown; `wording` is what they read and pressed. Raises NotFound.

        What was asked since, or answered already, is left alone.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            row = await self._whose(connection, token, locked=True)
            shown = [each for each in (await self._asked(connection, row)).waiting if each.id in requests]
            for scope in sorted({scope for each in shown for scope in self._scopes(each)}):
                word = Consent(
                    status=ConsentStatus.GRANTED,
                    at=now,
                    source=SOURCE,
                    wording=wording,
                    proof="; ".join([*(_proof(each) for each in shown), f"confirmed on {PAGE}"]),
                )
                await self._customers.hear(connection, row, scope, word)
            if shown:
                await self._customers.append(connection, row, CONSENT_CONFIRMED, {"channel": Channel.EMAIL.value})
            asked = await self._asked(connection, row)
        self._database.wake()
        return asked

    def _scopes(self, request: Request) -> Sequence[str]:
        """A yes to a topic is a yes to the channel that it comes by, too."""
        topic = [f"{Channel.EMAIL.value}/{request.topic}"] if request.topic in self._topics else []
        return [Channel.EMAIL.value, *topic]

    async def _whose(self, connection: AsyncConnection, token: str, *, locked: bool = False) -> RowMapping:
        link = self._links.read_confirm(token, self._clock.now())
        ours = await lock_customer(connection, link.customer) if locked else link.customer
        row = await customers.find(connection, ours)
        if row is None or row["erased_at"] or not self._links.is_for(link, row["email"]):
            raise NotFound("link", token[:12])
        return row

    async def _asked(self, connection: AsyncConnection, row: RowMapping) -> Asked:
        """A word that was given since answers a request, be it yes or no."""
        word = in_force(await customers.consents_of(connection, row["id"]), Channel.EMAIL)
        found = await consent_requests.newest(connection, row["id"], self._clock.now() - START_LASTS)
        return Asked(
            customer=row["id"],
            locale=row["locale"],
            waiting=[Request(**each) for each in found if word is None or word.at < each["at"]],
            confirmed=word is not None and word.status is ConsentStatus.GRANTED,
        )


def _proof(request: Request) -> str:
    """When and where it was asked."""
    return f"asked {request.at:%Y-%m-%dT%H:%M:%SZ} by {request.source}{f' ({request.proof})' if request.proof else ''}"
