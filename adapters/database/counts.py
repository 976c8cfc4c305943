"""SQL that counts: for the journey list, for metrics and for readiness."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def enrollments(connection: AsyncConnection) -> Mapping[str, dict[str, int]]:
    """By journey, how many enrollments are `open`, and how many ended by each outcome or leaving."""
    rows = await connection.execute(
        text("""
            SELECT journey, CASE WHEN ended_at IS NULL THEN 'open' ELSE coalesce(outcome, leaving) END AS state,
                   count(*) AS count
            FROM enrollments GROUP BY 1, 2 ORDER BY 1, 2
        """)
    )
    counted: dict[str, dict[str, int]] = {}
    for row in rows.mappings():
        counted.setdefault(row["journey"], {})[row["state"]] = row["count"]
    return counted


async def sends(connection: AsyncConnection) -> dict[str, int]:
    """How many sends stand in each state."""
    rows = await connection.execute(text("SELECT state, count(*) AS count FROM sends GROUP BY state"))
    return {row["state"]: row["count"] for row in rows.mappings()}


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What waits, and how long the oldest of it has waited, in real seconds. 0 when there is none."""

    events: int
    oldest_event: float
    oldest_unknown: float
    orphans: int


async def waiting(connection: AsyncConnection) -> Waiting:
    """Events not projected (their ids tell when they were stored), outcomes of the last 7 days that nobody knows,
    and reports on no send of ours."""
    rows = await connection.execute(
        text("""
            WITH pending AS (
                SELECT count(*) AS events, min(uuid_extract_timestamp(id)) AS since
                FROM events WHERE number IS NULL AND quarantined IS NULL
            ), unknown AS (
                SELECT min(claimed_at) AS since FROM sends
                WHERE state = 'unknown' AND claimed_at > now() - interval '7 days'
            )
            SELECT pending.events, coalesce(extract(epoch FROM now() - pending.since), 0)::float AS oldest_event,
                coalesce(extract(epoch FROM now() - unknown.since), 0)::float AS oldest_unknown,
                (SELECT count(*) FROM reports WHERE orphaned_at IS NOT NULL) AS orphans
            FROM pending, unknown
        """)
    )
    return Waiting(**rows.mappings().one())


async def schema_version(connection: AsyncConnection) -> str | None:
    """The migration that the database is at; None on one that was never migrated."""
    found = await connection.execute(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
    if not found.scalar_one():
        return None
    version: str | None = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar()
    return version


async def only_reads(connection: AsyncConnection) -> bool:
    """Whether the database takes no writes now: a standby, a full disk's guard, an operator's switch (F53)."""
    found = await connection.execute(text("SELECT current_setting('transaction_read_only')::boolean"))
    return bool(found.scalar_one())
