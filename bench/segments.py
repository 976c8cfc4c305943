"""`python -m bench.segments --customers 1000000`: segments of invented customers who did ten times as many things.

How much processor time it takes to count each segment that comes with Tropa, and some more rules about events, against
bare scans of the tables that it reads; to find the members of watched ones anew; and to ask of one customer, as the
projector does. Then what the index that segments need on events costs those who write them. Exit code 1 when a gate
failed: a plan that does something for each row apart, or a count that two ways of asking do not agree about.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from sqlalchemy import text

from adapters.database.connection import Database
from adapters.database.segment_sql import Statement
from adapters.segments import shipped_segments
from bench.alone import measured, say
from bench.crowd import invent
from bench.figures import Figure, GateFailed, percentile
from bench.index_cost import cost
from bench.processor import Processor
from domain.segments import Segment
from services.segment_catalogue import Known, SegmentCatalogue
from services.segments import Segments
from tropa.leaving import leave

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
A_WEEK, ONES = 7, 500
BRIEF = 0.1  # seconds: below, planning takes as long as counting
SCAN = "SELECT set_config('enable_indexscan', 'off', true), set_config('enable_indexonlyscan', 'off', true)"
MORE: dict[str, Any] = {
    "looked_3_times": {"event": {"name": "page_viewed", "within": "30 days", "count": {"at_least": 3}}},
    "looked_at_shoes": {"event": {"name": "page_viewed", "within": "30 days", "where": {"category": "c3"}}},
    "never_looks": {"event": {"name": "page_viewed", "within": "30 days", "count": 0}},
    "spent_500": {"event": {"name": "order_placed", "within": "365 days", "sum": {"total": {"more_than": 500}}}},
    "long_ago": {"event": {"name": "page_viewed", "last": {"older_than": "90 days"}}},
    "left_carts": {
        "sequence": {
            "first": {"name": "cart_updated", "within": "30 days"},
            "then_not": {"name": "order_placed"},
            "within": "2 days",
        }
    },
    "may_be_written_to": {"consent": {"email": "granted"}},
    "engaged": {"customer": {"engagement": {"at_least": 60}}},
    "micro": {"all": [{"segment": "vip"}, {"segment": "sleeping"}, {"segment": "prefers_whatsapp"}]},
    "either": {"any": [{"segment": "complains"}, {"segment": "left_carts"}, {"attribute": {"plan": "pro"}}]},
}
WATCHED = ("complains", "left_carts", "looked_3_times", "sleeping", "vip")


class Day:
    """Business time that stands still."""

    at = NOW

    def now(self) -> datetime:
        """The instant that it is."""
        return self.at


class Ground:
    """Segments on a database of invented customers."""

    def __init__(self, url: str, processor: Processor) -> None:
        more = {name: Segment(name=name, label={}, description={}, rule=rule) for name, rule in MORE.items()}
        self.database, self.day = Database(url, pool_size=2), Day()
        self.catalogue = SegmentCatalogue(self.day, {**shipped_segments(), **more})
        watched = dict.fromkeys(WATCHED, "Trial")
        patient = timedelta(minutes=10)
        self.segments = Segments(self.day, self.catalogue, watched=watched, patience=patient)
        self._processor = processor

    async def known(self) -> Known:
        """All segments."""
        async with self.database.transaction() as connection:
            return await self.catalogue.known(connection)

    async def count(self, name: str, known: Known) -> Figure:
        """Counting a segment, against counting the rows of the tables that its plan reads. Raises GateFailed."""
        plan, ours, floor, seconds = await self._plan(name, known), [], [], []
        tables = sorted({node["Relation Name"] for node in plan if "Relation Name" in node})
        for _ in range(3):
            floor.append(await self._floor(*tables))
            async with self.database.transaction() as connection:
                began, used = time.perf_counter(), self._processor.used()
                counted = await self.segments.count(connection, {"segment": name})
                ours.append(self._processor.used() - used)
                seconds.append(time.perf_counter() - began)
        async with self.database.transaction() as connection:
            opposite = await self.segments.count(connection, {"not": {"segment": name}})
        if counted.count + opposite.count != counted.everybody:
            raise GateFailed(f"{name}: {counted.count:,} are in it and {opposite.count:,} are not")
        return Figure(
            name=f"{name} ({counted.count:,})",
            unit="ms of processor",
            ours=min(ours) * 1000,
            floor=min(floor) * 1000,
            floor_name=f"scan of {', '.join(tables)}",
            ratio=min(ours) / min(floor) if min(floor) else 0.0,
            at_most=10 if min(floor) > BRIEF else None,
            details={"seconds": seconds, "plan": [node["Node Type"] for node in plan]},
        )

    async def refresh(self) -> list[Figure]:
        """Finding all watched members for the first time, and a week later; once more must change nothing."""
        figures = []
        for what, after in (("for the first time", 0), ("a week later", A_WEEK), ("at once again", 0)):
            self.day.at += timedelta(days=after)
            began = self._processor.used()
            moved = await self.segments.refresh_all(self.database, self.day.at)
            took, told = self._processor.used() - began, {name: asdict(each) for name, each in moved.items()}
            say(f"{what}: {told}")
            if what == "at once again" and any(each.entered or each.left for each in moved.values()):
                raise GateFailed(f"nothing had changed, but {told}")
            floor = await self._floor("events")
            figures.append(
                _figure(f"watched ones {what}", took, floor, "ms of processor", "scan of events", moved=told)
            )
        return figures

    async def one(self) -> Figure:
        """Asking of one customer whether they are in each of the watched ones, against reading their row."""
        ids = await self._ask("SELECT id FROM customers ORDER BY random() LIMIT :some", some=ONES)
        ours, floor = [], []
        for customer in ids:
            async with self.database.transaction() as connection:
                began = time.perf_counter()
                await self.segments.refresh_customers(connection, [customer], self.day.at)
                ours.append(time.perf_counter() - began)
            async with self.database.transaction() as connection:
                began = time.perf_counter()
                await connection.execute(text("SELECT * FROM customers WHERE id = :id"), {"id": customer})
                floor.append(time.perf_counter() - began)
        p50, p95 = percentile(ours, 0.5), percentile(ours, 0.95)
        say(f"one customer, p95: {p95 * 1000:.2f} ms")
        name, least = f"one customer, {len(WATCHED)} segments, p50", percentile(floor, 0.5)
        return _figure(name, p50 * 1000, least * 1000, "µs", "reading their row")

    async def _plan(self, name: str, known: Known) -> list[dict[str, Any]]:
        statement = Statement()
        query = statement.members(known.whole(name).rule)
        values = {**statement.values, "now": self.day.at, "scale": known.scale}
        async with self.database.transaction() as connection:
            await connection.execute(text("SET LOCAL work_mem = '64MB'"))
            found = await connection.execute(text(f"EXPLAIN (FORMAT JSON) {query}"), values)
            nodes = list(_nodes(found.scalar_one()[0]["Plan"]))
        for node in nodes:
            if node.get("Parent Relationship") == "SubPlan":
                raise GateFailed(f"{name}: asks something for each row apart: {node['Node Type']}")
            if node["Node Type"] == "Nested Loop" and any("Seq Scan" in n["Node Type"] for n in node["Plans"][1:]):
                raise GateFailed(f"{name}: reads a whole table for each row of another")
        return nodes

    async def _floor(self, *tables: str) -> float:
        """Processor time for reading some tables from one end to the other."""
        async with self.database.transaction() as connection:
            await connection.execute(text(SCAN))
            began = self._processor.used()
            for each in tables:
                await connection.execute(text(f"SELECT count(*) FROM {each}"))  # noqa: S608  our own words
            return self._processor.used() - began

    async def _ask(self, query: str, **values: object) -> list[Any]:
        async with self.database.transaction() as connection:
            return list((await connection.execute(text(query), values)).scalars())


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


def _figure(name: str, took: float, floor: float, unit: str, floor_name: str, **details: Any) -> Figure:
    return Figure(
        name=name,
        unit=unit,
        ours=took * 1000,
        floor=floor * 1000,
        floor_name=floor_name,
        ratio=took / floor if floor else 0.0,
        details=details,
    )


async def measure(url: str, processor: Processor, customers: int) -> list[Figure]:
    """Everything, in order. Raises GateFailed."""
    bare = url.replace("+asyncpg", "")
    connection = await asyncpg.connect(bare)
    say(f"inventing {customers:,} customers ...")
    await invent(connection, customers, customers * 10, NOW, say)
    await connection.close()
    ground = Ground(url, processor)
    known, figures = await ground.known(), []
    for name in sorted(known.now):
        figures.append(await ground.count(name, known))
        say(f"{name}: {figures[-1].ours:,.0f} ms")
    figures += await ground.refresh()
    figures.append(await ground.one())
    await ground.database.close()
    say("what the index costs those who write events ...")
    return figures + await cost(bare, customers)


def main(arguments: list[str]) -> int:
    """Run it; answers the exit code."""
    return 0 if measured("segments", __doc__, arguments, measure) else 1


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
