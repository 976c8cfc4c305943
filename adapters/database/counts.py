"""SQL that counts: for the journey list, for metrics and for readiness."""

from collections.abc import Mapping

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
