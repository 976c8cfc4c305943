"""SQL for the scale of engagement: what is usual here, as sweeps measured it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.segment_sql import FADED
from adapters.database.statements import text
from domain.engagement import SCALE
from domain.visits import PREFIX

_USUAL = text(f"""
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY {FADED}) AS usual, count(*) AS active FROM customers c
    WHERE c.erased_at IS NULL AND c.last_active_at > :since AND NOT starts_with(c.customer_id, :visitor)
""")  # noqa: S608  our own words


async def scale(connection: AsyncConnection) -> float:
    """The scale in force: the last that was measured, or the one to begin with."""
    rows = await connection.execute(text("SELECT scale FROM engagement_scales ORDER BY id DESC LIMIT 1"))
    found: float | None = rows.scalar_one_or_none()
    return SCALE if found is None else found


async def usual(connection: AsyncConnection, *, at: datetime, since: datetime) -> tuple[float, int]:
    """What the median customer has on the engagement clock, of those who did something since then, and how many these
    are. Nameless visitors are not counted."""
    rows = await connection.execute(_USUAL, {"now": at, "since": since, "visitor": PREFIX})
    row = rows.one()
    return float(row.usual or 0), int(row.active)


async def set_scale(connection: AsyncConnection, scale: float, *, at: datetime, active: int) -> None:
    """Put another scale in force, measured over so many customers."""
    await connection.execute(
        text("INSERT INTO engagement_scales (at, scale, customers) VALUES (:at, :scale, :active)"),
        {"at": at, "scale": scale, "active": active},
    )
