"""Ingest: store a batch of events in one commit, and nothing else, except restrictions, which do not wait."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, events
from adapters.database.connection import Database, lock_customers
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
        first: dict[str, NewEvent] = {}
        answer = Accepted()
        for position, event in enumerate(batch):
            known = first.setdefault(event.event_id, event)
            if known is not event:
                self._repeated(answer, position, same=known.digest == event.digest)

        unique = list(first.values())
        async with self._database.transaction() as connection:
            restricted = await self._lock_restricted(connection, unique)
            new = await events.insert(connection, unique)
            if len(new) < len(unique):
                stored = await events.digests(connection, [e.event_id for e in unique if e.event_id not in new])
                for position, event in enumerate(batch):
                    if event.event_id in stored and first[event.event_id] is event:
                        self._repeated(answer, position, same=stored[event.event_id] == event.digest)
            await self._restrict(connection, unique, new, restricted)
        answer.accepted = len(new)
        if new:
            self._database.wake()
        return answer

    @staticmethod
    def _repeated(answer: Accepted, position: int, *, same: bool) -> None:
        if same:
            answer.duplicates += 1
        else:
            answer.conflicts.append(position)

    async def _lock_restricted(self, connection: AsyncConnection, batch: Sequence[NewEvent]) -> dict[str, str]:
        """Identify and lock the customers whom the batch restricts, in the order of their keys."""
        ids = [e.customer_id for e in batch if e.name in RESTRICTIONS]
        if not ids:
            return {}
        ours = await identities.identify(connection, self._restrictions.surrogates, ids, self._clock.now())
        await lock_customers(connection, list(ours.values()))
        return await customers.ours(connection, ids)  # again: they may have been merged or erased before the locks

    async def _restrict(
        self, connection: AsyncConnection, batch: Sequence[NewEvent], new: dict[str, UUID], ours: dict[str, str]
    ) -> None:
        for event in batch:
            # One who was erased has nothing that could be restricted.
            if event.name in RESTRICTIONS and event.event_id in new and event.customer_id in ours:
                await self._restrictions.apply(connection, ours[event.customer_id], event)
