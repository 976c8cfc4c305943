"""Ingest: store a batch of events in one commit, and nothing else, except restrictions, which do not wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, events
from adapters.database.connection import Database, News, lock_customers
from adapters.database.events import NewEvent
from domain.clock import Clock
from domain.events import RESTRICTIONS
from services import identities
from services.restrict import Restrictions


@dataclass(kw_only=True)
class Accepted:
    """What became of a batch. `conflicts` are positions whose event_id is taken by another body."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: list[int] = field(default_factory=list)


class Ingest:
    """Takes events in (design 4.2 and 4.4)."""

    def __init__(self, database: Database, clock: Clock, restrictions: Restrictions) -> None:
        self._database, self._clock, self._restrictions = database, clock, restrictions

    async def accept(self, batch: Sequence[NewEvent]) -> Accepted:
        """Store a batch once. When this returns it is committed; its restrictions are in force."""
        return (await self.accept_each([batch]))[0]

    async def accept_each(self, batches: Sequence[Sequence[NewEvent]]) -> list[Accepted]:
        """As `accept`, several batches in one commit: all are stored or none is, and each is answered by itself."""
        first: dict[str, NewEvent] = {}
        for batch in batches:
            for event in batch:
                first.setdefault(event.event_id, event)
        unique = list(first.values())
        digests = {event.event_id: event.digest for event in unique}
        restricting = any(event.name in RESTRICTIONS for event in unique)
        if restricting:
            async with self._database.transaction() as connection:
                restricted = await self._lock_restricted(connection, unique)
                new = await events.insert(connection, unique)
                await self._restrict(connection, unique, new, restricted)
        else:
            async with self._database.bare() as driver:
                new = await events.insert_alone(driver, unique)
        if new:
            self._database.wake(*(News if restricting else [News.EVENTS]))
        if len(new) < len(unique):
            async with self._database.transaction() as connection:
                digests |= await events.digests(connection, [each for each in digests if each not in new])
        return [_answer(batch, new, digests) for batch in batches]

    async def _lock_restricted(self, connection: AsyncConnection, batch: Sequence[NewEvent]) -> dict[str, str]:
        """Identify and lock the customers whom the batch restricts, in the order of their keys."""
        ids = [e.customer_id for e in batch if e.name in RESTRICTIONS]
        ours = await identities.identify(connection, self._restrictions.surrogates, ids, self._clock.now())
        await lock_customers(connection, list(ours.values()))
        return await customers.ours(connection, ids)  # again: they may have been merged or erased before the locks

    async def _restrict(
        self, connection: AsyncConnection, batch: Sequence[NewEvent], new: set[str], ours: dict[str, str]
    ) -> None:
        for event in batch:
            # One who was erased has nothing that could be restricted.
            if event.name in RESTRICTIONS and event.event_id in new and event.customer_id in ours:
                await self._restrictions.apply(connection, ours[event.customer_id], event)


def _answer(batch: Sequence[NewEvent], new: set[str], digests: Mapping[str, bytes]) -> Accepted:
    """What became of one batch. Takes what it accepts out of `new`; `digests` are of the bodies that are stored."""
    answer = Accepted()
    for position, event in enumerate(batch):
        if event.event_id in new:
            new.remove(event.event_id)
            answer.accepted += 1
        elif event.digest == digests[event.event_id]:
            answer.duplicates += 1
        else:
            answer.conflicts.append(position)
    return answer
