"""One customer, walking in real time against real servers."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from temporalio.client import Client, WorkflowHandle

from adapters.database import customers
from adapters.temporal import connect
from domain.clock import Pace
from domain.customers import Consent, ConsentStatus
from tests.support.factories import SettableClock, a_zone_where_it_is, an_event, compiled, settings_for
from tropa.wiring import House, build
from tropa.worker import build_worker, pumping
from workflows.toolkit import Journey


class Live:
    """Does things and waits until their effect is seen."""

    customer_id = "anna@example.com"

    def __init__(self, house: House, client: Client) -> None:
        self.house, self.client = house, client

    async def is_known(self, customer_id: str = customer_id) -> None:
        """Anna, or another, has an address and said yes, and it is ten in the morning where she is."""
        now = self.house.clock.now()
        async with self.house.database.transaction() as connection:
            ours = (await customers.identify(connection, [customer_id], now))[customer_id]
            zone = a_zone_where_it_is(10, now)
            await customers.update_profile(connection, ours, {"email": "anna@example.com", "timezone": zone})
            word = Consent(status=ConsentStatus.GRANTED, at=now, source="test")
            await customers.put_consent(connection, ours, "email", word)

    async def does(self, name: str, customer_id: str = customer_id, **details: Any) -> None:
        """Something happens."""
        details.setdefault("at", self.house.clock.now())
        await self.house.ingest.accept([an_event(name, customer_id, **details)])

    async def until(self, seen: Callable[[], Awaitable[Any]], within: float = 15) -> Any:
        """What `seen` answers, as soon as it is true."""
        deadline = time.monotonic() + within
        while not (found := await seen()):
            assert time.monotonic() < deadline, "it did not come about"
            await asyncio.sleep(0.05)
        return found

    async def starts(self) -> WorkflowHandle[Any, Any]:
        """Order, and wait until the greeting is sent and the walk waits."""
        await self.does("order_placed")
        await self.until(self.sent)
        return self.client.get_workflow_handle((await self.enrollment())["id"])

    async def sent(self) -> list[str]:
        """Messages that went out."""
        return [row["message"] for row in await self.rows("SELECT message FROM sends WHERE state = 'accepted'")]

    async def enrollment(self) -> dict[str, Any]:
        """The latest."""
        return (await self.rows("SELECT * FROM enrollments ORDER BY started_at DESC, id DESC"))[0]

    async def words(self) -> list[str]:
        """All decisions, in words."""
        return [row["words"] for row in await self.rows("SELECT words FROM decisions ORDER BY id")]

    async def reconciled(self, within: float = 15) -> None:
        """Reconcile until something was put right."""
        reconciler = self.house.reconciler(self.client)
        await self.until(reconciler.reconcile, within)

    async def rows(self, query: str) -> list[dict[str, Any]]:
        """What a query finds."""
        async with self.house.database.transaction() as connection:
            return [dict(row) for row in (await connection.execute(text(query))).mappings()]

    async def close(self) -> None:
        """End what still walks."""
        for row in await self.rows("SELECT id FROM enrollments"):
            with contextlib.suppress(Exception):
                await self.client.get_workflow_handle(row["id"]).terminate("the test is over")


@contextlib.asynccontextmanager
async def walking(
    database_url: str,
    client: Client,
    *,
    workers: int = 1,
    pumps: int = 1,
    task_queue: str = "",
    also: tuple[type[Journey], ...] = (),
    **parts: Any,
) -> AsyncIterator[Live]:
    """So many workers and pumps at work, in real time, each on a house of its own as a process has. `also` are journeys
    of the tests' own, which events start then, and no other; `parts` of `build` replace the houses' own.
    """
    now, queue = datetime.now(UTC), task_queue or f"live-{database_url[-8:]}"
    parts = {"clock": SettableClock(now), "pace": Pace(anchor=now), "library": compiled(), **parts}
    async with contextlib.AsyncExitStack() as stack:
        starting = ",".join(each.__name__ for each in also) or "WelcomeChain"
        settings = settings_for(database_url, journeys=starting)
        houses = [await build(settings, **parts) for _ in range(max(workers, pumps, 1))]
        for house in houses:
            stack.push_async_callback(house.database.close)
        for number, house in enumerate(houses):
            own = client if number == 0 else await connect(client.service_client.config.target_host)
            if number < workers:
                await stack.enter_async_context(build_worker(house, own, task_queue=queue, also=also))
            if number < pumps:
                await stack.enter_async_context(pumping(house, own, task_queue=queue, reconcile_every=None))
        live = Live(houses[0], client)
        await live.is_known()
        yield live
        await live.close()
