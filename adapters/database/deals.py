"""SQL for deals. Whoever changes one holds its customer's lock."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.deals import Deal, DealStatus


async def put(connection: AsyncConnection, customer: str, deal: Deal, at: datetime) -> bool:
    """Set a deal of a customer, new or known. False when it is another customer's."""
    rows = await connection.execute(
        text("""
            INSERT INTO deals AS d (deal_id, customer, pipeline, stage, amount, currency, owner, closes_at, status,
                lost_reason, opened_at, ended_at)
            VALUES (:deal_id, :customer, :pipeline, :stage, :amount, :currency, :owner, :closes_at, :status,
                :lost_reason, :at, :ended_at)
            ON CONFLICT (deal_id) DO UPDATE SET pipeline = excluded.pipeline, stage = excluded.stage,
                amount = excluded.amount, currency = excluded.currency, owner = excluded.owner,
                closes_at = excluded.closes_at, status = excluded.status, lost_reason = excluded.lost_reason,
                ended_at = CASE WHEN excluded.status = d.status THEN d.ended_at ELSE excluded.ended_at END
            WHERE d.customer = excluded.customer RETURNING 1
        """),
        {
            **asdict(deal),
            "status": deal.status.value,
            "customer": customer,
            "at": at,
            "ended_at": None if deal.status is DealStatus.OPEN else at,
        },
    )
    return rows.first() is not None


async def get(connection: AsyncConnection, deal_id: str) -> RowMapping | None:
    """A deal by the company's own id, with its customer's."""
    rows = await connection.execute(
        text("SELECT d.*, c.customer_id FROM deals d JOIN customers c ON c.id = d.customer WHERE d.deal_id = :id"),
        {"id": deal_id},
    )
    return rows.mappings().one_or_none()


async def page(connection: AsyncConnection, customer: str, *, before: str | None, limit: int) -> Sequence[RowMapping]:
    """A customer's deals, the newest first, before one by our id."""
    rows = await connection.execute(
        text("""
            SELECT d.*, c.customer_id FROM deals d JOIN customers c ON c.id = d.customer
            WHERE d.customer = :customer AND (cast(:before AS text) IS NULL OR d.id < :before)
            ORDER BY d.id DESC LIMIT :limit
        """),
        {"customer": customer, "before": before, "limit": limit},
    )
    return rows.mappings().all()
