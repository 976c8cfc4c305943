"""SQL for the outbox to Temporal: rows in order per enrollment, leased so that one dispatcher has them. Real time."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text

LEASE = "30 seconds"


async def lease(connection: AsyncConnection, token: UUID, limit: int) -> list[str]:
    """Take some enrollments that have rows due and are not leased, oldest rows first."""
    rows = await connection.execute(
        text(f"""
            WITH due AS (
                SELECT d.enrollment, min(d.id) AS first FROM dispatches d
                LEFT JOIN dispatch_leases l ON l.enrollment = d.enrollment
                WHERE d.done_at IS NULL AND d.due_at <= now() AND (l.until IS NULL OR l.until <= now())
                GROUP BY d.enrollment ORDER BY first LIMIT :limit
            )
            INSERT INTO dispatch_leases (enrollment, token, until)
            SELECT enrollment, :token, now() + interval '{LEASE}' FROM due ORDER BY enrollment
            ON CONFLICT (enrollment) DO UPDATE SET token = excluded.token, until = excluded.until
                WHERE dispatch_leases.until <= now()
            RETURNING enrollment
        """),  # noqa: S608  a constant
        {"limit": limit, "token": token},
    )
    return [row.enrollment for row in rows]


async def due(connection: AsyncConnection, enrollments: Sequence[str], token: UUID) -> Sequence[RowMapping]:
    """The due rows of enrollments that this token leases, in order, with what a start needs to know."""
    rows = await connection.execute(
        text("""
            SELECT d.id, d.kind, d.payload, d.enrollment, e.customer, e.journey, e.about, e.options, e.cause,
                   e.started_at, e.ended_at, c.stage
            FROM dispatches d JOIN enrollments e ON e.id = d.enrollment JOIN customers c ON c.id = e.customer
            JOIN dispatch_leases l ON l.enrollment = d.enrollment AND l.token = :token
            WHERE d.enrollment = ANY(:enrollments) AND d.done_at IS NULL AND d.due_at <= now()
            ORDER BY d.id
        """),
        {"enrollments": list(enrollments), "token": token},
    )
    return rows.mappings().all()


async def done(
    connection: AsyncConnection,
    token: UUID,
    results: Sequence[tuple[int, str]],
    runs: Sequence[tuple[str, str]],
    failed: Sequence[str],
) -> None:
    """Record what became of rows, and the run ids of enrollments' first runs; give the leases of all others than
    `failed` back. Each statement is its own transaction."""
    if runs:
        await _started(connection, runs)
    await connection.execute(
        text("""
            WITH told AS (
                UPDATE dispatches SET done_at = now(), result = given.result
                FROM unnest(cast(:ids AS bigint[]), cast(:results AS text[])) AS given (id, result)
                WHERE dispatches.id = given.id
            )
            DELETE FROM dispatch_leases WHERE token = :token AND NOT enrollment = ANY(:failed)
        """),
        {
            "ids": [i for i, _ in results],
            "results": [r for _, r in results],
            "token": token,
            "failed": list(failed),
        },
    )


async def _started(connection: AsyncConnection, runs: Sequence[tuple[str, str]]) -> None:
    """Whoever waits for an enrollment here holds no other: projection writes many in one transaction, in an order of
    its own, and each would wait for the other."""
    rows = await connection.execute(
        text("""
            WITH free AS MATERIALIZED (
                SELECT id FROM enrollments WHERE id = ANY(:enrollments) FOR NO KEY UPDATE SKIP LOCKED
            )
            UPDATE enrollments SET run_id = coalesce(enrollments.run_id, given.run)
            FROM free JOIN unnest(cast(:enrollments AS text[]), cast(:runs AS text[])) AS given (id, run) USING (id)
            WHERE enrollments.id = free.id RETURNING enrollments.id
        """),
        {"enrollments": [e for e, _ in runs], "runs": [r for _, r in runs]},
    )
    recorded = set(rows.scalars())
    for enrollment, run in runs:
        if enrollment not in recorded:
            await connection.execute(
                text("UPDATE enrollments SET run_id = coalesce(run_id, :run) WHERE id = :id"),
                {"id": enrollment, "run": run},
            )


async def put_off(connection: AsyncConnection, token: UUID) -> None:
    """What could not be told rests a little longer each time (real seconds, at most a minute)."""
    await connection.execute(
        text("""
            UPDATE dispatch_leases SET attempts = attempts + 1,
                until = now() + least(60, power(2, least(attempts, 6))) * interval '1 second'
            WHERE token = :token
        """),
        {"token": token},
    )


async def backlog(connection: AsyncConnection) -> int:
    """How many due rows wait."""
    rows = await connection.execute(text("SELECT count(*) FROM dispatches WHERE done_at IS NULL AND due_at <= now()"))
    return int(rows.scalar_one())
