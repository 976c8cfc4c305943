"""All that is stored about one person, as one JSON document: their right to see it."""

from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, personal
from adapters.database.connection import Database
from domain.errors import NotFound
from services import audit
from services.audit import Actor


class Exporting:
    """Reads everything that `personal` lists, at one moment, a few rows at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, connection: AsyncConnection, customer_id: str, *, actor: Actor) -> str:
        """Note in the audit log that somebody takes a copy. Answers our id of the customer. Raises NotFound."""
        row = await customers.by_company_id(connection, customer_id)
        if row is None:
            raise NotFound("customer", customer_id)
        await audit.write(connection, actor, "customer.exported", kind="customer", subject=row["id"])
        return str(row["id"])

    async def pieces(self, ours: str) -> AsyncIterator[bytes]:
        """The document: for each table the customer's rows, by the names of its columns."""
        async with self._database.transaction() as connection:
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            opening = b"{"
            for table in personal.exported():
                yield opening + b'"%s":[' % table.encode()
                comma = b""
                async for row in personal.rows(connection, table, ours):
                    yield comma + row
                    comma = b","
                yield b"]"
                opening = b","
            yield b"}"
