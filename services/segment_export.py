"""A segment's customers as a list for people: who they are, and how they stand."""

from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.csv_writing import written
from adapters.database import customers
from adapters.database.connection import Database
from services import audit
from services.audiences import Members
from services.audit import Actor

AT_ONCE = 10_000
COLUMNS = (
    *("customer_id", "email", "phone", "locale", "timezone", "preferred_channel"),
    *("first_seen_at", "stage", "orders", "revenue", "last_order_at", "last_active_at"),
)


class SegmentExport:
    """Writes the list as CSV."""

    def __init__(self, database: Database, members: Members) -> None:
        self._database, self._members = database, members

    async def begin(self, connection: AsyncConnection, segment: str, *, actor: Actor) -> None:
        """Note in the audit log that somebody takes the list. Raises NotFound for an unknown segment."""
        await self._members.members(connection, segment, after="", limit=1)
        await audit.write(connection, actor, "segment.exported", kind="segment", subject=segment)

    async def pieces(self, segment: str) -> AsyncIterator[bytes]:
        """The list, a few customers at a time."""
        yield written([COLUMNS])
        after = ""
        while True:
            async with self._database.transaction() as connection:
                page = await self._members.members(connection, segment, after=after, limit=AT_ONCE)
                rows = await customers.of_ids(connection, [each["id"] for each in page])
            if page:
                yield written([rows[each["id"]][name] for name in COLUMNS] for each in page if each["id"] in rows)
            if len(page) < AT_ONCE:
                return
            after = page[-1]["id"]
