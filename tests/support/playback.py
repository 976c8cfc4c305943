"""A journey's test bench: tells a customer's story on Temporal's time-skipping server, with everything else real."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import text
from temporalio.client import WorkflowHandle, WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from adapters.database import customers
from domain.clock import Pace
from domain.customers import Consent, ConsentStatus
from domain.deliveries import Delivery, Report
from services.dispatch import Dispatcher
from tests.support.factories import SettableClock, a_zone_where_it_is, an_event, compiled, settings_for
from tropa.wiring import House, build
from tropa.worker import build_worker
from workflows.registry import declarations
from workflows.toolkit import Journey

INSTANT = timedelta(seconds=1)


class Playback:
    """One customer, Anna, for whom it is ten in the morning when the story begins."""

    customer_id = "anna@example.com"

    def __init__(
        self, environment: WorkflowEnvironment, house: House, clock: SettableClock, dispatcher: Dispatcher
    ) -> None:
        self.environment, self.house, self.clock, self._dispatcher = environment, house, clock, dispatcher

    @classmethod
    @contextlib.asynccontextmanager
    async def on(
        cls,
        environment: WorkflowEnvironment,
        database_url: str,
        *,
        also: tuple[type[Journey], ...] = (),
        journeys: str = "",
        **replaced: Any,
    ) -> AsyncIterator["Playback"]:
        """A bench on a server and a database, with its own task queue and worker.

        `also` are journeys of the tests' own, `journeys` those that events start (all by default), `replaced` is what
        else `build` is to take.
        """
        began = await environment.get_current_time()
        clock = SettableClock(began)
        house = await build(
            settings_for(database_url, journeys=journeys),
            clock=clock,
            pace=Pace(anchor=began),
            library=compiled(),
            declared=(*declarations(), *declarations(also)),
            **replaced,
        )
        queue = f"test-{uuid4().hex[:8]}"
        dispatcher = house.dispatcher(environment.client, task_queue=queue, searchable=False)
        worker: Worker = build_worker(house, environment.client, task_queue=queue, also=also)
        async with worker:
            bench = cls(environment, house, clock, dispatcher)
            await bench.is_known()
            yield bench
        await house.database.close()

    async def has_a_phone(self, phone: str = "+4915112345678") -> None:
        """Anna has a phone, too, and said yes to WhatsApp and to texts."""
        now = self.clock.now()
        async with self.house.database.transaction() as connection:
            ours = (await customers.identify(connection, [self.customer_id], now))[self.customer_id]
            await customers.update_profile(connection, ours, {"phone": phone})
            word = Consent(status=ConsentStatus.GRANTED, at=now - timedelta(days=30), source="test")
            for channel in ("sms", "whatsapp"):
                await customers.put_consent(connection, ours, channel, word)

    async def is_known(self, *, hour: int = 10, email: str = "anna@example.com", consent: str = "granted") -> None:
        """Anna has an address, a time zone and a yes to email."""
        now = self.clock.now()
        async with self.house.database.transaction() as connection:
            ours = (await customers.identify(connection, [self.customer_id], now))[self.customer_id]
            zone = a_zone_where_it_is(hour, now)
            await customers.update_profile(connection, ours, {"email": email, "timezone": zone, "locale": "en"})
            word = Consent(status=ConsentStatus(consent), at=now - timedelta(days=30), source="test")
            await customers.put_consent(connection, ours, "email", word)

    async def prefers(self, channel: str) -> None:
        """Anna likes one channel best."""
        async with self.house.database.transaction() as connection:
            ours = (await customers.identify(connection, [self.customer_id], self.clock.now()))[self.customer_id]
            await customers.update_profile(connection, ours, {"preferred_channel": channel})

    async def sees(self, message: str) -> None:
        """Her provider reports that she read the latest send of a message."""
        found = await self.rows("SELECT id, message FROM sends ORDER BY slot_at DESC")
        send = next(row["id"] for row in found if row["message"] == message)
        read = Report(
            gateway="sandbox", provider_id=f"sandbox-{send}", status="read", delivery=Delivery.READ, send=send
        )
        await self.house.reports.take(read)

    async def does(self, name: str, **details: Any) -> None:
        """Something happens, and everything that follows from it at once."""
        now = self.clock.now()
        details.setdefault("at", now)
        await self.house.ingest.accept([an_event(name, self.customer_id, received=now, **details)])
        await self.catch_up()

    async def catch_up(self) -> None:
        """Project and dispatch what waits, and let the walks come to rest."""
        while await self.house.projector.project_some() + await self._dispatcher.dispatch_some():
            pass
        await self.rest()

    async def after(self, duration: timedelta) -> None:
        """Time passes."""
        await self.environment.sleep(duration + INSTANT)
        self.clock.set(await self.environment.get_current_time())
        await self.rest()
        await self.catch_up_quietly()

    async def catch_up_quietly(self) -> None:
        """What the walks themselves caused."""
        while await self.house.projector.project_some() + await self._dispatcher.dispatch_some():
            await self.rest()

    async def rest(self) -> None:
        """Wait until no walk has anything to do now."""
        for enrollment in await self.enrollments():
            with contextlib.suppress(Exception):
                await self._rested(self.environment.client.get_workflow_handle(enrollment["id"]))

    async def _rested(self, handle: WorkflowHandle[Any, Any]) -> None:
        before = -1
        while True:
            described = await handle.describe()
            busy = described.raw_description.pending_activities or described.raw_description.HasField(
                "pending_workflow_task"
            )
            if not busy and described.history_length == before:
                return
            before = described.history_length
            await asyncio.sleep(0.02)

    async def enrollments(self) -> list[dict[str, Any]]:
        """All enrollments, oldest first."""
        return await self.rows("SELECT * FROM enrollments ORDER BY started_at, id")

    async def ending(self, journey: str = "%") -> str | None:
        """How the latest enrollment (in a journey) ended, or None while it walks."""
        latest = await self._latest(journey)
        return str(latest["outcome"] or latest["leaving"]) if latest["ended_at"] else None

    async def sent(self, journey: str = "%") -> list[str]:
        """Messages that went out (in a journey), in order."""
        query = f"""
            SELECT message FROM sends s JOIN enrollments e ON e.id = s.enrollment
            WHERE s.state = 'accepted' AND e.journey LIKE '{journey}' ORDER BY slot_at, s.id
        """
        return [row["message"] for row in await self.rows(query)]

    async def sends(self) -> list[tuple[str, str]]:
        """All sends with their states, in order."""
        query = "SELECT message, state FROM sends ORDER BY wished_at, id"
        return [(row["message"], row["state"]) for row in await self.rows(query)]

    async def _latest(self, journey: str) -> dict[str, Any]:
        return [row for row in await self.enrollments() if journey in ("%", row["journey"])][-1]

    async def words(self) -> list[str]:
        """Every decision in words, in order."""
        return [row["words"] for row in await self.rows("SELECT words FROM decisions ORDER BY id")]

    async def history(self, journey: str = "%") -> WorkflowHistory:
        """The history of the latest enrollment (in a journey)."""
        latest = await self._latest(journey)
        return await self.environment.client.get_workflow_handle(latest["id"]).fetch_history()

    async def rows(self, query: str) -> list[dict[str, Any]]:
        """What a query finds."""
        async with self.house.database.transaction() as connection:
            return [dict(row) for row in (await connection.execute(text(query))).mappings()]

    async def close(self) -> None:
        """End every walk that still goes on."""
        for row in await self.enrollments():
            with contextlib.suppress(Exception):
                await self.environment.client.get_workflow_handle(row["id"]).terminate("the test is over")


def utc(*parts: int) -> datetime:
    """An instant."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]
