"""Where a bench's walks live: on the rehearsal ground, or on Temporal's time-skipping server, the referee."""

import asyncio
import contextlib
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import text
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle, WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from tropa.rehearsal.ground import HeldClock
from tropa.wiring import House


class World(Protocol):
    """What a bench needs of it."""

    async def settle(self) -> None:
        """Project and dispatch what waits, and let the walks come to rest."""
        ...

    async def until(self, at: datetime) -> None:
        """Let time pass."""
        ...

    async def history(self, enrollment: str) -> WorkflowHistory:
        """The history of a walk."""
        ...

    async def closed(self, enrollment: str) -> str | None:
        """How Temporal says that a walk closed: completed, canceled ...; None while it walks."""
        ...

    async def close(self) -> None:
        """End every walk that still goes on."""
        ...


class OnServer:
    """Temporal's own test server, whose time everybody on it shares."""

    def __init__(self, environment: WorkflowEnvironment, house: House, clock: HeldClock, task_queue: str) -> None:
        self._environment, self._house, self._clock = environment, house, clock
        self._dispatcher = house.dispatcher(environment.client, task_queue=task_queue, searchable=False)

    async def settle(self) -> None:
        """See `World`."""
        while await self._house.projector.project_some() + await self._dispatcher.dispatch_some():
            pass
        await self._rest()

    async def until(self, at: datetime) -> None:
        """See `World`."""
        await self._environment.sleep(at - await self._environment.get_current_time())
        self._clock.set(await self._environment.get_current_time())
        await self._rest()
        while await self._house.projector.project_some() + await self._dispatcher.dispatch_some():
            await self._rest()

    async def history(self, enrollment: str) -> WorkflowHistory:
        """See `World`."""
        return await self._walk(enrollment).fetch_history()

    async def closed(self, enrollment: str) -> str | None:
        """See `World`."""
        status = (await self._walk(enrollment).describe()).status
        return None if status in (None, WorkflowExecutionStatus.RUNNING) else status.name.lower()

    async def close(self) -> None:
        """See `World`."""
        for enrollment in await self._enrollments():
            with contextlib.suppress(Exception):
                await self._walk(enrollment).terminate("the test is over")

    async def _rest(self) -> None:
        for enrollment in await self._enrollments():
            with contextlib.suppress(Exception):
                await self._rested(self._walk(enrollment))

    async def _rested(self, handle: WorkflowHandle[Any, Any]) -> None:
        before = -1
        while True:
            described = await handle.describe()
            raw = described.raw_description
            busy = raw.pending_activities or raw.HasField("pending_workflow_task")
            if not busy and described.history_length == before:
                return
            before = described.history_length
            await asyncio.sleep(0.02)

    async def _enrollments(self) -> list[str]:
        async with self._house.database.transaction() as connection:
            return list((await connection.execute(text("SELECT id FROM enrollments"))).scalars())

    def _walk(self, enrollment: str) -> WorkflowHandle[Any, Any]:
        return self._environment.client.get_workflow_handle(enrollment)
