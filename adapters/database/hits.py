"""SQL for opens and clicks, and for where the links of letters lead."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.tracking import Grade, Hit, HitKind, Reason

A_DAY = 10  # hits kept of one link and sign


async def target(connection: AsyncConnection, send: UUID, number: int) -> str | None:
    """Where a link of a letter leads; None when nothing is kept of it, or no longer."""
    rows = await connection.execute(
        text("SELECT links[cast(:place AS int)] FROM sends WHERE id = :send"), {"send": send, "place": number + 1}
    )
    found: str | None = rows.scalar_one_or_none()
    return found


async def keep(connection: AsyncConnection, send: UUID, hit: Hit) -> None:
    """Keep a hit on a letter that went out to somebody not erased: one a second, ten a day by link and sign (F40)."""
    await connection.execute(
        text("""
            INSERT INTO hits (send, kind, number, sign, at)
            SELECT id, :kind, :number, :sign, :at FROM sends
            WHERE id = :send AND called_at IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM customers c WHERE c.id = sends.customer AND c.erased_at IS NOT NULL)
              AND :most > (
                SELECT count(*) FROM hits
                WHERE send = :send AND kind = :kind AND number = :number AND sign = :sign AND at > :since)
            ON CONFLICT DO NOTHING
        """),
        {
            "send": send,
            "kind": hit.kind.value,
            "number": hit.number,
            "sign": hit.sign.value,
            "at": hit.at,
            "since": hit.at - timedelta(days=1),
            "most": A_DAY,
        },
    )


async def ungraded(connection: AsyncConnection, until: datetime, limit: int) -> Sequence[RowMapping]:
    """Some sends that have hits to grade, with their customers."""
    rows = await connection.execute(
        text("""
            SELECT id, customer FROM sends
            WHERE id IN (SELECT send FROM hits WHERE grade IS NULL AND at <= :until ORDER BY at LIMIT :limit)
        """),
        {"until": until, "limit": limit},
    )
    return rows.mappings().all()


async def letter(connection: AsyncConnection, send: UUID) -> RowMapping:
    """What is told of a letter when it is opened or clicked."""
    rows = await connection.execute(
        text("""
            SELECT s.id, s.message, s.channel, s.called_at, e.journey, e.about, c.customer_id, c.erased_at
            FROM sends s JOIN enrollments e ON e.id = s.enrollment JOIN customers c ON c.id = s.customer
            WHERE s.id = :send
        """),
        {"send": send},
    )
    return rows.mappings().one()


async def of_letter(connection: AsyncConnection, send: UUID) -> list[Hit]:
    """All hits on a letter."""
    rows = await connection.execute(
        text("SELECT kind, number, at, sign, grade, reason FROM hits WHERE send = :send ORDER BY at, kind, number"),
        {"send": send},
    )
    return [
        Hit(
            kind=HitKind(row.kind),
            number=row.number,
            at=row.at,
            sign=Reason(row.sign),
            grade=Grade(row.grade) if row.grade else None,
            reason=Reason(row.reason or ""),
        )
        for row in rows
    ]


async def store_grades(connection: AsyncConnection, send: UUID, graded: Iterable[Hit]) -> None:
    """Write the grades of some hits."""
    hits = list(graded)
    await connection.execute(
        text("""
            UPDATE hits SET grade = given.grade, reason = given.reason
            FROM unnest(cast(:kinds AS text[]), cast(:numbers AS int[]), cast(:signs AS text[]),
                        cast(:ats AS timestamptz[]), cast(:grades AS text[]), cast(:reasons AS text[]))
                AS given (kind, number, sign, at, grade, reason)
            WHERE hits.send = :send AND (hits.kind, hits.number, hits.sign, hits.at)
                = (given.kind, given.number, given.sign, given.at)
        """),
        {
            "send": send,
            "kinds": [hit.kind.value for hit in hits],
            "numbers": [hit.number for hit in hits],
            "signs": [hit.sign.value for hit in hits],
            "ats": [hit.at for hit in hits],
            "grades": [hit.grade.value if hit.grade else None for hit in hits],
            "reasons": [hit.reason.value for hit in hits],
        },
    )
