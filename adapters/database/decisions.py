"""SQL for what was decided about a customer, newest first."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text


async def page(
    connection: AsyncConnection, customer: str, *, before: int | None, limit: int, since: datetime | None
) -> Sequence[RowMapping]:
    """A customer's decisions older than number `before`, with the message and journey that each is about."""
    rows = await connection.execute(
        text("""
            SELECT d.id, d.at, d.state, d.rule, d.facts, d.enrollment, d.send, e.journey, e.about, s.message, s.channel
            FROM decisions d LEFT JOIN enrollments e ON e.id = d.enrollment LEFT JOIN sends s ON s.id = d.send
            WHERE d.customer = :customer AND (cast(:before AS bigint) IS NULL OR d.id < :before)
              AND (cast(:since AS timestamptz) IS NULL OR d.at >= :since)
            ORDER BY d.id DESC LIMIT :limit
        """),
        {"customer": customer, "before": before, "limit": limit, "since": since},
    )
    return rows.mappings().all()
