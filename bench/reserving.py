"""`python -m bench.reserving`: what it costs to ask the contact policy under the customer's lock, beside a bare insert.

Ours is one reserve: project what waits, read all facts, decide, write the ledger's row and its decision. The floor is a
transaction that takes the same lock and inserts the same row. Rounds of both are interleaved, one connection each.
"""

import asyncio
import time

from sqlalchemy import text

from activities.sending import SendRequest
from adapters.database import sends
from adapters.database.connection import lock_customer
from adapters.settings import Settings
from bench.alone import database, keep, say
from bench.figures import Figure, rate
from bench.processor import Processor
from services.reserving import Reserving
from services.send_facts import FactReader
from services.steps import Step
from tropa.leaving import leave
from tropa.wiring import House, build

ROUNDS, EACH = 10, 200  # both sides, so often
PAST = 40  # sends of each customer in the last month

PEOPLE = """
WITH people AS (
    INSERT INTO customers (customer_id, email, timezone, first_seen_at)
    SELECT 'c' || n, 'c' || n || '@example.com', 'Europe/Berlin', :now FROM generate_series(1, CAST(:count AS int)) AS n
    RETURNING id
), walks AS (
    INSERT INTO enrollments (id, customer, journey, about, started_at, cause, options)
    SELECT 'enr_' || id, id, 'WelcomeChain', '', :now, 'bench', '{}' FROM people RETURNING id, customer
), words AS (
    INSERT INTO consents (customer, channel, status, at, source)
    SELECT id, 'email', 'granted', :now, 'bench' FROM people
)
INSERT INTO sends (id, enrollment, customer, message, visit, leg, purpose, kind, priority, state, channel, wished_at,
    expires_at, slot_at, rule)
SELECT gen_random_uuid(), id, customer, 'basics', n, 0, 'value', 'triggered', 3, 'accepted', 'email', past.at, past.at,
    past.at, 'accepted'
FROM walks, generate_series(1, CAST(:past AS int)) AS n,
    LATERAL (SELECT CAST(:now AS timestamptz) - n * interval '17 hours' AS at) AS past
"""


_ROW = {
    "message": "bare",
    "leg": 0,
    "purpose": "value",
    "kind": "triggered",
    "priority": 3,
    "state": "refused",
    "channel": "email",
    "rule": "bare",
}
CLEAN = ("DELETE FROM decisions", "DELETE FROM sends WHERE message <> 'basics'")  # the fuse would end the walks


class Both:
    """Ours and the floor, on the same people."""

    def __init__(self, house: House, walks: list[tuple[str, str]]) -> None:
        self._house, self._walks = house, walks
        facts = FactReader(
            house.catalogue, house.surrogates, house.gateways, house.settings.timezone, house.policies.of
        )
        self._reserving = Reserving(house.database, house.catalogue, house.projector, facts)
        self._visit = 0

    def _requests(self, message: str) -> list[SendRequest]:
        self._visit += 1
        return [
            SendRequest(enrollment=walk, customer=customer, message=message, visit=self._visit)
            for walk, customer in self._walks
        ]

    async def clean(self) -> None:
        """Take out what a round has left."""
        async with self._house.database.transaction() as connection:
            for statement in CLEAN:
                await connection.execute(text(statement))

    async def ours(self) -> float:
        """How many reserves a second."""
        began, requests = time.perf_counter(), self._requests("greeting")
        for request in requests:
            await self._reserving.reserve(Step.of(request), self._house.clock.now())
        return len(requests) / (time.perf_counter() - began)

    async def floor(self) -> float:
        """How many bare inserts a second."""
        began, requests, now = time.perf_counter(), self._requests("bare"), self._house.clock.now()
        for request in requests:
            row = {**_ROW, "id": Step.of(request).send, "enrollment": request.enrollment, "customer": request.customer}
            row |= {"visit": request.visit, "wished_at": now, "expires_at": now, "slot_at": now}
            async with self._house.database.transaction() as connection:
                await lock_customer(connection, request.customer)
                await sends.put(connection, row)
        return len(requests) / (time.perf_counter() - began)


async def measure(url: str, processor: Processor) -> Figure:
    """Interleaved rounds of both."""
    house = await build(Settings.model_validate({"database_url": url}))
    async with house.database.transaction() as connection:
        await connection.execute(text(PEOPLE), {"now": house.clock.now(), "count": EACH, "past": PAST})
    async with house.database.transaction() as connection:
        await connection.execute(text("ANALYZE"))
        found = await connection.execute(text("SELECT id, customer FROM enrollments"))
        both = Both(house, [(row.id, row.customer) for row in found])
    await both.ours(), await both.floor()  # plans and caches
    ours, floor, used = list[float](), list[float](), {"ours": 0.0, "floor": 0.0}
    for _ in range(ROUNDS):
        for name, side, rates in (("ours", both.ours, ours), ("floor", both.floor, floor)):
            await both.clean()
            before = processor.used() + time.process_time()
            rates.append(await side())
            used[name] += processor.used() + time.process_time() - before
    await house.close()
    figure = rate("Reserves", ours, floor, "lock and insert")
    each = {name: round(1000 * seconds / (ROUNDS * EACH), 2) for name, seconds in used.items()}
    figure.details["milliseconds of processor time each"] = each
    return figure


def main() -> int:
    """Run it; answers the exit code."""
    with database() as (url, processor):
        figure = asyncio.run(measure(url, processor))
    keep("reserving", [figure])
    say(figure.details["milliseconds of processor time each"])
    return 0


if __name__ == "__main__":
    leave(main())
