"""SQL for notices: what staff were told, and how far each has been mailed. Mailing is machinery: real time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text

LEASE = timedelta(minutes=2)  # longer than a mail server may take


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Words for a colleague about a customer. `at` is business time."""

    id: UUID
    customer: str
    name: str
    recipient: str | None
    title: str
    text: str
    at: datetime
    enrollment: str | None = None


async def insert(connection: AsyncConnection, notices: Sequence[Notice], unsent: str | None) -> set[UUID]:
    """Keep notices, each once; answers which are new. They are to be mailed, unless `unsent` says why not.

    None is ever mailed to the customer whom it is about.
    """
    rows = await connection.execute(
        text("""
            INSERT INTO notices (id, customer, enrollment, name, recipient, title, text, at, done_at, result)
            SELECT given.id, customer, enrollment, name, recipient, title, text, at,
                CASE WHEN why IS NOT NULL THEN now() END, why
            FROM unnest(cast(:ids AS uuid[]), cast(:customers AS text[]), cast(:enrollments AS text[]),
                    cast(:names AS text[]), cast(:recipients AS text[]), cast(:titles AS text[]),
                    cast(:texts AS text[]), cast(:instants AS timestamptz[]))
                AS given (id, customer, enrollment, name, recipient, title, text, at)
            JOIN customers c ON c.id = customer
            CROSS JOIN LATERAL (SELECT CASE WHEN recipient IS NULL THEN 'nobody is named'
                WHEN lower(recipient) = lower(c.email) THEN 'it is the customer''s own address'
                ELSE cast(:unsent AS text) END AS why) AS judged
            ON CONFLICT (id) DO NOTHING RETURNING id
        """),
        {
            "unsent": unsent,
            "ids": [n.id for n in notices],
            "customers": [n.customer for n in notices],
            "enrollments": [n.enrollment for n in notices],
            "names": [n.name for n in notices],
            "recipients": [n.recipient for n in notices],
            "titles": [n.title for n in notices],
            "texts": [n.text for n in notices],
            "instants": [n.at for n in notices],
        },
    )
    return {row.id for row in rows}


async def lease(connection: AsyncConnection, limit: int) -> Sequence[RowMapping]:
    """Take some that are due; whoever dies with them leaves them due after the lease."""
    rows = await connection.execute(
        text("""
            WITH due AS (
                SELECT id FROM notices WHERE done_at IS NULL AND due_at <= now()
                ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
            )
            UPDATE notices n SET attempts = attempts + 1, due_at = now() + cast(:lease AS interval)
            FROM due, customers c WHERE n.id = due.id AND c.id = n.customer
            RETURNING n.id, n.name, n.recipient, n.title, n.text, n.attempts, c.customer_id
        """),
        {"limit": limit, "lease": LEASE},
    )
    return rows.mappings().all()


async def tried(connection: AsyncConnection, notice: UUID, result: str, again_in: timedelta | None) -> None:
    """What an attempt came to, and when the next one is; None: there is none."""
    await connection.execute(
        text("""
            UPDATE notices SET result = :result, due_at = now() + coalesce(cast(:again AS interval), interval '0'),
                done_at = CASE WHEN cast(:again AS interval) IS NULL THEN now() END
            WHERE id = :id
        """),
        {"id": notice, "result": result, "again": again_in},
    )
