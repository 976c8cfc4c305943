"""Where real time comes from, and the installation's one row that maps it to business time."""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.clock import Pace
from domain.errors import Misconfigured


class PacedClock:
    """Business time now, from the machine's clock."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def now(self) -> datetime:
        """The business instant now."""
        return self._pace.business(datetime.now(UTC))


async def installed_pace(connection: AsyncConnection, pace: float) -> Pace:
    """The installation's clock, set on its first start. Raises Misconfigured when another pace is asked for later."""
    await connection.execute(
        text("INSERT INTO clock (one, anchor, pace) VALUES (true, :anchor, :pace) ON CONFLICT DO NOTHING"),
        {"anchor": datetime.now(UTC), "pace": pace},
    )
    row = (await connection.execute(text("SELECT anchor, pace FROM clock"))).one()
    if row.pace != pace:
        raise Misconfigured(
            f"This database runs at pace {row.pace:g} and TROPA_PACE says {pace:g}. A database keeps its pace: "
            f"set TROPA_PACE={row.pace:g}, or use another database."
        )
    return Pace(anchor=row.anchor, pace=row.pace)
