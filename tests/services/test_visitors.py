"""Visitors without a name who come no more are forgotten by the sweep; nobody else is (S7, S13)."""

from uuid import uuid4

from adapters.database.connection import lock_customer
from domain.durations import days
from domain.sweep import SweepRules
from services.sweep import Sweeping
from tests.services.bench import Bench
from tests.support.factories import STAFF

OURS = "SELECT customer_id FROM customers ORDER BY customer_id"


def a_visitor() -> str:
    return f"visitor-{uuid4()}"


async def sweep(bench: Bench, *, visitor_days: int = 90) -> int:
    """A sweep in small chunks; answers how many were forgotten."""
    rules = SweepRules()
    sweeping = Sweeping(bench.database, bench.clock, rules, "UTC", visitor_days, chunk=2)
    return (await sweeping.sweep()).forgotten


async def looks(bench: Bench, *visitors: str) -> None:
    for visitor in visitors:
        await bench.does("page_viewed", visitor, page="pricing")


async def test_who_comes_no_more_is_forgotten_with_all_they_left_and_who_comes_stays(bench: Bench) -> None:
    gone, stays = [a_visitor() for _ in range(5)], [a_visitor() for _ in range(3)]
    await looks(bench, *gone, *stays, "anna@example.com", "visitor-of-the-fair")
    bench.clock.pass_(days(60))
    await looks(bench, *stays)
    bench.clock.pass_(days(31))

    assert await sweep(bench) == 5

    left = {row["customer_id"] for row in await bench.rows(OURS)}
    assert left == {*stays, "anna@example.com", "visitor-of-the-fair"}
    assert await bench.rows("SELECT 1 FROM events WHERE customer_id = ANY(:ids)", ids=gone) == []
    assert await sweep(bench, visitor_days=30) == 0  # what the sweep told of them waits to be projected
    await bench.project()
    assert await sweep(bench, visitor_days=30) == 3


async def test_whoever_left_more_than_traces_stays(bench: Bench) -> None:
    buyer, written, noted, waiting = (a_visitor() for _ in range(4))
    await looks(bench, buyer, written, noted, waiting)
    await bench.does("order_placed", buyer, total=10)
    ours = {row["customer_id"]: row["id"] for row in await bench.rows("SELECT id, customer_id FROM customers")}
    await bench.change("UPDATE customers SET email = 'w@example.com' WHERE id = :id", id=ours[written])
    note = "INSERT INTO notes (customer, at, author, author_name, text) VALUES (:id, now(), 'key', 'Olga', 'Called')"
    await bench.change(note, id=ours[noted])
    bench.clock.pass_(days(91))
    await bench.does("page_viewed", waiting, project=False)

    assert await sweep(bench) == 0


async def test_the_recognized_keep_their_history_and_who_is_recognized_too_late_begins_anew(bench: Bench) -> None:
    known, forgotten = a_visitor(), a_visitor()
    await looks(bench, known, forgotten)
    async with bench.database.transaction() as connection:
        await bench.merging.identify(connection, "anna@example.com", known, actor=STAFF)
    bench.clock.pass_(days(91))
    assert await sweep(bench) == 1

    async with bench.database.transaction() as connection:
        await bench.merging.identify(connection, "boris@example.com", forgotten, actor=STAFF)
    await looks(bench, known, forgotten)

    counts = await bench.rows("""
        SELECT c.customer_id, count(*) FROM events e JOIN customers c ON c.id = e.customer
        WHERE e.name = 'page_viewed' GROUP BY 1 ORDER BY 1
    """)
    assert [tuple(row.values()) for row in counts] == [("anna@example.com", 2), ("boris@example.com", 1)]


async def test_whom_somebody_is_at_work_on_is_left_for_the_next_day(bench: Bench) -> None:
    visitor = a_visitor()
    await looks(bench, visitor)
    bench.clock.pass_(days(91))
    (found,) = await bench.rows("SELECT id FROM customers")

    async with bench.database.transaction() as connection:
        await lock_customer(connection, found["id"])
        assert await sweep(bench) == 0
    await bench.project()
    assert await sweep(bench) == 1
