"""Browsers: subscriptions to push messages, added and taken back on a page that only this customer has the link to."""

from collections.abc import Mapping

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import addresses, customers
from adapters.database.connection import Database, lock_customer
from adapters.links import Links
from domain.clock import Clock
from domain.customers import Consent, ConsentStatus
from domain.errors import NotFound
from domain.messages import Channel
from services.customers import Change, Customers

SOURCE = "browser"
MOST = 20  # subscriptions of one customer; the oldest give way


class Browsers:
    """Reads subscription links and does what their page asks."""

    def __init__(self, database: Database, clock: Clock, links: Links, known: Customers) -> None:
        self._database, self._clock, self._links, self._customers = database, clock, links, known

    def link(self, customer: str) -> str | None:
        """A customer's own page, good for thirty days. None where no key is set."""
        return self._links.web_push(customer, self._clock.now())

    async def read(self, token: str) -> str | None:
        """The customer's language behind a link. Changes nothing. Raises NotFound."""
        async with self._database.transaction() as connection:
            locale: str | None = (await self._whose(connection, token))["locale"]
        return locale

    async def subscribe(self, token: str, endpoint: str, keys: Mapping[str, str]) -> None:
        """One more browser, and a yes to it. Whoever had it before has it no more. Raises NotFound."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            row = await self._whose(connection, token, locked=True)
            await addresses.take_over(connection, row["id"], Channel.WEB_PUSH.value, endpoint, keys, now, most=MOST)
            granted = Consent(status=ConsentStatus.GRANTED, at=now, source=SOURCE)
            await self._customers.change(
                connection, row["customer_id"], Change(consents={Channel.WEB_PUSH.value: granted})
            )
        self._database.wake()

    async def forget(self, token: str, endpoint: str) -> None:
        """This browser no more. Raises NotFound."""
        async with self._database.transaction() as connection:
            row = await self._whose(connection, token, locked=True)
            await addresses.forget(connection, row["id"], Channel.WEB_PUSH.value, [endpoint])

    async def _whose(self, connection: AsyncConnection, token: str, *, locked: bool = False) -> RowMapping:
        ours = self._links.read_web_push(token, self._clock.now())
        row = await customers.find(connection, await lock_customer(connection, ours) if locked else ours)
        if row is None or row["erased_at"]:
            raise NotFound("link", token[:12])
        return row
