"""SQL for surveys: what a send asked, and whether that is answered. The answer itself is an event."""

from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text


async def asked(connection: AsyncConnection, send: UUID, answer: str) -> RowMapping | None:
    """The send behind a link, whose it is, and whether an event of the id `answer` is there."""
    rows = await connection.execute(
        text("""
            SELECT s.message, e.journey, e.about, c.customer_id, c.locale, c.erased_at,
                EXISTS (SELECT FROM events WHERE event_id = :answer) AS answered
            FROM sends s JOIN enrollments e ON e.id = s.enrollment JOIN customers c ON c.id = s.customer
            WHERE s.id = :send
        """),
        {"send": send, "answer": answer},
    )
    return rows.mappings().one_or_none()
