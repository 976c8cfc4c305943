"""What an index on events costs those who write them: the same writes with it and without, in interleaved rounds."""

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg

from adapters.database.events import NewEvent, insert_alone
from bench.figures import Figure, rate

INDEX = "events_name_customer_idx"
ROUNDS, BATCHES, BATCH, PROJECTED = 6, 10, 1000, 2000
NAMES = ("page_viewed", "page_viewed", "page_viewed", "product_viewed", "message_opened", "order_placed")
# As adapters.database.projected.store does for one customer.
_MARK = """
    UPDATE events SET customer = $1, number = given.number
    FROM unnest($2::uuid[], $3::int[]) AS given (id, number) WHERE events.id = given.id
"""


async def cost(url: str, customers: int) -> list[Figure]:
    """Taking events in, and marking them as projected, one customer at a time."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    marked: dict[bool, list[float]] = {True: [], False: []}
    number = 2_000_000_000
    for turn in range(ROUNDS + 1):
        for kept in (True, False) if turn % 2 else (False, True):
            await _keep(url, kept)
            connection = await asyncpg.connect(url)
            batches = [_batch(customers) for _ in range(BATCHES)]
            began = time.perf_counter()
            for batch in batches:
                await insert_alone(connection, batch)
            took = time.perf_counter() - began
            rows = await _written(connection, batches)
            began = time.perf_counter()
            for customer, row in rows:
                number -= 1
                await connection.execute(_MARK, customer, [row], [number])
            if turn:  # the first warms up
                taken[kept].append(BATCHES * BATCH / took)
                marked[kept].append(len(rows) / (time.perf_counter() - began))
            await connection.execute("DELETE FROM events WHERE number IS NULL OR number > 1900000000")
            await connection.close()
    await _keep(url, True)
    return [
        rate(f"taken in, {BATCH:,} at once", taken[True], taken[False], "without the index"),
        rate("marked as projected", marked[True], marked[False], "without the index"),
    ]


async def _keep(url: str, kept: bool) -> None:
    """Whether writes keep the index up to date. Seen by connections that are made from then on."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "UPDATE pg_index SET indisready = $1, indisvalid = $1 WHERE indexrelid = $2::text::regclass", kept, INDEX
    )
    await connection.close()


def _batch(customers: int) -> list[NewEvent]:
    now = datetime.now(UTC)
    return [
        NewEvent(
            event_id=uuid4().hex,
            customer_id=f"customer-{random.randint(1, customers)}@example.com",  # noqa: S311  no secret
            name=random.choice(NAMES),  # noqa: S311
            occurred_at=now - timedelta(seconds=random.randrange(86400)),  # noqa: S311
            received_at=now,
            source="shop",
            about="",
            properties=b'{"price": 49.9, "currency": "EUR", "position": 3, "list": "spring"}',
            digest=b"0" * 32,
        )
        for _ in range(BATCH)
    ]


async def _written(connection: "asyncpg.Connection[Any]", batches: list[list[NewEvent]]) -> list[tuple[str, Any]]:
    some = [event.event_id for batch in batches for event in batch][:PROJECTED]
    rows = await connection.fetch(
        """
            SELECT c.id AS customer, e.id FROM events e JOIN customers c USING (customer_id)
            WHERE e.event_id = ANY($1::text[])
        """,
        some,
    )
    return [(row["customer"], row["id"]) for row in rows]
