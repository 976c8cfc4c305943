"""Projection under concurrency and poison: every event once, in order, and nobody held up by somebody else's."""

import asyncio
import random
from datetime import timedelta

import pytest
from msgspec import structs
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.walking import MissedRequest
from adapters.database import enrollments
from adapters.database.connection import Database, lock_customer
from adapters.database.events import NewEvent
from domain.journeys import SIGNALS_AN_HOUR
from domain.routing import Routing
from services.catalogue import Catalogue
from services.project import Projector
from tests.services.bench import Bench
from tests.support.factories import an_event

MINUTE = timedelta(minutes=1)
WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

# PostgreSQL keeps these; no program can hold them.
POISONS = [b'{"count": 1e5000}', b'{"count": ' + b"9" * 5000 + b"}", b'{"a":' * 2000 + b"1" + b"}" * 2000]


def poison(event_id: str, customer_id: str = "anna", body: bytes = POISONS[0], **details: object) -> NewEvent:
    plain = an_event("looked", customer_id, event_id=event_id, **details)  # type: ignore[arg-type]
    return structs.replace(plain, properties=body)


async def numbers(bench: Bench, customer_id: str = "anna") -> list[int | None]:
    query = "SELECT number FROM events WHERE customer_id = :id ORDER BY number"
    return [row["number"] for row in await bench.rows(query, id=customer_id)]


async def projecting(bench: Bench, until: asyncio.Event, projectors: int) -> None:
    async def pump() -> None:
        while not until.is_set():
            await bench.projector.project_some()
            await asyncio.sleep(0)

    await asyncio.gather(*(pump() for _ in range(projectors)))


async def test_f05_fifty_writers_and_four_projectors_number_every_event_once_and_skip_none(bench: Bench) -> None:
    """50 writers of 200 events each, 10 at a time: as many commits race as with 20 events one by one."""
    await bench.a_walk()
    written = asyncio.Event()

    async def write(writer: int) -> None:
        for turn in range(20):
            ats = [bench.clock.now() + timedelta(seconds=(writer * 7 + turn * 13 + n) % 100) for n in range(10)]
            batch = [an_event("looked", event_id=f"{writer}-{turn}-{n}", at=at) for n, at in enumerate(ats)]
            await bench.ingest.accept(batch)

    async def write_all() -> None:
        await asyncio.gather(*(write(writer) for writer in range(50)))
        written.set()

    await asyncio.gather(write_all(), projecting(bench, written, 4))
    await bench.project()

    assert await numbers(bench) == list(range(1, 10_001))
    assert await bench.rows("SELECT events FROM customers") == [{"events": 10_000}]
    told = await bench.rows("SELECT count(*) AS n FROM dispatches WHERE kind = 'customer_event'")
    assert told == [{"n": SIGNALS_AN_HOUR}]


async def test_a_row_that_somebody_holds_keeps_nobody_elses_opt_out_waiting(bench: Bench) -> None:
    """Such as a refresh of a segment, which writes many of its customers in one long statement."""
    people = ["anna", "boris", "vera"]
    walks = [await bench.a_walk(person) for person in people]
    await bench.ingest.accept([an_event("looked", person, at=bench.clock.now()) for person in people])

    async with bench.database.transaction() as connection:
        held = text("UPDATE enrollments SET signals = signals WHERE id = :id")
        await connection.execute(held, {"id": walks[1]})
        projecting = asyncio.create_task(bench.projector.project_some())
        while not await bench.rows(WAITING):
            await asyncio.sleep(0.01)
        no = an_event("opted_out", "vera", at=bench.clock.now())
        await asyncio.wait_for(bench.ingest.accept([no]), 5)
        assert not projecting.done()

    assert await projecting >= 3
    await bench.project()
    assert [await numbers(bench, person) for person in people] == [[1], [1], [1, 2]]


async def test_f04_events_that_wait_together_are_applied_as_they_happened_then_by_their_ids(bench: Bench) -> None:
    now = bench.clock.now()
    waiting = [
        an_event("looked", event_id=f"{minute}{tie}", at=now + minute * MINUTE) for minute in range(9) for tie in "ab"
    ]
    random.Random(1).shuffle(waiting)

    await bench.ingest.accept(waiting)
    await bench.project()

    in_order = [row["event_id"] for row in await bench.rows("SELECT event_id FROM events ORDER BY number")]
    assert in_order == sorted(event.event_id for event in waiting)


async def test_an_event_of_an_unknown_customer_makes_the_customer(bench: Bench) -> None:
    await bench.does("looked", "stranger")

    known = await bench.rows("SELECT id, customer_id, events, first_seen_at FROM customers")
    assert [(row["customer_id"], row["events"], row["first_seen_at"]) for row in known] == [
        ("stranger", 1, bench.clock.now())
    ]
    assert known[0]["id"].startswith("cus_")


async def test_f25_two_hundred_triggers_at_once_are_one_enrollment(bench: Bench) -> None:
    async def trigger(n: int) -> None:
        await bench.ingest.accept([an_event("trial_started", event_id=f"e{n}", at=bench.clock.now())])
        await bench.projector.project_some()

    await asyncio.gather(*(trigger(n) for n in range(200)))
    await bench.project()

    assert await bench.rows("SELECT count(*) AS n FROM enrollments") == [{"n": 1}]
    assert await bench.rows("SELECT count(*) AS n FROM dispatches WHERE kind = 'start'") == [{"n": 1}]
    assert await numbers(bench) == list(range(1, 201))


async def test_start_goal_and_a_new_start_in_one_batch_are_two_walks(bench: Bench) -> None:
    now = bench.clock.now()
    names = ["trial_started", "looked", "bought", "trial_started", "gave_up"]

    await bench.ingest.accept([an_event(name, at=now + n * MINUTE) for n, name in enumerate(names)])
    await bench.project()

    walks = await bench.rows("SELECT id, outcome FROM enrollments ORDER BY id")
    assert [walk["outcome"] for walk in walks] == ["converted", "exited"]
    assert await bench.dispatched(walks[0]["id"]) == ["start", "customer_event", "ended"]
    assert await bench.dispatched(walks[1]["id"]) == ["start", "ended"]


# Poison --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", POISONS, ids=["too big a number", "too long a number", "too deep"])
async def test_f20_an_event_that_cannot_be_read_is_set_aside_and_all_others_go_on(bench: Bench, body: bytes) -> None:
    walk, now = await bench.a_walk(), bench.clock.now()
    await bench.ingest.accept(
        [
            an_event("looked", event_id="e1", at=now),
            poison("e2", body=body, at=now + MINUTE),
            an_event("bought", event_id="e3", at=now + 2 * MINUTE),
            an_event("looked", "zoe", event_id="e4", at=now),
        ]
    )

    await bench.project()

    found = await bench.rows("SELECT event_id, number, quarantined IS NOT NULL AS aside FROM events ORDER BY event_id")
    assert [(r["number"], r["aside"]) for r in found] == [(1, False), (None, True), (2, False), (1, False)]
    assert await bench.dispatched(walk) == ["start", "customer_event", "ended"]
    assert len(await bench.words(state="quarantined")) == 1
    assert await bench.project() == 0


async def test_a_send_goes_on_although_an_event_of_its_customer_cannot_be_read(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.ingest.accept([poison("e1", at=bench.clock.now())])

    assert (await bench.send(walk)).state == "accepted"


@pytest.fixture
async def brittle(own_bench: Bench) -> Bench:
    """A database that refuses to store one particular signal: an error that only its own statement shows."""
    await own_bench.change("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.payload -> 'properties' ->> 'count' = '13' THEN RAISE EXCEPTION 'thirteen'; END IF;
            RETURN NEW;
        END $$
    """)
    await own_bench.change("CREATE TRIGGER refuse BEFORE INSERT ON dispatches FOR EACH ROW EXECUTE FUNCTION refuse()")
    return own_bench


async def test_f20_poison_that_only_the_database_notices_costs_its_customer_nothing_else(brittle: Bench) -> None:
    await brittle.a_walk()
    now = brittle.clock.now()
    batch = [an_event("looked", event_id=f"e{n:02}", at=now + n * MINUTE, count=n) for n in range(16)]
    await brittle.ingest.accept([*batch, an_event("looked", "zoe", at=now)])

    async def until_none_waits() -> None:
        while None in await numbers(brittle, "zoe") or (await numbers(brittle)).count(None) > 1:
            await brittle.projector.project_some()

    await asyncio.gather(*(until_none_waits() for _ in range(8)))

    aside = await brittle.rows("SELECT event_id FROM events WHERE quarantined IS NOT NULL")
    assert aside == [{"event_id": "e13"}]
    assert await numbers(brittle) == [*range(1, 16), None]
    assert await numbers(brittle, "zoe") == [1]
    told = await brittle.rows(
        "SELECT payload ->> 'number' AS n FROM dispatches WHERE kind = 'customer_event' ORDER BY id"
    )
    assert [int(row["n"]) for row in told] == list(range(1, 16))


async def test_of_many_customers_whoever_somebody_else_is_at_is_left_for_the_next_round(bench: Bench) -> None:
    names, now = ["anna", "boris", "clara"], bench.clock.now()
    for name in names:
        await bench.a_customer(name)
    await bench.project()
    before = {name: len(await numbers(bench, name)) for name in names}
    await bench.ingest.accept([an_event("looked", name, at=now + n * MINUTE) for name in names for n in range(3)])

    async with bench.database.transaction() as connection:
        await lock_customer(connection, bench.ours["boris"])
        applied = await bench.projector.project_some()

    assert applied == 6
    assert [n for n in await numbers(bench, "boris") if n is None] == [None] * 3
    assert await bench.project() == 3
    for name in names:
        assert await numbers(bench, name) == list(range(1, before[name] + 4))


async def test_a_stored_option_that_the_code_no_longer_has_gives_way_to_the_default(bench: Bench) -> None:
    await bench.change("""INSERT INTO journey_settings (journey, options) VALUES ('Trial', '{"gone": 1}')""")
    await bench.ingest.accept([an_event("trial_started", "anna", at=bench.clock.now())])

    await bench.project()

    assert await numbers(bench, "anna") == [1]
    assert len(await bench.rows("SELECT id FROM enrollments WHERE journey = 'Trial'")) == 1


class Shaken(Catalogue):
    """Reads its settings from a database that is being shut down, a number of times."""

    failures = 0

    async def routing(self, connection: AsyncConnection) -> Routing:
        """Read, or fail as PostgreSQL does."""
        if self.failures:
            self.failures -= 1
            await connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'bye' USING ERRCODE = '57P01'; END $$"))
        return await super().routing(connection)


async def test_f08_a_database_that_is_going_down_poisons_no_event(bench: Bench) -> None:
    catalogue = Shaken(bench.catalogue.journeys(), bench.library, bench.surrogates)
    projector = Projector(bench.database, bench.clock, bench.pace, catalogue)
    await bench.does("looked", project=False)
    catalogue.failures = 5

    with pytest.raises(DBAPIError):
        await projector.project_some()

    assert await bench.rows("SELECT number, quarantined FROM events") == [{"number": None, "quarantined": None}]
    catalogue.failures = 0
    assert await projector.project_some() == 1


async def test_one_customer_with_very_many_events_does_not_hide_the_others(bench: Bench) -> None:
    now = bench.clock.now()
    await bench.ingest.accept([an_event("looked", "aaron", at=now) for _ in range(600)])
    await bench.does("looked", "zoe", project=False)
    await bench.a_customer("aaron")
    busy = Database(bench.database.url)

    async with busy.transaction() as connection:  # another projector is at the first one's
        await lock_customer(connection, bench.ours["aaron"])
        await bench.projector.project_some()

        assert await numbers(bench, "zoe") == [1]
    await busy.close()


async def test_the_budget_of_a_walk_survives_from_one_batch_to_the_next(bench: Bench) -> None:
    walk = await bench.a_walk()
    for _ in range(30):
        await bench.does("looked")

    assert await bench.dispatched(walk) == ["start", *["customer_event"] * SIGNALS_AN_HOUR, "catch_up"]
    due = await bench.rows("SELECT due_at FROM dispatches WHERE kind = 'catch_up'")
    assert [row["due_at"] for row in due] == [bench.clock.now() + timedelta(hours=1)]


async def test_what_was_missed_can_be_read_newest_first_kept_and_in_order(bench: Bench) -> None:
    walk = await bench.a_walk()
    for n in range(130):
        await bench.does("looked", count=n, project=False)
    await bench.project()

    missed = await bench.walking.missed(MissedRequest(enrollment=walk, customer=bench.ours["anna"], after=20))

    assert [each.number for each in missed] == list(range(31, 131))


async def test_old_rows_of_enrollments_never_come_back(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.does("bought")
    await bench.does("trial_started")

    assert len(await bench.rows("SELECT id FROM enrollments")) == 2
    async with bench.database.transaction() as connection:
        open_now = await enrollments.open_walks(connection, bench.ours["anna"])
    assert walk not in open_now
