"""SQL for what journeys told the CRM, and how far the CRM knows it. Telling is machinery: real time."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text

LEASE = timedelta(minutes=2)  # longer than a call may take


async def insert(
    connection: AsyncConnection,
    update: UUID,
    customer: str,
    enrollment: str,
    facts: Mapping[str, str | None],
    at: datetime,
) -> bool:
    """A new update. False when there is one of that id."""
    rows = await connection.execute(
        text("""
            INSERT INTO crm_updates (id, customer, enrollment, facts, at)
            VALUES (:id, :customer, :enrollment, cast(:facts AS jsonb), :at) ON CONFLICT (id) DO NOTHING RETURNING 1
        """),
        {
            "id": update,
            "customer": customer,
            "enrollment": enrollment,
            "facts": msgspec.json.encode(facts).decode(),
            "at": at,
        },
    )
    return rows.first() is not None


async def lease(connection: AsyncConnection, limit: int) -> Sequence[RowMapping]:
    """Take some that are due, of each customer the oldest; whoever dies with them leaves them due after the lease."""
    rows = await connection.execute(
        text("""
            WITH due AS (
                SELECT u.id FROM crm_updates u
                WHERE u.done_at IS NULL AND u.due_at <= now() AND NOT EXISTS (
                    SELECT FROM crm_updates before WHERE before.customer = u.customer AND before.done_at IS NULL
                        AND (before.at, before.id) < (u.at, u.id))
                ORDER BY u.due_at LIMIT :limit FOR UPDATE SKIP LOCKED
            )
            UPDATE crm_updates u SET attempts = u.attempts + 1, due_at = now() + cast(:lease AS interval)
            FROM due, crm_updates same JOIN customers c ON c.id = same.customer
            JOIN enrollments e ON e.id = same.enrollment
            LEFT JOIN tasks t ON t.id = cast(same.facts ->> 'task' AS uuid)
            WHERE u.id = due.id AND same.id = u.id
            RETURNING u.id, u.attempts, u.facts, c.customer_id, c.email, c.owner, e.journey, t.id AS task, t.title,
                t.text, t.due_at AS task_due_at, t.owner AS task_owner, t.outcome AS task_outcome
        """),
        {"limit": limit, "lease": LEASE},
    )
    return rows.mappings().all()


async def tried(connection: AsyncConnection, update: UUID, result: str, again_in: timedelta | None) -> None:
    """What an attempt came to, and when the next one is; None: there is none."""
    await connection.execute(
        text("""
            UPDATE crm_updates SET result = :result,
                due_at = now() + coalesce(cast(:again AS interval), interval '0'),
                done_at = CASE WHEN cast(:again AS interval) IS NULL THEN now() END
            WHERE id = :id
        """),
        {"id": update, "result": result, "again": again_in},
    )
