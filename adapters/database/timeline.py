"""SQL for a timeline, of a customer or of a company's people: what happened and what was decided, in one order."""

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


# A note, a task and a notice are told by an event or a decision that names it; its words are read here.
# A send that went on from `reserved` says so by its next decision; only one that stands there still is shown.
_TIMELINE = text("""
    WITH called AS (
        SELECT c.customer_id, c.id AS customer FROM customers c WHERE c.id = ANY(:customers)
        UNION ALL SELECT a.customer_id, a.customer FROM customer_aliases a WHERE a.customer = ANY(:customers)
    ), entries AS (
        SELECT occurred_at AS at, 0 AS rank, id::text AS key, 'event' AS kind, name AS what, source, properties,
               NULL AS rule, NULL::jsonb AS facts, NULL AS enrollment, NULL::uuid AS send, customer
        FROM events WHERE customer = ANY(:customers)
        UNION ALL
        SELECT occurred_at, 0, w.id::text, 'event', name, source, properties, NULL, NULL, NULL, NULL, called.customer
        FROM events w JOIN called ON called.customer_id = w.customer_id
        WHERE w.number IS NULL AND w.quarantined IS NULL AND w.customer_id = ANY(ARRAY(SELECT customer_id FROM called))
        UNION ALL
        SELECT at, 1, lpad(id::text, 20, '0'), 'decision', state, NULL, NULL, rule, facts, enrollment, send, customer
        FROM decisions WHERE customer = ANY(:customers)
    )
    SELECT t.*, e.journey, e.about, s.message, s.channel, s.purpose, s.state AS send_state, s.slot_at, s.expires_at,
           o.send IS NOT NULL AS kept, k.id AS task, k.title AS task_title, k.due_at, k.closed_at, k.outcome,
           k.owner AS task_owner, k.note AS task_note, coalesce(k.text, n.text, i.text) AS words
    FROM entries t
    LEFT JOIN enrollments e ON e.id = t.enrollment
    LEFT JOIN sends s ON s.id = t.send
    LEFT JOIN sandbox_outbox o ON o.send = t.send
    LEFT JOIN tasks k ON k.customer = t.customer AND k.id::text = CASE WHEN t.rule = 'task_created'
        THEN t.facts ->> 'task' WHEN t.what IN ('task_closed', 'task_escalated') THEN t.properties ->> 'task_id' END
    LEFT JOIN notes n ON n.customer = t.customer AND t.what = 'note_added' AND n.id::text = t.properties ->> 'note'
    LEFT JOIN notices i ON i.customer = t.customer AND t.rule = 'staff_told' AND i.id::text = t.facts ->> 'notice'
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


async def page(
    connection: AsyncConnection, customers: Sequence[str], *, after: Place | None, limit: int
) -> Sequence[RowMapping]:
    """A page of entries of some customers, newest first, after a place."""
    rows = await connection.execute(
        _TIMELINE,
        {
            "customers": list(customers),
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
