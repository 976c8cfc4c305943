"""What started an enrollment, as it last happened: the cart as it is now, not as it was two hours ago."""

from collections.abc import Mapping

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import events
from domain.journeys import Plan


async def start_of(connection: AsyncConnection, plan: Plan, enrollment: RowMapping) -> Mapping[str, object]:
    """The properties of the newest event that may start the journey, about the same thing; none for staff's starts."""
    newest = await events.missed(
        connection,
        customer=enrollment["customer"],
        after=0,
        names=plan.beginnings,
        about=(plan.about, enrollment["about"]) if plan.about else None,
        limit=1,
    )
    return newest[0][1].properties if newest else {}
