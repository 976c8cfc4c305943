"""Segments: who is in them, how many that are, and who comes and goes (design 4.7, 4.8)."""

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import segments
from adapters.database.connection import Database
from adapters.database.segment_sql import Members, Statement
from adapters.database.segments import Counted, Moved
from domain.clock import Clock
from domain.durations import spoken
from domain.errors import InvalidInput, NotFound, Unavailable
from domain.segments import Rule, Segment
from services.audit import Actor
from services.segment_catalogue import Known, SegmentCatalogue

SAMPLE = 10
PATIENCE = timedelta(seconds=30)  # with a rule that somebody waits for
REMEMBERED = 4.0  # seconds of real time: a changed rule is watched by everybody within five
_GAVE_UP = "57014"  # SQLSTATE: a statement that took too long

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Watch:
    """What asks of one customer whether they are inside, of all watched segments at once."""

    asks: str
    values: Mapping[str, object]


class Segments:
    """Counts, lists and keeps up to date. `watched` are the segments that journeys need, and which journey each."""

    def __init__(
        self,
        clock: Clock,
        catalogue: SegmentCatalogue,
        *,
        watched: Mapping[str, str],
        patience: timedelta = PATIENCE,
    ) -> None:
        self._clock, self._catalogue, self.watched, self._patience = clock, catalogue, watched, patience
        self._watch: _Watch | None = None
        self._watch_since = -REMEMBERED

    async def known(self, connection: AsyncConnection) -> Known:
        """All segments that are in force."""
        return await self._catalogue.known(connection)

    async def count(self, connection: AsyncConnection, rule: object) -> Counted:
        """Count who meets a rule, as JSON, that need not be saved. Raises InvalidInput, Unavailable."""
        known = await self._catalogue.known(connection)
        return await self._count(connection, known, known.resolve(rule))

    async def set(
        self, connection: AsyncConnection, segment: Segment, *, actor: Actor, over: int | None = None
    ) -> tuple[Known, Counted]:
        """Put a segment in force once it is counted. Where it is watched, its members are found anew, silently.

        Raises InvalidInput, Conflict, and Unavailable when counting takes too long.
        """
        known = await self._catalogue.set(connection, segment, actor=actor, over=over)
        counted = await self._count(connection, known, known.whole(segment.name).rule)
        for name in sorted({segment.name, *known.naming(segment.name)} & self.watched.keys()):
            await self.refresh(connection, name, self._clock.now())
        return known, counted

    async def delete(self, connection: AsyncConnection, name: str, *, actor: Actor) -> None:
        """Take a segment out of force. Raises NotFound, Conflict."""
        await self._catalogue.delete(connection, name, needed_by=self.watched, actor=actor)

    async def members(self, connection: AsyncConnection, name: str, *, after: str, limit: int) -> Sequence[RowMapping]:
        """Who is in a segment now, after one of our ids, in their order. Raises NotFound, Unavailable."""
        known = await self._catalogue.known(connection)
        members = self._members(known, known.whole(name).rule, but="c.id > :after", after=after)
        with self._patiently():
            return await segments.page(connection, members, limit=limit, patience=self._patience)

    async def kept(self, connection: AsyncConnection, names: Iterable[str]) -> Mapping[str, int]:
        """How many are in each of these segments that journeys watch, as of the last time that anybody moved."""
        return await segments.kept(connection, sorted(self.watched.keys() & set(names)))

    async def kept_members(self, connection: AsyncConnection, name: str, *, limit: int) -> Sequence[RowMapping]:
        """As `members`, of a segment that a journey watches, without asking its rule."""
        return await segments.kept_page(connection, name, limit=limit)

    async def of(self, connection: AsyncConnection, customer: str) -> list[Segment]:
        """The segments that a customer, by our id, is in now. One whose rule cannot be read is left out."""
        known, statement, asks = await self._catalogue.known(connection), Statement(), []
        for name in sorted(known.now):
            with contextlib.suppress(InvalidInput):
                whole = known.whole(name)
                members = statement.members(whole.rule, but=segments.ASKED_OF)
                asks.append(
                    segments.asking(statement.bound(name, "text"), statement.bound(whole.digest, "text"), members)
                )
        values = {**statement.values, "now": self._clock.now(), "scale": known.scale, "customers": [customer]}
        with self._patiently():
            names = await segments.inside(connection, " UNION ALL ".join(asks), values, patience=self._patience)
        return [known[name].segment for name in names]

    # Coming and going ------------------------------------------------------------------------------------------------

    async def refresh(
        self, connection: AsyncConnection, segment: str, now: datetime, *, silently: bool = False
    ) -> Moved:
        """Find the members of a segment anew; an event tells of each who came or went since they were last found.

        The first time, and after its rule or the scale of engagement was changed, it is done silently: nobody came, we
        only learned of them.
        Raises NotFound and InvalidInput.
        """
        before = await segments.watch(connection, segment)
        known = await self._catalogue.known(connection)
        whole = known.whole(segment)
        aloud = before == whole.digest and not silently
        members = self._members(known, whole.rule, now=now)
        moved = await segments.refresh(connection, segment, members, now=now, aloud=aloud)
        await segments.watched(connection, segment, whole.digest, now)
        return moved

    async def refresh_all(self, database: Database, now: datetime, *, silently: bool = False) -> dict[str, Moved]:
        """Refresh every watched segment, each in its own transaction; one that cannot be read is left as it is."""
        found = {}
        for name in sorted(self.watched):
            try:
                async with database.transaction() as connection:
                    found[name] = await self.refresh(connection, name, now, silently=silently)
            except (NotFound, InvalidInput) as error:
                log.error("a watched segment cannot be refreshed", extra={"segment": name, "error": str(error)})
        async with database.transaction() as connection:
            await segments.forget_others(connection, sorted(self.watched))
        database.wake()
        return found

    async def refresh_customers(
        self, connection: AsyncConnection, customers: Sequence[str], now: datetime, *, silently: bool = False
    ) -> frozenset[str]:
        """As `refresh`, of all watched segments, for some customers, whose locks the caller holds: one statement.

        Answers those of whom it wrote events. A segment whose members were never found by the rule in force is left to
        `refresh`.
        """
        watch = await self._watching(connection) if self.watched and customers else None
        if not watch or not watch.asks:
            return frozenset()
        return await segments.refresh_customers(
            connection, watch.asks, watch.values, customers, now=now, aloud=not silently
        )

    async def _watching(self, connection: AsyncConnection) -> _Watch:
        if self._watch and time.monotonic() - self._watch_since < REMEMBERED:
            return self._watch
        asked = time.monotonic()
        known, statement, asks = await self._catalogue.known(connection), Statement(), []
        for name in sorted(self.watched):
            try:
                whole = known.whole(name)
            except (NotFound, InvalidInput) as error:
                log.error("a watched segment cannot be watched", extra={"segment": name, "error": str(error)})
                continue
            members = statement.members(whole.rule, but=segments.ASKED_OF)
            asks.append(segments.asking(statement.bound(name, "text"), statement.bound(whole.digest, "text"), members))
        self._watch = _Watch(asks=" UNION ALL ".join(asks), values={**statement.values, "scale": known.scale})
        self._watch_since = asked
        return self._watch

    async def _count(self, connection: AsyncConnection, known: Known, rule: Rule) -> Counted:
        with self._patiently():
            return await segments.count(connection, self._members(known, rule), some=SAMPLE, patience=self._patience)

    def _members(self, known: Known, rule: Rule, *, but: str = "true", **values: object) -> Members:
        return Statement().query(rule, but=but, **{"now": self._clock.now(), "scale": known.scale, **values})

    @contextlib.contextmanager
    def _patiently(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _GAVE_UP:
                raise Unavailable(
                    f"Finding these customers took longer than {spoken(self._patience)}, and was given up. "
                    "Ask for fewer days of events, or for fewer conditions."
                ) from None
            raise
