"""The one database: engine, transactions, the customer's lock, and waking those who wait for new rows."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

NOTIFY_EVERY = 0.02  # seconds; a NOTIFY in every commit cost 2.3 times the throughput
WAKE_CHANNEL = "tropa"

log = logging.getLogger(__name__)


class Database:
    """PostgreSQL, as services use it: `async with database.transaction() as connection`."""

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=5,
            hide_parameters=True,
            json_serializer=lambda value: msgspec.json.encode(value).decode(),
            json_deserializer=msgspec.json.decode,
            connect_args={"server_settings": {"application_name": "tropa"}},
        )
        self._doorbell: asyncpg.Connection[Any] | None = None
        self._ringing: asyncio.Task[None] | None = None
        self._rung = False
        self._one_at_a_time = asyncio.Lock()
        self._heard: Callable[[], None] | None = None
        self._listening = False

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end of the block, rolled back when it raises."""
        async with self.engine.begin() as connection:
            yield connection

    def wake(self) -> None:
        """Tell waiting pumps, soon, that there are new rows. Call after commit; at most one NOTIFY every 20 ms."""
        if not self._rung:
            self._rung = True
            self._ringing = asyncio.create_task(self._ring())

    async def listen(self, heard: Callable[[], None]) -> None:
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
        await asyncio.sleep(NOTIFY_EVERY)
        self._rung = False  # before the NOTIFY: a commit from here on rings again
        async with self._one_at_a_time:
            try:
                await (await self._dedicated()).execute(f"NOTIFY {WAKE_CHANNEL}")
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
            await self._doorbell.add_listener(WAKE_CHANNEL, lambda *_: heard())
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


async def try_lock_customer(connection: AsyncConnection, customer: str) -> bool:
    """As `lock_customer`, but answers False at once when somebody else holds it. It follows no merge: a profile that
    was merged away meanwhile has nothing any more."""
    found = await connection.execute(
        text("SELECT pg_try_advisory_xact_lock(hashtextextended(:customer, 0))"), {"customer": customer}
    )
    return bool(found.scalar_one())
