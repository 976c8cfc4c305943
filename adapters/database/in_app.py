"""SQL for notices on the company's site: sends of the ledger that wait for their reader."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.messages import Channel

MOST = 20  # that a site is given at once


async def unread(connection: AsyncConnection, customer: str, now: datetime) -> Sequence[RowMapping]:
    """Notices within their shelf life that nobody saw, the newest first, each with how its walk stands.

    One whose touch was seen by another channel is none.
    """
    rows = await connection.execute(
        text("""
            SELECT s.id, s.message, s.called_at, s.expires_at, s.rendered, e.journey, e.paused_at, e.outcome, e.leaving
            FROM sends s JOIN enrollments e ON e.id = s.enrollment
            WHERE s.customer = :customer AND s.channel = :channel AND s.state = 'accepted' AND s.expires_at > :now
                AND NOT EXISTS (SELECT FROM sends leg WHERE leg.enrollment = s.enrollment AND leg.message = s.message
                    AND leg.visit = s.visit AND leg.seen_at IS NOT NULL)
            ORDER BY s.called_at DESC, s.id LIMIT :most
        """),
        {"customer": customer, "channel": Channel.IN_APP.value, "now": now, "most": MOST},
    )
    return rows.mappings().all()


async def of_customer(connection: AsyncConnection, customer: str, among: Collection[UUID]) -> Sequence[UUID]:
    """Which of these sends are notices to a customer, seen or not."""
    rows = await connection.execute(
        text("SELECT id FROM sends WHERE id = ANY(:among) AND customer = :customer AND channel = :channel ORDER BY id"),
        {"among": list(among), "customer": customer, "channel": Channel.IN_APP.value},
    )
    return [row.id for row in rows]
