"""How fast events are taken in over HTTP, against the bare insert of the same rows, and FastAPI doing nothing."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec

from api.reading_events import read_batch
from bench.client import connections, drive, request_of
from bench.figures import Figure, GateFailed, rate

ROUNDS = 6
CUSTOMERS = 1000
INSERT = """
    INSERT INTO floor (event_id, customer_id, name, occurred_at, received_at, source, about, properties, digest)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[],
                         $7::text[], $8::jsonb[], $9::bytea[])
    ON CONFLICT (event_id) DO NOTHING
"""
COLUMNS = (
    "event_id",
    "customer_id",
    "name",
    "occurred_at",
    "received_at",
    "source",
    "about",
    "properties",
    "digest",
)

Say = Callable[[str], None]
Columns = list[list[Any]]


@dataclass(frozen=True, kw_only=True)
class Size:
    """So many events in a request, so many requests in a round, over so many connections."""

    events: int
    requests: int
    connections: int


SIZES = (
    Size(events=1, requests=1000, connections=16),
    Size(events=100, requests=100, connections=4),
    Size(events=1000, requests=16, connections=4),
)


async def measure(api: str, key: str, noop: str, database: str, say: Say) -> list[Figure]:
    """All sizes, in interleaved rounds. `database` is a bare address. Raises GateFailed."""
    pool = await asyncpg.create_pool(database, min_size=16, max_size=16)
    figures = []
    async with pool:
        await pool.execute("CREATE TABLE floor (LIKE events INCLUDING ALL)")
        sent = 0
        for size in SIZES:
            say(f"ingest: {size.events:,} in a request ...")
            figures += await _Rounds(api, key, noop, pool, size).run()
            sent += size.events * size.requests * (ROUNDS + 1)
        stored = await pool.fetchrow("SELECT count(*) AS all, count(DISTINCT event_id) AS different FROM events")
        if tuple(stored) != (sent, sent):
            raise GateFailed(f"{sent:,} events were sent and {stored['all']:,} are stored")
    return figures


class _Rounds:
    """One size: the same events to Tropa, into the bare table, and at FastAPI's route that does nothing."""

    def __init__(self, api: str, key: str, noop: str, pool: "asyncpg.Pool[Any]", size: Size) -> None:
        self._api, self._key, self._noop, self._pool, self._size = api, key, noop, pool, size

    async def run(self) -> list[Figure]:
        size = self._size
        ways: dict[str, Callable[[list[bytes]], Awaitable[float]]] = {"ours": self._ours, "insert": self._insert}
        if size.events == 1:
            ways["noop"] = self._do_nothing
        rates: dict[str, list[float]] = {way: [] for way in ways}
        for turn in range(ROUNDS + 1):
            bodies = [_body(size.events) for _ in range(size.requests)]
            for way in _rotated(list(ways), turn):
                seconds = await ways[way](bodies)
                if turn:  # the first warms up
                    rates[way].append(size.events * size.requests / seconds)
        if size.events == 1:
            return [
                rate("single events", rates["ours"], rates["noop"], "FastAPI's no-op POST", at_least=0.5),
                rate("single events", rates["ours"], rates["insert"], "bare insert"),
            ]
        bound = {"at_least": 0.7} if size.events == 1000 else {}
        return [rate(f"batches of {size.events:,}", rates["ours"], rates["insert"], "bare insert", **bound)]

    async def _ours(self, bodies: list[bytes]) -> float:
        requests = [request_of("/v1/events", body, self._key) for body in bodies]
        async with connections(self._api, self._size.connections) as opened:
            seconds, answers = await drive(opened, requests)
            answers.append(again := await opened[0].ask(requests[0]))
        accepted = 0
        for status, body in answers:
            taken = msgspec.json.decode(body)
            if status != 202 or taken["rejected"]:
                raise GateFailed(f"a batch was answered with {status} {body[:200]!r}")
            accepted += taken["accepted"]
        if accepted != len(bodies) * self._size.events:
            raise GateFailed(f"{len(bodies) * self._size.events:,} events were sent and {accepted:,} accepted")
        if msgspec.json.decode(again[1])["duplicates"] != self._size.events:
            raise GateFailed("a repeated batch was not told to be one")
        return seconds

    async def _insert(self, bodies: list[bytes]) -> float:
        now = datetime.now(UTC)
        batches = [_columns(body, now) for body in bodies]
        waiting = iter(batches)

        async def work(connection: "asyncpg.Connection[Any]") -> None:
            for columns in waiting:
                await connection.execute(INSERT, *columns)

        async with contextlib.AsyncExitStack() as stack:
            opened = [await stack.enter_async_context(self._pool.acquire()) for _ in range(self._size.connections)]
            began = time.perf_counter()
            await asyncio.gather(*map(work, opened))
            return time.perf_counter() - began

    async def _do_nothing(self, bodies: list[bytes]) -> float:
        requests = [request_of("/noop", body, self._key) for body in bodies]
        async with connections(self._noop, self._size.connections) as opened:
            seconds, answers = await drive(opened, requests)
        if any(status != 202 for status, _ in answers):
            raise GateFailed("FastAPI's no-op was not answered with 202")
        return seconds


def _rotated(ways: list[str], by: int) -> list[str]:
    return ways[by % len(ways) :] + ways[: by % len(ways)]


def _body(events: int) -> bytes:
    """A request's body: new events of known and unknown customers, with what a shop would say."""
    return msgspec.json.encode(
        {
            "events": [
                {
                    "event_id": (event_id := uuid4().hex),
                    "customer_id": f"customer-{int(event_id[:6], 16) % CUSTOMERS}@example.com",
                    "name": "product_viewed",
                    "occurred_at": "2026-03-02T10:00:00Z",
                    "about": f"product-{event_id[:4]}",
                    "properties": {"price": 49.9, "currency": "EUR", "position": 3, "list": "spring"},
                }
                for _ in range(events)
            ]
        }
    )


def _columns(body: bytes, now: datetime) -> Columns:
    events = read_batch(body, now)[0]
    columns = {name: [getattr(event, name) for event in events] for name in COLUMNS}
    columns["properties"] = [value.decode() for value in columns["properties"]]
    return list(columns.values())
