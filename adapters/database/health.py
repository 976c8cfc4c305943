"""SQL for `tropa doctor`: what is stuck, one query for each question. It only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.clock import Pace

PATIENCE = "20s"  # a doctor who makes the patient worse is none


@dataclass(frozen=True, kw_only=True)
class Found:
    """How many, and since when the oldest. `what` tells apart what one question finds."""

    count: int
    oldest: datetime | None
    what: str


async def only_look(connection: AsyncConnection) -> datetime:
    """Write nothing and take no longer than bearable, in this transaction. Answers the database's real time."""
    await connection.execute(text("SET TRANSACTION READ ONLY"))
    await connection.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE}'"))
    now: datetime = (await connection.execute(text("SELECT now()"))).scalar_one()
    return now


async def pace(connection: AsyncConnection) -> Pace | None:
    """The installation's clock; None when nothing was ever started on this database."""
    row = (await connection.execute(text("SELECT anchor, pace FROM clock"))).one_or_none()
    return Pace(anchor=row.anchor, pace=row.pace) if row else None


async def unprojected(connection: AsyncConnection, before: datetime) -> Sequence[Found]:
    """Events received before an instant (business time) that were not applied."""
    return await _found(
        connection,
        """
        SELECT count(*) AS count, min(received_at) AS oldest, '' AS what FROM events
        WHERE number IS NULL AND quarantined IS NULL AND received_at < :at
        """,
        before,
    )


async def quarantined(connection: AsyncConnection, since: datetime) -> Sequence[Found]:
    """Poison events received since an instant (business time)."""
    return await _found(
        connection,
        """
        SELECT count(*) AS count, min(received_at) AS oldest, '' AS what FROM events
        WHERE quarantined IS NOT NULL AND received_at > :at
        """,
        since,
    )


async def undispatched(connection: AsyncConnection, before: datetime) -> Sequence[Found]:
    """Rows that Temporal should have been told before an instant (real time)."""
    return await _found(
        connection,
        """
        SELECT count(*) AS count, min(due_at) AS oldest, '' AS what FROM dispatches
        WHERE done_at IS NULL AND due_at < :at
        """,
        before,
    )


async def refused_by_temporal(connection: AsyncConnection, attempts: int) -> Sequence[Found]:
    """Enrollments that Temporal could not be told of, again and again; the oldest of their rows (real time)."""
    rows = await connection.execute(
        text("""
            SELECT count(DISTINCT l.enrollment) AS count, min(d.due_at) AS oldest, '' AS what
            FROM dispatch_leases l JOIN dispatches d ON d.enrollment = l.enrollment AND d.done_at IS NULL
            WHERE l.attempts >= :attempts
        """),
        {"attempts": attempts},
    )
    return [Found(**row) for row in rows.mappings() if row["count"]]


async def never_started(connection: AsyncConnection, before: datetime) -> Sequence[Found]:
    """Open enrollments entered before an instant (business time) of which Temporal has no run that we know."""
    return await _found(
        connection,
        """
        SELECT count(*) AS count, min(started_at) AS oldest, '' AS what FROM enrollments
        WHERE ended_at IS NULL AND run_id IS NULL AND started_at < :at
        """,
        before,
    )


async def claimed(connection: AsyncConnection, before: datetime) -> Sequence[Found]:
    """Sends claimed before an instant (real time) and neither recorded nor settled."""
    return await _found(
        connection,
        """
        SELECT count(*) AS count, min(claimed_at) AS oldest, '' AS what FROM sends
        WHERE state = 'claimed' AND claimed_at < :at
        """,
        before,
    )


async def unknown(connection: AsyncConnection, since: datetime) -> Sequence[Found]:
    """Sends called since an instant (business time) of which nobody knows whether they arrived."""
    return await _found(
        connection,
        """
        SELECT count(*) AS count, min(coalesce(called_at, slot_at)) AS oldest, '' AS what FROM sends
        WHERE state = 'unknown' AND coalesce(called_at, slot_at) > :at
        """,
        since,
    )


async def failed(connection: AsyncConnection, since: datetime) -> Sequence[Found]:
    """Sends that failed since an instant (business time), by rule."""
    return await _found(
        connection,
        """
        SELECT count(*) AS count, min(coalesce(called_at, slot_at)) AS oldest, rule AS what FROM sends
        WHERE state = 'failed' AND coalesce(called_at, slot_at) > :at GROUP BY rule ORDER BY count(*) DESC, rule
        """,
        since,
    )


async def not_woken(connection: AsyncConnection, before: datetime) -> Sequence[Found]:
    """Sends whose slot came before an instant (business time), and nobody sent them or looked again."""
    return await _found(
        connection,
        """
        SELECT count(*) AS count, min(slot_at) AS oldest, '' AS what FROM sends
        WHERE state IN ('deferred', 'reserved') AND slot_at < :at
        """,
        before,
    )


async def held(connection: AsyncConnection, before: datetime) -> Sequence[Found]:
    """Sends wished before an instant (business time) and still held, by what holds them."""
    return await _found(
        connection,
        """
        SELECT count(*) AS count, min(wished_at) AS oldest, rule AS what FROM sends
        WHERE state = 'held' AND wished_at < :at GROUP BY rule ORDER BY count(*) DESC, rule
        """,
        before,
    )


async def overdue_tasks(connection: AsyncConnection, before: datetime) -> Sequence[Found]:
    """Tasks due before an instant (business time) that nobody closed."""
    return await _found(
        connection,
        """
        SELECT count(*) AS count, min(due_at) AS oldest, '' AS what FROM tasks
        WHERE closed_at IS NULL AND due_at < :at
        """,
        before,
    )


async def kept_in_sandbox(connection: AsyncConnection, since: datetime) -> Sequence[Found]:
    """Messages that went to the sandbox outbox since an instant (business time), by channel."""
    return await _found(
        connection,
        """
        SELECT count(*) AS count, min(at) AS oldest, channel AS what FROM sandbox_outbox
        WHERE at > :at GROUP BY channel ORDER BY channel
        """,
        since,
    )


async def _found(connection: AsyncConnection, query: str, at: datetime) -> Sequence[Found]:
    rows = await connection.execute(text(query), {"at": at})
    return [Found(**row) for row in rows.mappings() if row["count"]]
