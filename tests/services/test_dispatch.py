"""Dispatch: what is queued for Temporal is told at least once, in order, and repeating it does no harm."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from adapters.database import dispatches
from adapters.temporal import DATA_CONVERTER, Walks
from domain.errors import Unavailable
from domain.journeys import Enrollment
from services.dispatch import Dispatcher
from tests.services.bench import Bench
from tests.support.factories import an_event

STARTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
CANCELED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED


@dataclass
class Temporal:
    """In Temporal's place: remembers what it was told. `down` names what it does not answer, or answers wrongly."""

    told: list[tuple[str, str]] = field(default_factory=list)
    down: dict[str, Exception] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)

    async def start(
        self, journey: str, enrollment: Enrollment, *, cause: str, priority: int, stage: str | None = None
    ) -> str | None:
        """Start a walk, once."""
        self._answer(enrollment.id, "start")
        new = enrollment.id not in self.started
        self.started.add(enrollment.id)
        return f"run of {enrollment.id}" if new else None

    async def signal(self, enrollment: str, name: str, payload: Mapping[str, Any] | None) -> str:
        """Signal a walk."""
        self._answer(enrollment, name)
        return "told" if enrollment in self.started else "closed"

    async def cancel(self, enrollment: str, reason: str) -> str:
        """Cancel a walk."""
        self._answer(enrollment, f"cancel: {reason}")
        return "told" if enrollment in self.started else "closed"

    def _answer(self, enrollment: str, what: str) -> None:
        if error := self.down.get(enrollment) or self.down.get("*"):
            raise error
        self.told.append((enrollment, what))

    def of(self, enrollment: str) -> list[str]:
        """What it was told of one walk."""
        return [what for told, what in self.told if told == enrollment]


@pytest.fixture
def temporal() -> Temporal:
    return Temporal()


@pytest.fixture
def dispatcher(bench: Bench, temporal: Temporal) -> Dispatcher:
    return to(bench, temporal)


def to(bench: Bench, temporal: Temporal | Walks) -> Dispatcher:
    return Dispatcher(bench.database, temporal, bench.catalogue, bench.surrogates, bench.pace)


async def drained(dispatcher: Dispatcher) -> int:
    done = 0
    while some := await dispatcher.dispatch_some():
        done += some
    return done


async def leases_run_out(bench: Bench) -> None:
    """Time passes for machinery."""
    await bench.change("UPDATE dispatch_leases SET until = now()")


async def results(bench: Bench, enrollment: str) -> list[str | None]:
    query = "SELECT result FROM dispatches WHERE enrollment = :id ORDER BY id"
    return [row["result"] for row in await bench.rows(query, id=enrollment)]


async def test_each_walk_is_told_in_order_and_its_run_is_recorded(
    bench: Bench, temporal: Temporal, dispatcher: Dispatcher
) -> None:
    walks = [await bench.a_walk(f"c{n}") for n in range(5)]
    for _ in range(3):
        await bench.ingest.accept([an_event("looked", f"c{n}", at=bench.clock.now()) for n in range(5)])
        await bench.project()
    await bench.ingest.accept([an_event("opted_out", f"c{n}", at=bench.clock.now()) for n in range(5)])
    await bench.change("UPDATE enrollments SET ended_at = NULL")  # ended after its start was told

    assert await drained(dispatcher) == 25

    expected = ["start", "customer_event", "customer_event", "customer_event", "cancel: opted_out"]
    assert [temporal.of(walk) for walk in walks] == [expected] * 5
    runs = await bench.rows("SELECT id, run_id FROM enrollments")
    assert all(row["run_id"] == f"run of {row['id']}" for row in runs)
    assert await drained(dispatcher) == 0


async def test_f24_eight_dispatchers_tell_everything_once(bench: Bench, temporal: Temporal) -> None:
    for n in range(60):
        await bench.a_walk(f"c{n}")
        await bench.does("looked", f"c{n}")

    await asyncio.gather(*(drained(to(bench, temporal)) for _ in range(8)))

    assert len(temporal.told) == len(set(temporal.told)) == 120


async def test_whoever_projects_many_walks_meets_a_dispatcher_at_any_of_them_and_neither_fails(
    bench: Bench, dispatcher: Dispatcher
) -> None:
    """Projection writes the walks of fifty customers in one transaction, in an order of its own."""
    walks = [await bench.a_walk(f"c{n}") for n in range(3)]
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    heard = text("UPDATE enrollments SET signals = signals + 1 WHERE id = :id")

    async with bench.database.transaction() as connection:
        await connection.execute(heard, {"id": walks[2]})
        dispatching = asyncio.create_task(dispatcher.dispatch_some())
        while not await bench.rows(waiting):
            await asyncio.sleep(0.01)
        await connection.execute(heard, {"id": walks[0]})

    assert await dispatching == 3
    runs = await bench.rows("SELECT id, run_id, signals FROM enrollments ORDER BY id")
    assert [tuple(row.values()) for row in runs] == [
        (walk, f"run of {walk}", signals) for walk, signals in zip(walks, (1, 0, 1), strict=True)
    ]
    assert [await results(bench, walk) for walk in walks] == [["started"]] * 3


async def test_a_walk_that_ended_before_its_start_is_never_started(
    bench: Bench, temporal: Temporal, dispatcher: Dispatcher
) -> None:
    walk = await bench.a_walk()
    await bench.does("bought")

    await drained(dispatcher)

    assert temporal.of(walk) == ["ended"]
    assert await results(bench, walk) == ["ended first", "closed"]


async def test_f06_what_a_killed_dispatcher_leased_is_told_after_the_lease(
    bench: Bench, temporal: Temporal, dispatcher: Dispatcher
) -> None:
    walk = await bench.a_walk()
    async with bench.database.transaction() as connection:
        assert await dispatches.lease(connection, uuid4(), 64) == [walk]  # and it was never heard of again

    before = await drained(dispatcher)
    await leases_run_out(bench)
    after = await drained(dispatcher)

    assert (before, after) == (0, 1)
    assert temporal.of(walk) == ["start"]


async def test_f06_a_dispatcher_killed_after_telling_tells_again_without_harm(
    bench: Bench, temporal: Temporal, dispatcher: Dispatcher
) -> None:
    walk = await bench.a_walk()
    await bench.does("looked")
    await drained(dispatcher)
    await bench.change("UPDATE dispatches SET done_at = NULL, result = NULL")  # told, and killed before saying so

    await drained(dispatcher)

    assert temporal.of(walk) == ["start", "customer_event"] * 2
    assert await results(bench, walk) == ["started", "told"]


async def test_f07_while_temporal_is_down_rows_stay_and_each_try_waits_longer(
    bench: Bench, temporal: Temporal, dispatcher: Dispatcher
) -> None:
    walk = await bench.a_walk()
    await bench.does("looked")
    temporal.down["*"] = Unavailable("Temporal is down")

    waits = []
    for _ in range(8):
        assert await drained(dispatcher) == 0
        lease = "SELECT attempts, round(extract(epoch FROM until - now()))::int AS rests FROM dispatch_leases"
        waits.append((await bench.rows(lease))[0]["rests"])
        await leases_run_out(bench)
    temporal.down.clear()

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert await results(bench, walk) == [None, None]
    assert await drained(dispatcher) == 2
    assert temporal.of(walk) == ["start", "customer_event"]
    assert await bench.rows("SELECT * FROM dispatch_leases") == []


@pytest.mark.parametrize("error", [Unavailable("refused"), RuntimeError("a payload that nobody can encode")])
async def test_one_walk_that_cannot_be_told_holds_back_no_other(
    bench: Bench, temporal: Temporal, dispatcher: Dispatcher, error: Exception
) -> None:
    stuck, *others = [await bench.a_walk(f"c{n}") for n in range(4)]
    temporal.down[stuck] = error

    assert await drained(dispatcher) == 3
    assert [await results(bench, walk) for walk in others] == [["started"]] * 3
    assert await results(bench, stuck) == [None]
    assert [row["enrollment"] for row in await bench.rows("SELECT enrollment FROM dispatch_leases")] == [stuck]


async def test_what_was_told_before_a_failure_is_not_told_again(
    bench: Bench, temporal: Temporal, dispatcher: Dispatcher
) -> None:
    walk = await bench.a_walk()
    await drained(dispatcher)
    await bench.does("looked")
    await bench.does("bought")

    class Failing(Temporal):
        async def signal(self, enrollment: str, name: str, payload: Mapping[str, Any] | None) -> str:
            if name == "ended":
                raise Unavailable("just then")
            return await super().signal(enrollment, name, payload)

    failing = Failing(started={walk})
    await drained(to(bench, failing))
    await leases_run_out(bench)
    await drained(dispatcher)

    assert failing.of(walk) == ["customer_event"]
    assert temporal.of(walk) == ["start", "ended"]


async def test_what_is_due_later_waits_and_holds_nothing_up(
    bench: Bench, temporal: Temporal, dispatcher: Dispatcher
) -> None:
    walk = await bench.a_walk()
    await drained(dispatcher)
    await bench.change(
        "INSERT INTO dispatches (enrollment, kind, due_at) VALUES (:id, 'catch_up', now() + interval '1 hour')", id=walk
    )
    await bench.does("looked")

    await drained(dispatcher)

    assert temporal.of(walk) == ["start", "customer_event"]
    await bench.change("UPDATE dispatches SET due_at = now()")
    await drained(dispatcher)
    assert temporal.of(walk) == ["start", "customer_event", "catch_up"]


# With Temporal -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[WorkflowEnvironment]:
    """A test server of this file's own: a task that no worker takes would stop the time of all other tests."""
    program = str(Path(sys.executable).parent / "temporal-test-server")
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=program, data_converter=DATA_CONVERTER
    ) as environment:
        yield environment


@pytest.fixture
def walks(server: WorkflowEnvironment) -> Walks:
    """The way to Temporal, to a queue that nobody works on: what it is told stays in the history."""
    return Walks(server.client, task_queue=f"test-{uuid4().hex[:8]}", searchable=False)


async def heard(handle: WorkflowHandle[Any, Any]) -> list[int]:
    wanted = {STARTED, SIGNALED, CANCELED}
    return [event.event_type async for event in handle.fetch_history_events() if event.event_type in wanted]


async def test_temporal_hears_start_signals_and_cancel_in_order(
    bench: Bench, walks: Walks, server: WorkflowEnvironment
) -> None:
    walk = await bench.a_walk()
    await drained(to(bench, walks))
    await bench.does("looked")
    await bench.does("looked")
    await bench.does("opted_out", project=False)

    await drained(to(bench, walks))

    assert await results(bench, walk) == ["started", "told", "told", "told"]
    assert await heard(server.client.get_workflow_handle(walk)) == [STARTED, SIGNALED, SIGNALED, CANCELED]


async def test_f25_a_start_told_twice_is_one_workflow(bench: Bench, walks: Walks, server: WorkflowEnvironment) -> None:
    walk = await bench.a_walk()
    await drained(to(bench, walks))
    run = (await bench.rows("SELECT run_id FROM enrollments"))[0]["run_id"]
    await bench.change("UPDATE dispatches SET done_at = NULL")

    await drained(to(bench, walks))

    assert await results(bench, walk) == ["started"]
    described = await server.client.get_workflow_handle(walk).describe()
    assert described.run_id == run == (await bench.rows("SELECT run_id FROM enrollments"))[0]["run_id"]


async def test_what_temporal_has_closed_is_told_to_nobody_and_done(
    bench: Bench, walks: Walks, server: WorkflowEnvironment
) -> None:
    walk = await bench.a_walk()
    await drained(to(bench, walks))
    await server.client.get_workflow_handle(walk).terminate("by an operator")
    await bench.does("looked")
    await bench.does("bought")

    await drained(to(bench, walks))

    assert await results(bench, walk) == ["started", "closed", "closed"]
