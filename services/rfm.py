"""RFM for people: how many customers are in which segment, and what is to be done about them (S78)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import rfm
from domain.rfm import Segment


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A segment: how many act as it, and of how many the code says so."""

    segment: Segment
    customers: int
    by_code: int


@dataclass(frozen=True, kw_only=True)
class Census:
    """All segments, the best first. `as_of` is the last sweep's; None before the first."""

    as_of: datetime | None
    customers: int
    vips: int
    one_offs: int
    segments: Sequence[Counted]


async def census(connection: AsyncConnection) -> Census:
    """Everybody who has bought, as the last sweep found them."""
    rows = await rfm.census(connection)

    def counted(column: str, segment: Segment) -> int:
        return sum(row["customers"] for row in rows if row[column] == segment)

    return Census(
        as_of=max((row["as_of"] for row in rows), default=None),
        customers=sum(row["customers"] for row in rows),
        vips=sum(row["vips"] for row in rows),
        one_offs=sum(row["one_offs"] for row in rows),
        segments=[
            Counted(
                segment=segment,
                customers=counted("effective_segment", segment),
                by_code=counted("segment", segment),
            )
            for segment in Segment
        ],
    )
