"""Cases of the failure catalogue that need real servers: a dispatcher that dies, Temporal or PostgreSQL that is down,
several of everything at once, and a past that Temporal has forgotten.
"""

import asyncio
import itertools
import tempfile
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus

from adapters.temporal import Walks, connect
from domain.journeys import Enrollment
from domain.messages import Channel
from services.dispatch import Dispatcher
from services.keys import SCOPES, Keys
from tests.conftest import FAST
from tests.end_to_end.live import Live, walking
from tests.support.providers import Provider
from tropa.embedded.ports import free_port
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.embedded.temporal import EmbeddedTemporal
from tropa.migrate import migrate
from tropa.serve import api_app

Answer = TypeVar("Answer")
SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED


class Killed(BaseException):
    """The process is gone: nothing that would handle an error runs."""


class Mortal:
    """The way to Temporal of a process that is killed at each new call: before it, then at the next after it."""

    def __init__(self, walks: Walks) -> None:
        self._walks, self._known, self._after = walks, set[tuple[Any, ...]](), itertools.cycle([False, True])

    async def start(
        self, journey: str, enrollment: Enrollment, *, cause: str, priority: int, stage: str | None = None
    ) -> str | None:
        """Start, or be killed."""
        start = self._walks.start(journey, enrollment, cause=cause, priority=priority, stage=stage)
        return await self._dying((enrollment.id, "start"), start)

    async def signal(self, enrollment: str, name: str, payload: Mapping[str, Any] | None) -> str:
        """Signal, or be killed."""
        told = (enrollment, name, (payload or {}).get("number"))
        return await self._dying(told, self._walks.signal(enrollment, name, payload))

    async def _dying(self, call: tuple[Any, ...], told: Coroutine[Any, Any, Answer]) -> Answer:
        dies, after = call not in self._known, False
        if dies:
            self._known.add(call)
            after = next(self._after)
        if dies and not after:
            told.close()
            raise Killed
        answer = await told
        if dies:
            raise Killed
        return answer


async def test_f06_a_dispatcher_killed_thirty_times_tells_every_walk_everything(
    database_url: str, client: Client
) -> None:
    people = [f"c{n}" for n in range(10)]
    async with walking(database_url, client, pumps=0) as live:
        mortal = Mortal(Walks(client, task_queue=f"live-{database_url[-8:]}"))
        house, killed = live.house, 0
        for name in ("order_placed", "setup_stuck", "activated"):
            for person in people:
                await live.does(name, person)
            await house.projector.project_some()
            done = False
            while not done:  # each is told by a dispatcher that dies of it, and then by another
                dispatcher = Dispatcher(house.database, mortal, house.catalogue, house.surrogates, house.pace)  # type: ignore[arg-type]
                try:
                    done = await dispatcher.dispatch_some(limit=1) == 0
                except Killed:
                    killed += 1
                    await live.rows("UPDATE dispatch_leases SET until = now() RETURNING 1")

        walks = await live.rows("SELECT id, outcome FROM enrollments")
        assert [walk["outcome"] for walk in walks] == ["converted"] * 10
        for walk in walks:
            handle = client.get_workflow_handle(walk["id"])
            assert await handle.result() == "converted"
            told = Counter(
                event.workflow_execution_signaled_event_attributes.signal_name
                for event in (await handle.fetch_history()).events
                if event.event_type == SIGNALED
            )
            assert set(told) == {"customer_event", "ended"}
        assert killed == 30


async def test_f07_while_temporal_is_down_events_are_taken_in_and_told_when_it_is_back(database_url: str) -> None:
    """Seconds instead of ten minutes, 30 walks instead of 12,000 events."""
    people = [f"c{n}" for n in range(30)]
    with tempfile.TemporaryDirectory(prefix="tropa-") as folder:
        temporal = EmbeddedTemporal(Path(folder), free_port(), free_port())
        await asyncio.to_thread(temporal.start)
        client = await connect(temporal.address)
        async with walking(database_url, client) as live:
            app = api_app(live.house)
            key = await Keys(live.house.database).create("the shop", sorted(SCOPES))
            await asyncio.to_thread(temporal.stop)
            async with calling(app, key) as api:
                for name in ("order_placed", "setup_stuck"):  # at one instant: in the order of their ids
                    events = [{"event_id": f"{name}-{p}", "customer_id": p, "name": name} for p in people]
                    assert (await api.post("/v1/events", json={"events": events})).json()["accepted"] == 30

            await live.until(lambda: live.rows("SELECT 1 FROM dispatches HAVING count(*) = 60"))
            await live.until(lambda: live.rows("SELECT 1 FROM dispatch_leases"))
            waiting = await live.rows("SELECT count(*) AS n FROM dispatches WHERE done_at IS NULL")
            await asyncio.to_thread(temporal.start)
            await live.until(lambda: drained(live), within=60)

            told = await live.rows("SELECT result, count(*) AS n FROM dispatches GROUP BY 1 ORDER BY 1")
            assert waiting == [{"n": 60}]
            assert told == [{"result": "started", "n": 30}, {"result": "told", "n": 30}]
            running = [e.id async for e in client.list_workflows("ExecutionStatus = 'Running'")]
            assert len(running) == len(set(running)) == 30
        await asyncio.to_thread(temporal.stop)


async def drained(live: Live) -> bool:
    return not await live.rows("SELECT 1 FROM dispatches WHERE done_at IS NULL LIMIT 1")


def calling(app: Any, key: str) -> httpx.AsyncClient:
    """A client of an app of this process."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(
        transport=transport, base_url="http://tropa.test", headers={"Authorization": f"Bearer {key}"}
    )


@pytest.fixture
def own_postgres() -> Iterator[EmbeddedPostgres]:
    """A server of this test's own."""
    with tempfile.TemporaryDirectory(prefix="tropa-tests-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedPostgres(Path(folder), settings=FAST)
        server.ensure()
        migrate(server.url())
        yield server
        server.stop()


async def test_f08_while_the_database_is_down_nothing_is_accepted_or_sent_and_no_walk_fails(
    own_postgres: EmbeddedPostgres, client: Client
) -> None:
    """Seconds instead of ten minutes. It goes down between reserve and claim, where a call would come next."""
    mail, stopped = Provider("mail"), asyncio.Event()

    async def stop_once() -> None:
        if not stopped.is_set():
            await asyncio.to_thread(own_postgres.stop)
            stopped.set()

    mail.on_connecting = stop_once
    async with walking(own_postgres.url(), client, gateways={Channel.EMAIL: mail}) as live:
        key = await Keys(live.house.database).create("the shop", sorted(SCOPES))
        async with calling(api_app(live.house), key) as api:
            assert (await api.get("/v1/journeys")).status_code == 200
            await live.does("order_placed")
            await asyncio.wait_for(stopped.wait(), 30)

            event = {"event_id": "1", "customer_id": "a", "name": "b"}
            refused = await api.post("/v1/events", json={"events": [event]})
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert (await api.get("/health/ready")).status_code == 503
            assert (await api.get("/health/live")).status_code == 200
            await asyncio.sleep(2)
            assert mail.calls == []

            await asyncio.to_thread(own_postgres.ensure)
            await live.until(live.sent, within=60)
            assert (await api.post("/v1/events", json={"events": [event]})).json()["accepted"] == 1
            assert (await api.get("/health/ready")).status_code == 200
        assert len(mail.calls) == 1
        described = await client.get_workflow_handle((await live.enrollment())["id"]).describe()
        assert described.status is WorkflowExecutionStatus.RUNNING


async def test_f24_four_dispatchers_and_four_workers_greet_everybody_once(database_url: str, client: Client) -> None:
    people, mail = [f"c{n}" for n in range(20)], Provider("mail")
    async with walking(database_url, client, workers=4, pumps=4, gateways={Channel.EMAIL: mail}) as live:
        for person in people:
            await live.is_known(person)
        await asyncio.gather(*(live.does("order_placed", person) for person in people))

        await live.until(lambda: everybody_is_greeted(live, len(people)), within=60)

        assert Counter(call.letter.send_id for call in mail.calls).most_common(1)[0][1] == 1
        assert len(mail.calls) == len(people)
        running = await live.rows("SELECT count(*) AS n, count(DISTINCT run_id) AS runs FROM enrollments")
        assert running == [{"n": 20, "runs": 20}]


async def everybody_is_greeted(live: Live, count: int) -> bool:
    return len(await live.sent()) == count


async def test_f26_what_temporal_has_forgotten_is_still_not_walked_again(database_url: str, client: Client) -> None:
    """A new server stands for the one whose retention is over: both know nothing."""
    async with walking(database_url, client) as live:
        handle = await live.starts()
        await live.does("activated")
        assert await handle.result() == "converted"
    with tempfile.TemporaryDirectory(prefix="tropa-") as folder:
        temporal = EmbeddedTemporal(Path(folder), free_port(), free_port(), in_memory=True)
        await asyncio.to_thread(temporal.start)
        async with walking(database_url, await connect(temporal.address)) as live:
            await live.does("order_placed")
            await live.until(lambda: live.rows("SELECT 1 FROM decisions WHERE rule = 'walked_before'"))

            assert await live.rows("SELECT outcome FROM enrollments") == [{"outcome": "converted"}]
            assert await live.rows("SELECT 1 FROM dispatches WHERE done_at IS NULL") == []
        await asyncio.to_thread(temporal.stop)
