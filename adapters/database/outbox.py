"""SQL for the sandbox outbox, as the console shows it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

_FROM = """
    FROM sandbox_outbox o JOIN sends s ON s.id = o.send JOIN enrollments e ON e.id = s.enrollment
    JOIN customers c ON c.id = s.customer
"""


async def newest(
    connection: AsyncConnection, *, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[RowMapping]:
    """Messages, newest first, before a place."""
    at, send = before or (None, None)
    rows = await connection.execute(
        text(f"""
            SELECT o.send, o.at, o.channel, o.recipient, o.subject, left(o.text, 200) AS beginning,
                   s.message, e.journey, c.customer_id, c.timezone, c.phone, c.attributes
            {_FROM}
            WHERE cast(:at AS timestamptz) IS NULL OR (o.at, o.send) < (:at, cast(:send AS uuid))
            ORDER BY o.at DESC, o.send DESC LIMIT :limit
        """),
        {"at": at, "send": send, "limit": limit},
    )
    return rows.mappings().all()


async def one(connection: AsyncConnection, send: UUID) -> RowMapping | None:
    """One message, whole."""
    rows = await connection.execute(
        text(f"""
            SELECT o.*, s.message, s.purpose, s.links, s.enrollment, e.journey,
                   c.customer_id, c.timezone, c.phone, c.attributes
            {_FROM}
            WHERE o.send = :send
        """),
        {"send": send},
    )
    return rows.mappings().one_or_none()
