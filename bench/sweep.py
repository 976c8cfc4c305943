"""`python -m bench.sweep --customers 1000000`: the daily sweep of invented customers, against bare reads of the same.

Two sweeps are timed: the first, which sets everybody's state silently, and the next day's, which tells. The floor reads
the same tables in the same minute: it counts all rows, and sorts who paid what. Exit code 1 when a gate failed.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from adapters.database.connection import Database
from bench.alone import measured, say
from bench.figures import Figure, GateFailed
from bench.processor import Processor
from domain.sweep import SweepRules, Swept
from services.sweep import Sweeping
from tropa.leaving import leave

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
WITHIN = 60.0  # seconds, on 2 cores

# Most bought once or twice, some often; half are silent for 90 days or more; each has a birthday.
CUSTOMERS = """
INSERT INTO customers (customer_id, first_seen_at, last_active_at, engaged_at, attributes)
SELECT 'c' || n, CAST(:now AS timestamptz) - interval '800 days',
    CAST(:now AS timestamptz) - interval '400 days' * power(random(), 1.5),
    CAST(:now AS timestamptz) - interval '400 days' * random(),
    jsonb_build_object('birthday', to_char(date '1960-01-01' + (random() * 15000)::int, 'YYYY-MM-DD'), 'plan', 'free')
FROM generate_series(1, CAST(:count AS int)) AS n
"""
ORDERS = """
INSERT INTO orders (customer, "order", placed_at, status, gross, refunded, rate, net, currency, products)
SELECT id, 'o' || number, placed_at, CASE WHEN random() < 0.05 THEN 'cancelled' ELSE 'placed' END, paid, 0, 1, paid,
    'EUR', ARRAY['p' || number]
FROM (SELECT id, power(random(), 3) AS much FROM customers OFFSET 0) AS c,
    generate_series(1, 1 + (much * 12)::int) AS number,
    LATERAL (SELECT round((5 + 200 * random() + 0 * number)::numeric, 2) AS paid,
        CAST(:now AS timestamptz) - interval '730 days' * power(random() + 0 * number, 0.8) AS placed_at) AS made
ORDER BY placed_at
"""
# A day later a hundredth has been here, and one in two hundred has bought.
A_DAY = (
    "UPDATE customers SET last_active_at = CAST(:now AS timestamptz), engaged_at = :now "
    "WHERE right(customer_id, 2) = '07'",
    """
    INSERT INTO orders (customer, "order", placed_at, status, gross, refunded, rate, net, currency)
    SELECT id, 'today', :now, 'placed', 60, 0, 1, 60, 'EUR' FROM customers
    WHERE right(customer_id, 2) = '07' AND right(customer_id, 3) < '500'
    """,
)
FLOOR = (
    "SELECT count(*) FROM customers",
    "SELECT count(*) FROM orders",
    "SELECT count(*) FROM (SELECT sum(net) AS paid FROM orders GROUP BY customer ORDER BY paid OFFSET 0) AS each",
)

Say = Callable[[str], None]


class Day:
    """Business time that stands still."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        """The instant that it is."""
        return self.at


@dataclass(frozen=True, kw_only=True)
class Timed:
    """A sweep, the seconds that it took, and those of processor time in PostgreSQL."""

    swept: Swept
    seconds: float
    busy: float


class Ground:
    """Invented customers on a database of their own."""

    def __init__(self, url: str, processor: Processor) -> None:
        self.database, self.day, self._processor = Database(url, pool_size=2), Day(), processor
        self.sweeping = Sweeping(self.database, self.day, SweepRules(), "UTC")

    async def do(self, statement: str, **values: object) -> None:
        """Change something."""
        async with self.database.transaction() as connection:
            await connection.execute(text(statement), values)

    async def ask(self, query: str) -> int:
        """A number."""
        async with self.database.transaction() as connection:
            return int((await connection.execute(text(query))).scalar_one())

    async def invent(self, customers: int) -> None:
        """As many customers, and their orders."""
        await self.do(CUSTOMERS, now=NOW, count=customers)
        await self.do(ORDERS, now=NOW)
        async with self.database.engine.connect() as connection:
            plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await plain.execute(text("VACUUM ANALYZE"))

    async def floor(self) -> float:
        """Seconds that the bare reads take."""
        began = time.perf_counter()
        for query in FLOOR:
            await self.ask(query)
        return time.perf_counter() - began

    async def sweep(self) -> "Timed":
        """Sweep, and say how long that took."""
        began, busy = time.perf_counter(), self._processor.used()
        swept = await self.sweeping.sweep(lambda _: None)
        return Timed(swept=swept, seconds=time.perf_counter() - began, busy=self._processor.used() - busy)


async def measure(url: str, processor: Processor, customers: int) -> list[Figure]:
    """Both sweeps. Raises GateFailed."""
    ground = Ground(url, processor)
    say(f"inventing {customers:,} customers ...")
    await ground.invent(customers)
    orders = await ground.ask("SELECT count(*) FROM orders")
    say(f"{orders:,} orders; the first sweep ...")
    floors = [await ground.floor() for _ in range(3)][1:]
    first = await ground.sweep()
    say(first.swept.words())
    await _check_first(ground, first.swept, customers)
    floors.append(await ground.floor())

    ground.day.at += timedelta(days=1)
    for statement in A_DAY:
        await ground.do(statement, now=ground.day.at)
    await ground.do("CREATE TABLE before AS SELECT customer, effective_segment, since FROM rfm")
    await ground.do("ANALYZE customers, orders, rfm, events")
    say("the next day's sweep ...")
    events = await ground.ask("SELECT count(*) FROM events")
    second = await ground.sweep()
    say(second.swept.words())
    await _check_second(ground, second.swept, events)
    floors.append(await ground.floor())
    again = await ground.sweep()
    if again.swept.told or again.swept.silently or again.swept.moved:
        raise GateFailed(f"the same day's sweep, repeated, wrote again: {again.swept.words()}")
    await ground.database.close()

    floor = statistics.median(floors)
    say(f"repeated at once, writing no event: {again.seconds:.1f} s; floor: {[round(each, 2) for each in floors]}")
    return [
        Figure(
            name=f"{name} sweep of {customers:,}",
            unit="ms",
            ours=timed.seconds * 1000,
            floor=floor * 1000,
            floor_name="count and sort of the same tables",
            ratio=timed.seconds / floor,
            details={"orders": orders, "wanted": f"{WITHIN:.0f} s on 2 cores", **asdict(timed)},
        )
        for name, timed in (("first", first), ("next day's", second))
    ]


async def _check_first(ground: Ground, swept: Swept, customers: int) -> None:
    if swept.customers != customers or set(swept.told) - {"birthday"}:
        raise GateFailed(f"of {customers:,} customers, the first sweep says: {swept.words()}")
    silent = await ground.ask("SELECT count(*) FROM events WHERE properties ? 'silent'")
    quiet = await ground.ask("""
        SELECT count(*) FILTER (WHERE last_active_at <= (SELECT max(as_of) FROM sweeps) - interval '90 days')
            + count(*) FILTER (WHERE engaged_at <= (SELECT max(as_of) FROM sweeps) - interval '30 days') FROM customers
    """)
    bought = await ground.ask("SELECT count(DISTINCT customer) FROM orders WHERE status = 'placed'")
    if not silent == quiet == swept.silently or not bought == swept.bought:
        raise GateFailed(f"{quiet:,} silences and {bought:,} buyers, but: {swept.words()}")


async def _check_second(ground: Ground, told: Swept, events: int) -> None:
    moved = await ground.ask("""
        SELECT count(*) FROM rfm LEFT JOIN before USING (customer)
        WHERE rfm.effective_segment IS DISTINCT FROM before.effective_segment
    """)
    transitions = await ground.ask("SELECT count(*) FROM events WHERE name = 'rfm_segment_entered'")
    new = await ground.ask("SELECT count(*) FROM events") - events
    if not moved == told.moved == transitions or new != sum(told.told.values()) + told.silently:
        raise GateFailed(f"{moved:,} moved, {transitions:,} were told, {new:,} events are new, but: {told.words()}")
    if told.silent or told.silently or not transitions:
        raise GateFailed(f"the next day's sweep was to tell: {told.words()}")


def main(arguments: list[str]) -> int:
    """Run it; answers the exit code."""
    figures = measured("sweep", __doc__, arguments, measure)
    for each in figures:
        seconds, busy = each.details["seconds"], each.details["busy"]
        print(
            f"{each.name}: {seconds:.1f} s, of which PostgreSQL used a processor for {busy:.1f}; wanted: {WITHIN:.0f} s"
        )
    return 0 if figures else 1


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
