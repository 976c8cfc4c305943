"""What became of the demo's walks and messages so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, text

from adapters.database.connection import Database

_JOURNEYS = text("""
    SELECT e.journey, count(*) AS walked, count(DISTINCT e.customer) AS customers,
           count(*) FILTER (WHERE e.ended_at IS NULL) AS open,
           count(*) FILTER (WHERE e.outcome = 'converted') AS converted,
           count(*) FILTER (WHERE e.outcome IS NOT NULL AND e.outcome <> 'converted') AS ended,
           count(*) FILTER (WHERE e.leaving IS NOT NULL) AS "left",
           coalesce(sum(s.sent), 0)::int AS sent
    FROM enrollments e
    LEFT JOIN (SELECT enrollment, count(*) AS sent FROM sends WHERE state = 'accepted' GROUP BY 1) AS s
        ON s.enrollment = e.id
    GROUP BY e.journey ORDER BY customers DESC, e.journey
""")
_CHANNELS = text("SELECT channel, count(*) AS sent FROM sends WHERE state = 'accepted' GROUP BY 1 ORDER BY 2 DESC")
_STATES = text("SELECT state, count(*) AS total FROM sends WHERE state <> 'accepted' GROUP BY 1 ORDER BY 2 DESC")


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The journeys with how many walked them, what was sent by channel, and what was not, by state."""

    journeys: Sequence[RowMapping]
    channels: Mapping[str, int]
    others: Mapping[str, int]

    @property
    def walked(self) -> int:
        """How often somebody entered a journey."""
        return sum(row["walked"] for row in self.journeys)

    @property
    def open(self) -> int:
        """How many of them walk on."""
        return sum(row["open"] for row in self.journeys)

    @property
    def sent(self) -> int:
        """How many messages went out."""
        return sum(self.channels.values())

    @property
    def speaking(self) -> list[str]:
        """The journeys that have sent something."""
        return [row["journey"] for row in self.journeys if row["sent"]]

    def words(self) -> str:
        """As a table to print."""
        counts = ("customers", "open", "converted", "ended", "left", "sent")
        lines = [f"\n{'Journey':<20}" + "".join(f"{count:>11}" for count in counts)]
        lines += [f"{row['journey']:<20}" + "".join(f"{row[count]:>11}" for count in counts) for row in self.journeys]
        lines.append(f"\nSent by {len(self.speaking)} journeys: {_listed(self.channels)}")
        lines.append(f"Not sent: {_listed(self.others)}")
        return "\n".join(lines)


async def tally(database_url: str) -> Tally:
    """How things stand now."""
    database = Database(database_url, pool_size=1)
    try:
        async with database.transaction() as connection:
            journeys = (await connection.execute(_JOURNEYS)).mappings().all()
            channels = await connection.execute(_CHANNELS)
            states = await connection.execute(_STATES)
            return Tally(
                journeys=journeys,
                channels={row.channel: row.sent for row in channels},
                others={row.state: row.total for row in states},
            )
    finally:
        await database.close()


def _listed(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counted.items()) or "nothing"
