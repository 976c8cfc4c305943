"""Project: choose customers whose events wait, lock them, and apply each event once and in order."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import unapplied
from adapters.database.connection import (
    Database,
    News,
    is_held_up,
    lock_customer,
    try_lock_customers,
    will_pass,
)
from adapters.database.unapplied import Waiting
from domain.clock import Clock, Pace
from services import identities
from services.applying import Applying
from services.catalogue import Catalogue
from services.segments import Segments

AT_ONCE = 4  # transactions side by side, in one process
TOGETHER = 50  # customers in one, and
EVENTS_TOGETHER = 500  # about so many events: their locks are held until all are applied

log = logging.getLogger(__name__)


class Projector:
    """Moves customers on past their pending events (design 4.3)."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        pace: Pace,
        catalogue: Catalogue,
        segments: Segments | None = None,
    ) -> None:
        self._database, self._clock, self._catalogue = database, clock, catalogue
        self._applying = Applying(clock, pace, catalogue, segments)

    async def project_some(self, limit: int = 500) -> int:
        """Project customers who have pending events. Answers how many events were applied."""
        async with self._database.autocommit() as connection:
            waiting = await unapplied.customers_waiting(connection, limit)
        gate = asyncio.Semaphore(AT_ONCE)

        async def project(customers: Sequence[str]) -> int:
            async with gate:
                return await self._project(customers)

        groups = _groups(await self._whose(waiting))
        applied = sum(await asyncio.gather(*map(project, groups)))
        if applied:
            self._database.wake(News.CONSEQUENCES)
        return applied

    async def _whose(self, waiting: Iterable[Waiting]) -> dict[str, int]:
        """How many events wait, by customer, who is minted when new. Left out is of whom nothing is left, for they were
        erased.

        Committed: holding its unique index through the lock could deadlock with ingest.
        """
        surrogates, now = self._catalogue.surrogates, self._clock.now()
        found = dict[str, int]()
        new = {each.customer_id: each.events for each in waiting if each.customer is None}
        known = dict[str, str]()
        if new:
            async with self._database.transaction() as connection:
                known = await identities.identify(connection, surrogates, list(new), now)
        for each in waiting:
            customer = each.customer or known.get(each.customer_id)
            if customer is None:
                async with self._database.transaction() as connection:
                    customer = await identities.come_back(connection, surrogates, each.customer_id, now)
            if customer:
                found[customer] = found.get(customer, 0) + each.events
        return found

    async def _project(self, customers: Sequence[str]) -> int:
        try:
            async with self._database.transaction() as connection:
                # Those whom somebody else is at are left out; the next round finds what is left of them.
                locked = await try_lock_customers(connection, customers)
                return await self.apply_pending(connection, *locked)
        except Exception as error:
            # Held up at one of many, such as by a refresh of a segment: alone, nobody else's lock is held meanwhile.
            if len(customers) > 1 and (is_held_up(error) or not will_pass(error)):
                return sum([await self._project([each]) for each in customers])
            if will_pass(error):
                raise
            log.exception("projection failed; setting the poison aside", extra={"customer": customers[0]})
            return await self._one_by_one(customers[0])

    async def apply_pending(self, connection: AsyncConnection, *customers: str) -> int:
        """Apply all pending events of customers, and those that this brings about. The caller holds their locks."""
        applied, waiting = 0, sorted(customers)
        while waiting:
            pending = await unapplied.of(connection, waiting)
            for customer, event, problem in pending.unreadable:
                await self._applying.quarantine(connection, customer, event, problem)
            applied += len(pending.unreadable) + sum(map(len, pending.events.values()))
            waiting = sorted(await self._applying.apply(connection, pending.events)) if pending.events else []
        return applied

    async def _one_by_one(self, customer: str) -> int:
        """After a failure: each event in its own transaction, and the one that fails into quarantine."""
        async with self._database.transaction() as connection:
            waiting = (await unapplied.of(connection, [customer])).events.get(customer, [])
        for event in waiting:
            try:
                async with self._database.transaction() as connection:
                    customer = await lock_customer(connection, customer)
                    if await unapplied.is_pending(connection, event.id):  # not taken by somebody else meanwhile
                        await self._applying.apply(connection, {customer: [event]})
            except Exception as error:
                if will_pass(error):
                    raise
                async with self._database.transaction() as connection:
                    customer = await lock_customer(connection, customer)
                    if await unapplied.is_pending(connection, event.id):
                        await self._applying.quarantine(connection, customer, event, type(error).__name__)
        return len(waiting)


def _groups(waiting: Mapping[str, int]) -> Iterator[list[str]]:
    """Customers to project together: some with few events, or one with many."""
    group, size = list[str](), 0
    for customer, count in waiting.items():
        if group and (len(group) == TOGETHER or size + count > EVENTS_TOGETHER):
            yield group
            group, size = [], 0
        group.append(customer)
        size += count
    if group:
        yield group
