"""SQL for what providers report of sends that they took: kept as it came, applied by rank."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.deliveries import Delivery, Report


async def insert(connection: AsyncConnection, report: Report, at: datetime) -> int | None:
    """Keep a report. None for one that was kept before."""
    rows = await connection.execute(
        text("""
            INSERT INTO reports (gateway, provider_id, status, code, send, received_at)
            VALUES (:gateway, :provider_id, :status, :code, :send, :at) ON CONFLICT DO NOTHING RETURNING id
        """),
        {
            "gateway": report.gateway,
            "provider_id": report.provider_id,
            "status": report.status,
            "code": report.code,
            "send": report.send,
            "at": at,
        },
    )
    found: int | None = rows.scalar_one_or_none()
    return found


async def find_send(connection: AsyncConnection, report: Report) -> RowMapping | None:
    """The send that a report is about: the one it proves, or the one that has its provider's id."""
    rows = await connection.execute(
        text("""
            SELECT * FROM sends WHERE gateway = :gateway AND (
                id = cast(:send AS uuid) OR cast(:send AS uuid) IS NULL AND provider_id = :id)
            ORDER BY claimed_at LIMIT 1
        """),
        {"gateway": report.gateway, "send": report.send, "id": report.provider_id},
    )
    return rows.mappings().one_or_none()


async def prove(connection: AsyncConnection, send: UUID, provider_id: str, rule: str) -> bool:
    """A report proves that the provider took a send, whatever we knew or had concluded. Answers whether it is news."""
    rows = await connection.execute(
        text("""
            UPDATE sends SET state = 'accepted', rule = :rule, provider_id = :provider_id
            WHERE id = :id AND (state IN ('claimed', 'unknown') OR state = 'failed' AND rule = 'never_arrived')
            RETURNING 1
        """),
        {"id": send, "provider_id": provider_id, "rule": rule},
    )
    return rows.first() is not None


async def rise(connection: AsyncConnection, send: UUID, delivery: Delivery, code: str) -> bool:
    """Move how far a send has come; never back, and nothing replaces a final word (F28)."""
    rows = await connection.execute(
        text("""
            UPDATE sends SET delivery = :delivery, delivery_rank = :rank, delivery_code = nullif(:code, '')
            WHERE id = :id AND delivery_rank < :rank RETURNING 1
        """),
        {"id": send, "delivery": delivery.value, "rank": delivery.rank, "code": code},
    )
    return rows.first() is not None


async def applied(connection: AsyncConnection, report: int, at: datetime) -> None:
    """A report did what it does."""
    await connection.execute(
        text("UPDATE reports SET applied_at = :at WHERE id = :id AND applied_at IS NULL"), {"id": report, "at": at}
    )


async def parked(connection: AsyncConnection, limit: int) -> Sequence[RowMapping]:
    """Reports whose send we now know, which we did not when they came (F30)."""
    rows = await connection.execute(
        text("""
            SELECT r.id, r.gateway, r.provider_id, r.status, r.code, r.send FROM reports r
            WHERE r.applied_at IS NULL AND r.orphaned_at IS NULL AND EXISTS (
                SELECT 1 FROM sends s WHERE s.gateway = r.gateway AND (s.id = r.send OR s.provider_id = r.provider_id))
            ORDER BY r.id LIMIT :limit
        """),
        {"limit": limit},
    )
    return rows.mappings().all()


async def give_up(connection: AsyncConnection, *, before: datetime, at: datetime) -> int:
    """Reports that waited too long for a send of ours: orphans. Answers how many."""
    rows = await connection.execute(
        text("""
            UPDATE reports SET orphaned_at = :at
            WHERE applied_at IS NULL AND orphaned_at IS NULL AND received_at < :before RETURNING 1
        """),
        {"before": before, "at": at},
    )
    return len(rows.all())


async def silent(
    connection: AsyncConnection,
    gateways: Sequence[str],
    *,
    after: datetime,
    before: datetime,
    asked_before: datetime,
    limit: int,
) -> Sequence[RowMapping]:
    """Accepted sends, called between two instants of business time, whose end nobody reported (F31, F32)."""
    rows = await connection.execute(
        text("""
            SELECT id, customer, gateway, provider_id, called_at FROM sends
            WHERE state = 'accepted' AND delivery_rank < 5 AND gateway = ANY(:gateways) AND provider_id IS NOT NULL
              AND called_at > :after AND called_at <= :before
              AND (delivery_asked_at IS NULL OR delivery_asked_at <= :asked_before)
            ORDER BY called_at LIMIT :limit
        """),
        {
            "gateways": list(gateways),
            "after": after,
            "before": before,
            "asked_before": asked_before,
            "limit": limit,
        },
    )
    return rows.mappings().all()


async def asked(connection: AsyncConnection, ids: Sequence[UUID], at: datetime) -> None:
    """Remember when a provider was asked how far these sends have come."""
    await connection.execute(
        text("UPDATE sends SET delivery_asked_at = :at WHERE id = ANY(:ids)"), {"ids": list(ids), "at": at}
    )
