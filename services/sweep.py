"""The daily sweep: finds who fell silent, whose birthday it is, who changed their RFM segment, whose NPS is due; and
forgets visitors without a name who come no more."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping

from adapters.database import engagement, events, rfm, sweeps, visitors
from adapters.database.connection import Database
from adapters.database.events import NewEvent, told_once
from adapters.zones import zone_of
from domain.clock import Clock
from domain.engagement import scale_for
from domain.events import OURS
from domain.sweep import (
    BIRTHDAY,
    DATE_NEAR,
    NPS_DUE,
    RFM_SEGMENT_ENTERED,
    Silent,
    Sweep,
    SweepRules,
    Swept,
    birthdays_since,
    celebrated_on,
    why_silent,
)
from domain.visits import VISITOR_DAYS
from services.segments import Segments

SEGMENT_MOVED = "segment_moved"  # into one, or out of it
CHUNK = 10_000  # customers in one transaction
FORGOTTEN_AT_ONCE = 500  # visitors in one transaction, each with its lock
FARTHEST = timedelta(days=1)  # a zone's day from UTC's, at most

Tell = Callable[[str], None]


class Sweeping:
    """Sweeps. A sweep that was broken off is begun anew, and writes nothing twice."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        rules: SweepRules,
        zone: str,
        visitor_days: int = VISITOR_DAYS,
        *,
        segments: Segments | None = None,
        chunk: int = CHUNK,
    ) -> None:
        """`zone` is the installation's: RFM's days are its days, and those of customers whose own is not known.
        `segments` that journeys watch are looked through after RFM, which they may ask about. For `visitor_days`
        a visitor without a name is remembered after their last visit.
        """
        self._database, self._clock, self._rules, self._zone, self._chunk = database, clock, rules, zone, chunk
        self._segments, self._visitors_last = segments, timedelta(days=visitor_days)

    async def sweep(self, tell: Tell = lambda _: None) -> Swept:
        """Sweep everybody as of now. `tell` hears how far it is."""
        began, at = time.monotonic(), self._clock.now()
        async with self._database.transaction() as connection:
            last = await sweeps.last(connection)
            imported, customers = await sweeps.imported_since(connection, last.imports_until) if last else (0, 0)
            until = await sweeps.imports_until(connection, at)
        forgotten = await self._forget(at - self._visitors_last, tell)
        silent = why_silent(last, self._rules, imported=imported, customers=customers)
        silences = asyncio.create_task(self._silences(at, last, silent, tell))  # beside RFM: they share no table
        try:
            scored = await self._score(at, last, silent, tell)
            looked_at, silently, told = await silences
        finally:
            silences.cancel()
        told[BIRTHDAY] = await self._birthdays(at, last, tell)
        told[NPS_DUE] = await self._nps(at, last, tell)
        told[DATE_NEAR] = await self._dates(at, last, tell)
        told[RFM_SEGMENT_ENTERED] = scored.told
        await self._measure_engagement(at, tell)
        if self._segments:
            tell("segments: who comes and who goes")
            moved = await self._segments.refresh_all(self._database, at, silently=silent is not None)
            told[SEGMENT_MOVED] = sum(each.told for each in moved.values())
        swept = Swept(
            as_of=at,
            silent=silent,
            customers=looked_at,
            told={name: count for name, count in told.items() if count},
            silently=silently,
            bought=scored.customers,
            moved=scored.changed,
            forgotten=forgotten,
        )
        done = Sweep(as_of=at, rules=self._rules, ranked=scored.ranked, imports_until=until)
        async with self._database.transaction() as connection:
            await sweeps.insert(connection, done, swept, took=time.monotonic() - began)
        self._database.wake()
        tell(swept.words())
        return swept

    async def _forget(self, before: datetime, tell: Tell) -> int:
        """Visitors without a name who were last seen before an instant: nobody can be found by them any more."""
        forgotten, after = 0, ""
        while True:
            async with self._database.transaction() as connection:
                chunk = await visitors.forget(
                    connection, before=before, after=after, some=min(self._chunk, FORGOTTEN_AT_ONCE)
                )
            if chunk.last is None:
                return forgotten
            after, forgotten = chunk.last, forgotten + chunk.forgotten
            tell(f"visitors without a name: {forgotten:,} forgotten")

    async def _score(self, at: datetime, last: Sweep | None, silent: Silent | None, tell: Tell) -> rfm.Snapshot:
        tell("RFM: scoring everybody")
        async with self._database.transaction() as connection:
            return await rfm.take(connection, self._rules.rfm, at=at, zone=self._zone, last=last, loud=silent is None)

    async def _measure_engagement(self, at: datetime, tell: Tell) -> None:
        """Put the scale in force at which the median active customer scores 50. Segments follow it silently."""
        async with self._database.transaction() as connection:
            before = await engagement.scale(connection)
            usual, active = await engagement.usual(connection, at=at, since=at - self._rules.dormant_after)
            if (scale := scale_for(usual, active, before)) != before:
                await engagement.set_scale(connection, scale, at=at, active=active)
                tell(f"engagement: the scale is {scale:g} now, and was {before:g}")

    async def _silences(
        self, at: datetime, last: Sweep | None, silent: Silent | None, tell: Tell
    ) -> tuple[int, int, Counter[str]]:
        """How many customers there are, of how many a state was set silently, and what was told of how many."""
        aloud_since = at if last is None or silent else last.as_of
        looked_at, silently, told, after = 0, 0, Counter[str](), ""
        while True:
            async with self._database.transaction() as connection:
                chunk = await sweeps.crossings(
                    connection, self._rules, at=at, aloud_since=aloud_since, after=after, some=self._chunk
                )
            if chunk.last is None:
                return looked_at, silently, told
            after, looked_at, silently = chunk.last, looked_at + chunk.looked_at, silently + chunk.silently
            told.update(chunk.told)
            if chunk.told or chunk.silently:
                self._database.wake()
            tell(f"silence: looked at {looked_at:,} customers; {told.total():,} told, {silently:,} silently")

    async def _birthdays(self, at: datetime, last: Sweep | None, tell: Tell) -> int:
        """Each customer's own day begins where they are, so some have tomorrow's or yesterday's date."""
        near = [(at + n * FARTHEST).date() for n in (-2, -1, 0, 1)]
        days, told, after = sorted(set().union(*map(celebrated_on, near))), 0, ""
        while True:
            async with self._database.transaction() as connection:
                found = await sweeps.born_on(connection, days, after=after, some=self._chunk)
                new = [event for row in found if (event := self._birthday(row, at, last))]
                told += len(await events.insert(connection, new))
            if not found:
                return told
            after = found[-1]["id"]
            self._database.wake()
            tell(f"birthdays: {told:,}")

    async def _nps(self, at: datetime, last: Sweep | None, tell: Tell) -> int:
        """Turns that have come since the last sweep; the first finds none, so that nobody is asked for the past."""
        if last is None:
            return 0
        async with self._database.transaction() as connection:
            told = await sweeps.nps_due(connection, self._rules, at=at, last=last.as_of)
        tell(f"NPS is due: {told:,}")
        return told

    async def _dates(self, at: datetime, last: Sweep | None, tell: Tell) -> int:
        """Dates of customers that are so many days away, by the installation's days."""
        if not self._rules.dates:
            return 0
        zone = ZoneInfo(self._zone)
        due = birthdays_since(last.as_of.astimezone(zone).date() if last else None, at.astimezone(zone).date())
        async with self._database.transaction() as connection:
            told = await sweeps.dates_near(connection, self._rules.dates, at=at, due=due)
        tell(f"dates: {told:,}")
        return told

    def _birthday(self, row: RowMapping, at: datetime, last: Sweep | None) -> NewEvent | None:
        """The event of somebody's birthday, once a year, when it is that day where they are."""
        zone = ZoneInfo(zone_of(row, self._zone))
        due = birthdays_since(last.as_of.astimezone(zone).date() if last else None, at.astimezone(zone).date())
        day = next((day for day in due if row["birthday"][-5:] in celebrated_on(day)), None)
        return _congratulating(row, day, at) if day else None


def _congratulating(row: RowMapping, day: date, at: datetime) -> NewEvent:
    return told_once(
        f"{BIRTHDAY}:{row['id']}:{day.year}",
        customer_id=row["customer_id"],
        name=BIRTHDAY,
        at=at,
        source=OURS,
        properties={"on": day},
    )
