"""`python -m bench.cdnow`: from a file of purchases to everybody's RFM, in one timed run.

The purchases of CDNOW's 23,570 customers go the way that any shop's history goes: a CSV file through `tropa import
orders`, the projector as in `tropa worker`, the first daily sweep. What comes out is compared, customer by customer,
with what thirty lines of plain Python say about the same file. The floor copies the same rows into a table like that
of events, and sums them up by customer, in the same run. Exit code 1 when a gate failed.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import asyncpg
from sqlalchemy import text

from adapters.csv_writing import written
from adapters.settings import Settings
from bench.alone import database, keep, say
from bench.figures import Figure, GateFailed
from bench.processor import Processor
from domain.clock import Pace
from domain.imports import Kind
from tests.support.cdnow import CUSTOMERS, purchases
from tropa import importing
from tropa.leaving import leave
from tropa.rehearsal.ground import HeldClock
from tropa.wiring import House, build

NOW = datetime(1998, 7, 1, 4, tzinfo=UTC)  # the data end on the day before
ORDERS, WITHIN, QUIET = 69_659, 60.0, 90
CODES = Path(importing.__file__).parent.parent / "tests" / "data" / "rfm_125_mapping.json"
FLOOR_TABLE = """
    CREATE UNLOGGED TABLE bare (event_id text PRIMARY KEY, customer_id text, occurred_at timestamptz, properties jsonb);
    ALTER TABLE bare SET LOGGED
"""
SUMS = """
    SELECT customer_id, max(occurred_at), count(DISTINCT occurred_at::date), sum((properties ->> 'total')::numeric)
    FROM bare GROUP BY customer_id
"""
FOUND = """
    SELECT c.customer_id, r.r || '' || r.f || r.m AS code, r.segment, r.effective_segment
    FROM rfm r JOIN customers c ON c.id = r.customer
"""
# Everything that must be so, and none of what must not.
COUNTS = {
    "SELECT count(*) FROM customers": CUSTOMERS,
    "SELECT count(*) FROM orders WHERE status = 'placed'": ORDERS,
    "SELECT sum(orders) FROM customers": ORDERS,
    "SELECT count(*) FROM events WHERE name = 'order_placed' AND number > 0": ORDERS,
    "SELECT count(*) FROM events WHERE source = 'import' AND (number IS NULL OR quarantined IS NOT NULL)": 0,
    "SELECT count(*) FROM rfm": CUSTOMERS,
    "SELECT count(*) FROM enrollments": 0,
    "SELECT count(*) FROM dispatches": 0,
}


@dataclass(frozen=True, kw_only=True)
class Timed:
    """What a part took: seconds by the clock, and of processor time here and in PostgreSQL."""

    seconds: float
    here: float
    there: float


class Watch:
    """Times the parts of a run."""

    def __init__(self, processor: Processor) -> None:
        self._processor, self.parts = processor, dict[str, Timed]()

    async def time(self, name: str, part: Callable[[], Awaitable[object]]) -> None:
        """Do a part."""
        clock, here, there = time.perf_counter(), time.process_time(), self._processor.used()
        await part()
        took = Timed(
            seconds=time.perf_counter() - clock,
            here=time.process_time() - here,
            there=self._processor.used() - there,
        )
        say(f"{name}: {took.seconds:.1f} s; processor {took.here:.1f} s here, {took.there:.1f} s in PostgreSQL")
        self.parts[name] = took

    def sum(self, names: Iterable[str], of: str) -> float:
        """What parts took together."""
        return float(sum(getattr(self.parts[name], of) for name in names))


def plainly() -> dict[str, tuple[str, str, str]]:
    """Code, segment and effective segment of each customer, straight from the purchases: the rules of docs/sweep.md."""
    days, paid = defaultdict[str, set[date]](set), defaultdict[str, Decimal](Decimal)
    for each in purchases():
        days[each.customer].add(each.day)
        paid[each.customer] += each.paid
    quiet = {who: (NOW.date() - max(on)).days for who, on in days.items()}

    def scores(values: Mapping[str, Decimal | int]) -> dict[str, int]:
        below: dict[Decimal | int, int] = {}
        for place, value in enumerate(sorted(values.values())):
            below.setdefault(value, place)
        return {who: 1 + 5 * below[value] // len(values) for who, value in values.items()}

    recency = scores({who: -each for who, each in quiet.items()})
    frequency, monetary = scores({who: len(on) for who, on in days.items()}), scores(paid)
    segments = json.loads(CODES.read_text())["mapping"]
    found = {}
    for who in days:
        code = f"{recency[who]}{frequency[who]}{monetary[who]}"
        segment = segments[code].lower().replace(" ", "_")
        acts_as = "at_risk" if segment in ("champions", "loyal") and quiet[who] >= QUIET else segment
        found[who] = (code, segment, acts_as)
    return found


async def floor(url: str) -> int:
    """Copy the same rows, and sum them up. Answers how many customers they are of."""
    rows = [
        (str(number), each.customer, datetime(each.day.year, each.day.month, each.day.day, tzinfo=UTC),
         json.dumps({"total": float(each.paid)}))
        for number, each in enumerate(purchases())
    ]  # fmt: skip
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute(FLOOR_TABLE)
    await connection.copy_records_to_table("bare", records=rows)
    sums = await connection.fetch(SUMS)
    await connection.execute("DROP TABLE bare")
    await connection.close()
    return len(sums)


async def check(house: House) -> None:
    """Raises GateFailed when something was lost, doubled or started, or a segment is another than plain Python says."""
    async with house.database.transaction() as connection:
        for query, wanted in COUNTS.items():
            if (got := (await connection.execute(text(query))).scalar_one()) != wanted:
                raise GateFailed(f"{query}: {got}, not {wanted}")
        found = {row.customer_id: tuple(row)[1:] for row in await connection.execute(text(FOUND))}
    wanted_of = plainly()
    if wrong := [who for who in wanted_of | found if found.get(who) != wanted_of.get(who)]:
        who = min(wrong)
        raise GateFailed(f"{len(wrong)} have another RFM; {who}: {found.get(who)}, not {wanted_of.get(who)}")


async def measure(url: str, processor: Processor) -> list[Figure]:
    """The whole way. Raises GateFailed."""
    watch, names = Watch(processor), ("import", "projection", "RFM")
    house = await build(Settings(database_url=url), clock=HeldClock(NOW), pace=Pace(anchor=NOW))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "orders.csv"
        head = ("customer_id", "placed_at", "total")
        file.write_bytes(written([head, *((each.customer, each.day, each.paid) for each in purchases())]))

        async def bring_in() -> None:
            done = await importing.run(house, Kind.ORDERS, file)
            if (done.counts.stored, done.counts.wrong) != (ORDERS, 0):
                raise GateFailed(f"the import says: {done.counts}")

        async def project() -> None:
            while await house.projector.project_some():
                pass

        await watch.time("floor", lambda: floor(url))
        await watch.time("import", bring_in)
        await watch.time("projection", project)
        await watch.time("RFM", lambda: house.sweeping.sweep(lambda _: None))
        await watch.time("floor again", lambda: floor(url))
    await check(house)
    await house.close()
    least = min(watch.parts["floor"].seconds, watch.parts["floor again"].seconds)
    return [
        Figure(
            name=f"{name}, {ORDERS:,} orders",
            unit="ms",
            ours=watch.sum(parts, "seconds") * 1000,
            floor=least * 1000,
            floor_name="copy the rows, sum them up by customer",
            ratio=watch.sum(parts, "seconds") / least,
            details={of: watch.sum(parts, of) for of in ("seconds", "here", "there")},
        )
        for name, parts in [(each, [each]) for each in names] + [("all", list(names))]
    ]


def main(arguments: list[str]) -> int:
    """Run it; answers the exit code: 1 as well when it took too long."""
    argparse.ArgumentParser(prog="python -m bench.cdnow", description=__doc__).parse_args(arguments)
    try:
        with database() as (url, processor):
            figures = asyncio.run(measure(url, processor))
    except GateFailed as error:
        say(f"bench failed: {error}")
        return 1
    keep("cdnow", figures)
    took = figures[-1].details
    print(
        f"{CUSTOMERS:,} customers: {took['seconds']:.1f} s, wanted: {WITHIN:.0f} s; "
        f"of processor time {took['here']:.1f} s here and {took['there']:.1f} s in PostgreSQL"
    )
    return 0 if took["seconds"] < WITHIN else 1


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
