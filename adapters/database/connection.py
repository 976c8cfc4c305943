"""The one database: engine, transactions, the customer's lock, and waking those who wait for new rows."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from enum import StrEnum
from typing import Any

import asyncpg
import msgspec
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoRoomInPool
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from adapters.database.statements import text

NOTIFY_EVERY = 0.02  # seconds; a NOTIFY in every commit cost 2.3 times the throughput
WAKE_CHANNEL = "tropa"
# SQLSTATE classes: connection, read-only, deadlock, resources, lock, shutdown, system
PASSING = ("08", "25", "40", "53", "55", "57", "58")
HELD_UP = ("40P01", "55P03")
MANY_WAIT = "500ms"  # less than the second after which PostgreSQL looks for a deadlock, and breaks off either

log = logging.getLogger(__name__)


class News(StrEnum):
    """What there is for pumps to do: events to project, or what followed from them."""

    EVENTS = "events"
    CONSEQUENCES = "consequences"


class Database:
    """PostgreSQL, as services use it: `async with database.transaction() as connection`."""

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=5,
            pool_use_lifo=True,  # the warmest connection first: it has prepared the statements
            hide_parameters=True,
            json_serializer=lambda value: msgspec.json.encode(value).decode(),
            json_deserializer=msgspec.json.decode,
            connect_args={"server_settings": {"application_name": "tropa"}},
        )
        self._doorbell: asyncpg.Connection[Any] | None = None
        self._ringing: asyncio.Task[None] | None = None
        self._rung = set[News]()
        self._rang_at = 0.0
        self._one_at_a_time = asyncio.Lock()
        self._heard: Callable[[News], None] | None = None
        self._listening = False

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end of the block, rolled back when it raises."""
        async with self.engine.begin() as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncConnection]:
        """Each statement its own transaction: two ways to the server and back less, where nothing else is needed."""
        async with self.engine.connect() as connection:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextlib.asynccontextmanager
    async def bare(self) -> AsyncIterator["asyncpg.Connection[Any]"]:
        """The driver's own connection, each statement its own transaction, for a hot path that needs no more.

        Its errors are the driver's own: asyncpg.PostgresError, asyncpg.InterfaceError, OSError.
        """
        taken = await self.engine.raw_connection()
        driver: asyncpg.Connection[Any] = taken.driver_connection
        try:
            yield driver
        finally:
            if driver.is_closed():  # the server went away, and took the others along
                await greenlet_spawn(taken.invalidate)
                await self.engine.dispose()
            await greenlet_spawn(taken.close)

    def wake(self, *news: News) -> None:
        """Tell waiting pumps that there are new rows, of any kind where none is named: this process's at once, others
        by one NOTIFY for each kind every 20 ms at most.

        Call after commit.
        """
        told = set(news or News)
        if self._heard:
            for each in told:
                self._heard(each)
        if not self._rung:
            self._ringing = asyncio.create_task(self._ring())
        self._rung |= told

    async def listen(self, heard: Callable[[News], None]) -> None:
        """Call `heard` for each wake-up, over this process's dedicated connection."""
        self._heard = heard
        async with self._one_at_a_time:
            await self._dedicated()

    async def close(self) -> None:
        """Give everything back."""
        if self._ringing:
            await asyncio.gather(self._ringing, return_exceptions=True)
        if self._doorbell:
            await self._doorbell.close()
        await self.engine.dispose()

    async def _ring(self) -> None:
        await asyncio.sleep(max(0.0, self._rang_at + NOTIFY_EVERY - time.monotonic()))
        # Before the NOTIFY: a commit from here on rings again.
        told, self._rung, self._rang_at = sorted(self._rung), set(), time.monotonic()
        async with self._one_at_a_time:
            try:
                await (await self._dedicated()).execute("; ".join(f"NOTIFY {WAKE_CHANNEL}, '{each}'" for each in told))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                # Pumps poll each second besides, so a lost wake-up only delays.
                log.warning("could not wake the pumps", extra={"error": type(error).__name__})
                if self._doorbell:
                    self._doorbell.terminate()
                self._doorbell = None

    async def _dedicated(self) -> "asyncpg.Connection[Any]":
        """The connection for wake-ups, made anew, listener and all, when it was lost."""
        if self._doorbell is None or self._doorbell.is_closed():
            url = make_url(self.url).set(drivername="postgresql")
            self._doorbell = await asyncpg.connect(url.render_as_string(hide_password=False))
            self._listening = False
        if (heard := self._heard) and not self._listening:
            own = self._doorbell.get_server_pid()

            def others(_: object, pid: int, channel: str, told: object) -> None:
                if pid != own:  # our own news was heard when it was made
                    heard(News(str(told)))

            await self._doorbell.add_listener(WAKE_CHANNEL, others)
            self._listening = True
        return self._doorbell


async def lock_customer(connection: AsyncConnection, customer: str) -> str:
    """Take the customer's one lock until the end of the transaction. Answers who that is by now: go on with that id.

    A profile that was merged away is whoever it went into. Read in the NEXT statement: under READ COMMITTED a statement
    that waits for its own lock reads from before it.
    """
    return (await lock_customers(connection, [customer]))[0]


async def lock_customers(connection: AsyncConnection, customers: Sequence[str]) -> list[str]:
    """As `lock_customer`, for several at once, in the one order that cannot deadlock (migration 0003)."""
    rows = await connection.execute(
        text("SELECT lock_customers(cast(:customers AS text[]))"), {"customers": list(customers)}
    )
    return list(rows.scalar_one())


async def try_lock_customers(connection: AsyncConnection, customers: Sequence[str]) -> list[str]:
    """As `lock_customers`, but at once: answers those whose locks nobody else holds. It follows no merge: a profile
    that was merged away meanwhile has nothing any more.

    With the locks comes how statements are planned until the end of the transaction. They look rows up: statistics of
    tables that grow by the minute are old or none, and PostgreSQL would think them small and read the whole of them.
    About one customer a plan is kept, for making it takes as long as three statements; about many it would be the one
    from when a table was empty.
    Whoever has many waits for a row at most MANY_WAIT (see `is_held_up`): all their opt-outs would wait, too.
    """
    many = len(customers) > 1
    found = await connection.execute(
        text("""
            SELECT given.id, set_config('plan_cache_mode', :plans, true), set_config('enable_seqscan', 'off', true),
                set_config('lock_timeout', :wait, true)
            FROM unnest(cast(:customers AS text[])) AS given (id)
            WHERE pg_try_advisory_xact_lock(hashtextextended(given.id, 0))
        """),
        {
            "customers": list(customers),
            "plans": "force_custom_plan" if many else "force_generic_plan",
            "wait": MANY_WAIT if many else "0",
        },
    )
    return list(found.scalars())


def is_held_up(error: BaseException) -> bool:
    """Whether it waited too long for what somebody else holds, or each for the other."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in HELD_UP


def will_pass(error: BaseException) -> bool:
    """Whether the database failed (down, full, read-only, shutting down) rather than what it was asked (F08, F53)."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or str(getattr(error.orig, "sqlstate", None) or "").startswith(PASSING)
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate or "").startswith(PASSING)
    return isinstance(error, (OSError, TimeoutError, NoRoomInPool, asyncpg.InterfaceError))
