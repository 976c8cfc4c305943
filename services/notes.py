"""Notes: what colleagues write down about a customer, for whoever speaks to them next (S15, S128)."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, events, notes
from domain.clock import Clock
from domain.errors import NotFound
from services import audit
from services.audit import Actor
from services.customers import Customers


class Notes:
    """Commands run in the caller's transaction."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def add(self, connection: AsyncConnection, customer_id: str, words: str, *, author: Actor) -> RowMapping:
        """A new note. Raises NotFound, and Conflict for a customer who was erased."""
        row = await Customers.locked(connection, await _whose(connection, customer_id))
        note = await notes.insert(
            connection,
            row["id"],
            author=author.id,
            author_name=author.name,
            words=words,
            at=self._clock.now(),
        )
        await events.append(
            connection,
            customer_id=row["customer_id"],
            name="note_added",
            at=note["at"],
            event_id=f"note_added:{note['id']}",
            properties={"note": str(note["id"]), "author": author.name},
        )
        await audit.write(connection, author, "note.added", kind="customer", subject=row["id"])
        return note

    async def page(
        self, connection: AsyncConnection, customer_id: str, *, before: UUID | None, limit: int
    ) -> Sequence[RowMapping]:
        """A customer's notes, newest first. Raises NotFound."""
        return await notes.page(connection, await _whose(connection, customer_id), before=before, limit=limit)


async def _whose(connection: AsyncConnection, customer_id: str) -> str:
    found = await customers.ours(connection, [customer_id])
    if customer_id not in found:
        raise NotFound("customer", customer_id)
    return found[customer_id]
