"""What operators watch: whether this process can work, and the counts of what it works on."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from adapters.database import counts, dispatches
from adapters.database.connection import Database
from adapters.database.counts import Waiting

PATIENCE = 2.0  # seconds for each part

TemporalHealth = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Whether requests can be served. Temporal is told and does not count: events are taken in without it (F07)."""

    database: str
    migrations: str
    temporal: str

    @property
    def ready(self) -> bool:
        """Whether this process should get requests."""
        return self.database == "ok" and self.migrations == "ok"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What metrics show of the tables."""

    backlog: int
    sends: Mapping[str, int]
    open_enrollments: Mapping[str, int]
    waiting: Waiting


class Watching:
    """Looks, within seconds, and never raises for what is merely down."""

    def __init__(self, database: Database, schema_version: str, temporal: TemporalHealth | None = None) -> None:
        self._database, self._schema_version, self._temporal = database, schema_version, temporal

    async def readiness(self) -> Readiness:
        """How database, schema and Temporal are."""
        temporal = "not asked"
        if self._temporal is not None:
            temporal = "ok" if await _within_patience(self._temporal(), otherwise=False) else "down"
        try:
            version, database = await asyncio.wait_for(self._look_at_database(), PATIENCE)
        except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return Readiness(database="down", migrations="unknown", temporal=temporal)
        migrations = "ok" if version == self._schema_version else "run `tropa migrate`"
        return Readiness(database=database, migrations=migrations, temporal=temporal)

    async def counts(self) -> Counts:
        """The counts. Raises what a database that is down raises."""
        async with self._database.transaction() as connection:
            by_journey = await counts.enrollments(connection)
            return Counts(
                backlog=await dispatches.backlog(connection),
                sends=await counts.sends(connection),
                open_enrollments={journey: states.get("open", 0) for journey, states in by_journey.items()},
                waiting=await counts.waiting(connection),
            )

    async def _look_at_database(self) -> tuple[str | None, str]:
        async with self._database.transaction() as connection:
            database = "read-only" if await counts.only_reads(connection) else "ok"
            return await counts.schema_version(connection), database


async def _within_patience(asked: Awaitable[bool], *, otherwise: bool) -> bool:
    try:
        return await asyncio.wait_for(asked, PATIENCE)
    except Exception:  # whatever a client raises, it does not answer
        return otherwise
