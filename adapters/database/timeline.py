"""SQL for a customer's timeline: what happened, and what was decided about it, in one order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a page ends: instant, then events before decisions, then the row's own order."""

    at: datetime
    rank: int
    key: str


# A send that went on from `reserved` says so by its next decision; only one that stands there still is shown.
_TIMELINE = text("""
    WITH entries AS (
        SELECT occurred_at AS at, 0 AS rank, id::text AS key, 'event' AS kind, name AS what, source, properties,
               NULL AS rule, NULL::jsonb AS facts, NULL AS enrollment, NULL::uuid AS send
        FROM events WHERE customer = :customer
        UNION ALL
        SELECT occurred_at, 0, id::text, 'event', name, source, properties, NULL, NULL, NULL, NULL
        FROM events WHERE number IS NULL AND quarantined IS NULL AND customer_id = ANY(ARRAY(
            SELECT c.customer_id FROM customers c WHERE c.id = :customer
            UNION ALL SELECT a.customer_id FROM customer_aliases a WHERE a.customer = :customer))
        UNION ALL
        SELECT at, 1, lpad(id::text, 20, '0'), 'decision', state, NULL, NULL, rule, facts, enrollment, send
        FROM decisions WHERE customer = :customer
    )
    SELECT t.*, e.journey, e.about, s.message, s.channel, s.purpose, s.state AS send_state, s.slot_at, s.expires_at,
           o.send IS NOT NULL AS kept, k.id AS task, k.text AS task_text, k.due_at, k.closed_at
    FROM entries t
    LEFT JOIN enrollments e ON e.id = t.enrollment
    LEFT JOIN sends s ON s.id = t.send
    LEFT JOIN sandbox_outbox o ON o.send = t.send
    LEFT JOIN tasks k ON t.rule = 'task_created' AND k.id::text = t.facts ->> 'task'
    WHERE cast(:at AS timestamptz) IS NULL
        OR (t.at, t.rank, t.key COLLATE "C") < (:at, cast(:rank AS int), cast(:key AS text))
    ORDER BY t.at DESC, t.rank DESC, t.key COLLATE "C" DESC LIMIT :limit
""")

_CURRENT = text("""
    SELECT e.id, e.journey, e.about, e.cause, e.started_at, e.paused_at, last.message, last.state, last.slot_at,
           last.called_at, last.rule, open_task.title AS task, open_task.due_at AS task_due_at
    FROM enrollments e
    LEFT JOIN LATERAL (
        SELECT message, state, slot_at, called_at, rule FROM sends WHERE enrollment = e.id
        ORDER BY wished_at DESC, id DESC LIMIT 1
    ) AS last ON true
    LEFT JOIN LATERAL (
        SELECT title, due_at FROM tasks WHERE enrollment = e.id AND closed_at IS NULL ORDER BY due_at LIMIT 1
    ) AS open_task ON true
    WHERE e.customer = :customer AND e.ended_at IS NULL ORDER BY e.started_at DESC, e.id DESC
""")


async def page(connection: AsyncConnection, customer: str, *, after: Place | None, limit: int) -> Sequence[RowMapping]:
    """A page of entries, newest first, after a place."""
    rows = await connection.execute(
        _TIMELINE,
        {
            "customer": customer,
            "at": after.at if after else None,
            "rank": after.rank if after else None,
            "key": after.key if after else None,
            "limit": limit,
        },
    )
    return rows.mappings().all()


async def current(connection: AsyncConnection, customer: str) -> Sequence[RowMapping]:
    """A customer's open enrollments, each with its last ledger row and its next open task."""
    return (await connection.execute(_CURRENT, {"customer": customer})).mappings().all()


async def of_enrollment(connection: AsyncConnection, enrollment: str) -> Sequence[RowMapping]:
    """An enrollment's decisions, oldest first, with their messages."""
    rows = await connection.execute(
        text("""
            SELECT d.at, d.state, d.rule, d.facts, d.send, s.message, s.channel FROM decisions d
            LEFT JOIN sends s ON s.id = d.send WHERE d.enrollment = :enrollment ORDER BY d.at, d.id
        """),
        {"enrollment": enrollment},
    )
    return rows.mappings().all()


async def last_send(connection: AsyncConnection, enrollment: str) -> RowMapping | None:
    """Where an enrollment stands: its last ledger row."""
    rows = await connection.execute(
        text("""
            SELECT id, message, visit, state, channel, wished_at, slot_at, expires_at, rule FROM sends
            WHERE enrollment = :enrollment ORDER BY wished_at DESC, id DESC LIMIT 1
        """),
        {"enrollment": enrollment},
    )
    return rows.mappings().one_or_none()
