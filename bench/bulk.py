"""How fast many customers enter a journey, until Temporal has started every walk: against a bare loop that starts
empty workflows, as many at once.

Nobody serves the walks of either side, so that starting alone is measured. `worker DATABASE TEMPORAL` is the process
that lets them enter: the product's own activity, dispatcher and pump, as in `tropa worker`.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from uuid import uuid4

import asyncpg
from temporalio.client import Client
from temporalio.worker import Worker

from adapters.database.connection import News
from adapters.settings import Settings
from adapters.temporal import connect
from bench.figures import Figure, GateFailed, rate
from bench.ingest import Say
from services.audiences import Asked
from services.audit import Actor
from services.bulks import FASTEST
from services.dispatch import AT_ONCE
from tropa.pulse import Pulse
from tropa.running import run
from tropa.wiring import House, build
from tropa.worker import OPERATIONS, RUNNER, pump

CUSTOMERS, ROUNDS = 10_000, 4
NOBODY, QUEUE = "nobody", "bulk"
BENCH = Actor(id="bench", name="bench")
PEOPLE = """
    WITH new AS (
        INSERT INTO customers (customer_id, email, first_seen_at)
        SELECT 'bulk-' || n, 'bulk-' || n || '@example.com', now() FROM generate_series(1, $1) AS n RETURNING id
    )
    INSERT INTO consents (customer, channel, status, at, source) SELECT id, 'email', 'granted', now(), 'bench' FROM new
"""
OVER = """
    SELECT state = 'done' AND NOT EXISTS (SELECT 1 FROM enrollments WHERE run_id IS NULL) FROM bulks WHERE id = $1
"""


async def worker(database: str, temporal: str) -> None:
    """Let customers enter, and start their walks on a queue that nobody serves."""
    house, client = await build(Settings(database_url=database)), await connect(temporal)
    telling, dispatcher = house.bulk_telling(client, task_queue=QUEUE), house.dispatcher(client, task_queue=NOBODY)
    wakes, stopping = [asyncio.Event(), asyncio.Event()], asyncio.Event()

    def wake(_: News) -> None:
        for each in wakes:
            each.set()

    await house.database.listen(wake)
    entering = [each for each in house.activities() if getattr(each, "__name__", "") == "enter_some"]
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=list(OPERATIONS),
        activities=entering,  # type: ignore[arg-type]  # a bound method
        workflow_runner=RUNNER,
    ):
        await asyncio.gather(
            pump("dispatch", dispatcher.dispatch_some, wakes[0], stopping, Pulse()),
            pump("bulks", telling.tell_some, wakes[1], stopping, Pulse()),
        )


async def measure(database: str, temporal: str, say: Say) -> list[Figure]:
    """Rounds of both in turns. Raises GateFailed when somebody entered twice, or not at all."""
    house, client = (
        await build(Settings(database_url=database, approve_above=CUSTOMERS)),
        await Client.connect(temporal),
    )
    bare = await asyncpg.connect(database.replace("+asyncpg", ""))
    await bare.execute(PEOPLE, CUSTOMERS)
    size = CUSTOMERS // ROUNDS
    ours, floor = [], []
    for turn in range(ROUNDS):
        say(f"bulk: {size} customers enter, and {size} bare starts ({turn + 1} of {ROUNDS}) ...")
        floor.append(size / await _bare(client, size))
        names = [f"bulk-{turn * size + number}" for number in range(1, size + 1)]
        ours.append(size / await _enter(house, bare, names))
    await _check(bare)
    await bare.close()
    await house.close()
    return [rate("bulk enrollment", ours, floor, f"bare starts, {AT_ONCE} at once", at_least=0.7)]


async def _bare(client: Client, count: int) -> float:
    """Seconds that so many bare starts take."""
    waiting = iter(range(count))

    async def start() -> None:
        for _ in waiting:
            await client.start_workflow("Empty", id=f"empty-{uuid4().hex}", task_queue=NOBODY)

    began = time.perf_counter()
    await asyncio.gather(*(start() for _ in range(AT_ONCE)))
    return time.perf_counter() - began


async def _enter(house: House, bare: "asyncpg.Connection[asyncpg.Record]", names: Sequence[str]) -> float:
    """Seconds from the start of a bulk until every walk of it has begun."""
    asked = Asked(customers=[(name, "") for name in names])
    async with house.database.transaction() as connection:
        bulk = await house.bulk_drafting.draft(
            connection, "WelcomeChain", asked, options={}, per_second=FASTEST, actor=BENCH
        )
    began = time.perf_counter()
    async with house.database.transaction() as connection:
        await house.bulks.start(connection, bulk, actor=BENCH)
    house.database.wake()
    async with asyncio.timeout(600):
        while not await bare.fetchval(OVER, bulk):  # noqa: ASYNC110  it is the database that changes
            await asyncio.sleep(0.05)
    return time.perf_counter() - began


async def _check(bare: "asyncpg.Connection[asyncpg.Record]") -> None:
    found = await bare.fetchrow("""
        SELECT count(*) AS walks, count(DISTINCT customer) AS people, count(DISTINCT run_id) AS runs FROM enrollments
    """)
    if found is None or set(found.values()) != {CUSTOMERS}:
        raise GateFailed(f"not everybody entered once: {dict(found or {})}")


if __name__ == "__main__":
    run(lambda: worker(*sys.argv[1:]))
