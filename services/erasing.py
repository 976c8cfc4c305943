"""Erasing a customer: journeys stop and personal data goes, everywhere, in one transaction (F45, decision record 4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, erasures, personal, unapplied
from adapters.database.connection import lock_customer
from domain.clock import Clock
from domain.errors import NotFound
from domain.journeys import Leaving
from services import audit
from services.addresses import addresses_of
from services.audit import Actor
from services.restrict import Restrictions

REASON = "erased"


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """Who was erased, by our id, and when."""

    customer: str
    at: datetime


class Erasing:
    """Erases in the caller's transaction, under the customer's lock."""

    def __init__(self, clock: Clock, restrictions: Restrictions) -> None:
        self._clock, self._restrictions = clock, restrictions
        self._surrogates = restrictions.surrogates

    async def erase(self, connection: AsyncConnection, customer_id: str, *, actor: Actor) -> Erasure:
        """Erase a customer by the company's id; one who was erased stays so. Raises NotFound."""
        known = (await customers.ours(connection, [customer_id])).get(customer_id)
        if known is None and (before := await self.erased(connection, customer_id)):
            return before
        if known is None and await unapplied.waiting(connection, customer_id):  # told of, and not yet projected
            known = (await customers.identify(connection, [customer_id], self._clock.now()))[customer_id]
        if known is None:
            raise NotFound("customer", customer_id)
        return await self._erase(connection, known, actor)

    async def erased(self, connection: AsyncConnection, customer_id: str) -> Erasure | None:
        """The latest erasure of somebody whom the company called so."""
        key = self._surrogates.customer(customer_id)
        found = (await erasures.latest(connection, [key])).get(key)
        return Erasure(customer=found["customer"], at=found["at"]) if found else None

    async def called_now(self, connection: AsyncConnection, customer_id: str) -> str:
        """The company's id of a customer; of one who was erased and has not come back, what stands in its place."""
        if customer_id in await customers.ours(connection, [customer_id]):
            return customer_id
        erasure = await self.erased(connection, customer_id)
        return f"erased:{erasure.customer}" if erasure else customer_id

    async def replay(
        self, connection: AsyncConnection, listed: Iterable[tuple[UUID, str, datetime]], *, actor: Actor
    ) -> int:
        """Erase again, on a restored backup, who was erased after it was made. Answers how many there were."""
        again = 0
        for key, ours, at in listed:
            await erasures.insert(connection, [key], ours, at)
            row = await customers.find(connection, ours)
            if row is not None and row["erased_at"] is None:
                await self._erase(connection, ours, actor)
                again += 1
        return again

    async def _erase(self, connection: AsyncConnection, who: str, actor: Actor) -> Erasure:
        ours, now = await lock_customer(connection, who), self._clock.now()
        row = await customers.by_id(connection, ours)
        if row["erased_at"]:
            return Erasure(customer=ours, at=row["erased_at"])
        await self._restrictions.leave_all(connection, ours, Leaving.ERASED, "left_erased")
        written_to = await erasures.addresses(connection, ours)
        here = [(c.value, each.address) for c, known in (await addresses_of(connection, row)).items() for each in known]
        for channel, address in sorted({*written_to, *here}):
            key = self._surrogates.address(channel, address)
            await customers.suppress(connection, channel, key, REASON, now)
        keys = [self._surrogates.customer(each) for each in await erasures.company_ids(connection, ours)]
        await erasures.insert(connection, keys, ours, now)
        await erasures.settle_pending(connection, ours)
        names = [(i, self._surrogates.event(name)) for i, name in await erasures.event_ids(connection, ours)]
        await erasures.rename_events(connection, names)
        await personal.clear(connection, ours, now)
        await audit.write(connection, actor, "customer.erased", kind="customer", subject=ours)
        return Erasure(customer=ours, at=now)
