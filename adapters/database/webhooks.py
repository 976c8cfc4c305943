"""SQL for webhooks: endpoints, and what each is still to be told. Machinery: real time."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

LEASE = timedelta(seconds=60)  # longer than a call may take
PATIENCE = timedelta(days=5)  # with an endpoint that answers nothing good
_FIELDS = "w.id, w.url, w.events, w.created_at, w.failing_since, w.disabled_at, w.disabled_why"


async def queue(
    connection: AsyncConnection,
    name: str,
    *,
    customer: str,
    at: datetime,
    enrollment: str | None = None,
    send: UUID | None = None,
    channel: str | None = None,
    why: str | None = None,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Tell every endpoint that listens for this, after the commit. `facts` are ids, numbers and words of a list.

    No names, no addresses, no texts; but the company's own ids of customers, carts and the like may be any of these.
    """
    await connection.execute(
        text("""
            INSERT INTO webhook_deliveries (endpoint, payload)
            SELECT w.id, jsonb_build_object(
                'type', cast(:name AS text), 'timestamp', cast(:at AS timestamptz),
                'data', jsonb_strip_nulls(jsonb_build_object(
                    'customer_id', c.customer_id, 'customer', c.id, 'journey', e.journey, 'enrollment', e.id,
                    'about', nullif(e.about, ''), 'message', s.message, 'send', s.id,
                    'channel', coalesce(cast(:channel AS text), s.channel), 'why', cast(:why AS text))
                    || cast(:facts AS jsonb)))
            FROM webhook_endpoints w CROSS JOIN customers c
            LEFT JOIN enrollments e ON e.id = cast(:enrollment AS text)
            LEFT JOIN sends s ON s.id = cast(:send AS uuid)
            WHERE c.id = :customer AND w.disabled_at IS NULL AND cast(:name AS text) = ANY(w.events)
        """),
        {
            "name": name,
            "at": at,
            "customer": customer,
            "enrollment": enrollment,
            "send": send,
            "channel": channel,
            "why": why,
            "facts": msgspec.json.encode(facts or {}).decode(),
        },
    )


async def queue_tasks(connection: AsyncConnection, name: str, tasks: Sequence[UUID], *, at: datetime) -> None:
    """As `queue`, about tasks: which they are, when they are due, how they ended."""
    await connection.execute(
        text("""
            INSERT INTO webhook_deliveries (endpoint, payload)
            SELECT w.id, jsonb_build_object(
                'type', cast(:name AS text), 'timestamp', cast(:at AS timestamptz),
                'data', jsonb_strip_nulls(jsonb_build_object(
                    'customer_id', c.customer_id, 'customer', c.id, 'journey', e.journey, 'enrollment', e.id,
                    'about', nullif(e.about, ''), 'task', t.id, 'name', t.name, 'due_at', t.due_at,
                    'outcome', t.outcome)))
            FROM webhook_endpoints w CROSS JOIN tasks t JOIN customers c ON c.id = t.customer
            LEFT JOIN enrollments e ON e.id = t.enrollment
            WHERE t.id = ANY(:tasks) AND w.disabled_at IS NULL AND cast(:name AS text) = ANY(w.events)
        """),
        {"name": name, "at": at, "tasks": list(tasks)},
    )


async def queue_test(connection: AsyncConnection, endpoint: str, name: str) -> bool:
    """Tell one endpoint something of no meaning. False when there is none of that id."""
    rows = await connection.execute(
        text("""
            INSERT INTO webhook_deliveries (endpoint, payload)
            SELECT id, jsonb_build_object('type', cast(:name AS text), 'timestamp', now(), 'data', '{}'::jsonb)
            FROM webhook_endpoints WHERE id = :id RETURNING 1
        """),
        {"id": endpoint, "name": name},
    )
    return rows.first() is not None


async def lease(connection: AsyncConnection, limit: int) -> Sequence[RowMapping]:
    """Take some deliveries that are due; whoever dies with them leaves them due a minute later."""
    rows = await connection.execute(
        text("""
            WITH due AS (
                SELECT d.id FROM webhook_deliveries d JOIN webhook_endpoints w ON w.id = d.endpoint
                WHERE d.done_at IS NULL AND d.due_at <= now() AND w.disabled_at IS NULL
                ORDER BY d.due_at LIMIT :limit FOR UPDATE OF d SKIP LOCKED
            )
            UPDATE webhook_deliveries d SET attempts = d.attempts + 1, due_at = now() + cast(:lease AS interval)
            FROM due, webhook_endpoints w WHERE d.id = due.id AND w.id = d.endpoint
            RETURNING d.id, d.endpoint, d.payload, d.attempts, w.url, w.secret
        """),
        {"limit": limit, "lease": LEASE},
    )
    return rows.mappings().all()


async def told(connection: AsyncConnection, delivery: UUID, endpoint: str, result: str) -> None:
    """It was taken, and its endpoint is well."""
    await connection.execute(
        text("UPDATE webhook_deliveries SET done_at = now(), result = :result WHERE id = :id"),
        {"id": delivery, "result": result},
    )
    await connection.execute(
        text("UPDATE webhook_endpoints SET failing_since = NULL WHERE id = :id AND failing_since IS NOT NULL"),
        {"id": endpoint},
    )


async def not_told(
    connection: AsyncConnection, delivery: UUID, endpoint: str, result: str, again_in: timedelta | None
) -> None:
    """It was not taken. Without another try it is given up; an endpoint that fails for days is disabled."""
    await connection.execute(
        text("""
            UPDATE webhook_deliveries SET result = :result,
                due_at = now() + coalesce(cast(:again AS interval), interval '0'),
                done_at = CASE WHEN cast(:again AS interval) IS NULL THEN now() END
            WHERE id = :id
        """),
        {"id": delivery, "result": result, "again": again_in},
    )
    await connection.execute(
        text("UPDATE webhook_endpoints SET failing_since = now() WHERE id = :id AND failing_since IS NULL"),
        {"id": endpoint},
    )
    await connection.execute(
        text("""
            UPDATE webhook_endpoints SET disabled_at = now(), disabled_why = 'it failed for five days'
            WHERE id = :id AND disabled_at IS NULL AND failing_since < now() - cast(:patience AS interval)
        """),
        {"id": endpoint, "patience": PATIENCE},
    )


async def disable(connection: AsyncConnection, endpoint: str, why: str) -> None:
    """Tell it nothing more."""
    await connection.execute(
        text("""
            UPDATE webhook_endpoints SET disabled_at = now(), disabled_why = :why
            WHERE id = :id AND disabled_at IS NULL
        """),
        {"id": endpoint, "why": why},
    )


async def insert(connection: AsyncConnection, url: str, secret: str, events: Sequence[str]) -> RowMapping:
    """A new endpoint."""
    rows = await connection.execute(
        text(f"""
            INSERT INTO webhook_endpoints AS w (url, secret, events) VALUES (:url, :secret, :events)
            RETURNING {_FIELDS}
        """),  # noqa: S608  a constant
        {"url": url, "secret": secret, "events": list(events)},
    )
    return rows.mappings().one()


async def listed(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Every endpoint, with how many deliveries wait and what the last attempt came to."""
    rows = await connection.execute(
        text(f"""
            SELECT {_FIELDS}, (SELECT count(*) FROM webhook_deliveries d WHERE d.endpoint = w.id AND d.done_at IS NULL)
                AS waiting,
                (SELECT d.result FROM webhook_deliveries d WHERE d.endpoint = w.id AND d.result IS NOT NULL
                 ORDER BY d.id DESC LIMIT 1) AS last_result
            FROM webhook_endpoints w ORDER BY w.id
        """)  # noqa: S608  a constant
    )
    return rows.mappings().all()


async def delete(connection: AsyncConnection, endpoint: str) -> bool:
    """An endpoint and all that it was to be told. False when there is none of that id."""
    rows = await connection.execute(text("DELETE FROM webhook_endpoints WHERE id = :id RETURNING 1"), {"id": endpoint})
    return rows.first() is not None
