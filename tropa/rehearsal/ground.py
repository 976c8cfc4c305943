"""A rehearsal ground: the engine over the real house on a real database, whose clock shows virtual time.

Events go the way they go in production: ingest, project, dispatch; only what dispatch tells is not Temporal.
"""

import asyncio
import concurrent.futures
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from temporalio.client import WorkflowHistory
from temporalio.testing import ActivityEnvironment

from domain.journeys import Enrollment
from services.dispatch import Dispatcher
from tropa.rehearsal.engine import Engine
from tropa.rehearsal.limits import WalkBroke
from tropa.rehearsal.stage import Call
from tropa.wiring import House
from tropa.worker import RUNNER
from workflows.registry import journeys
from workflows.toolkit.journey import Journey

PATIENCE = 60.0  # real seconds for one activity, as long as its start-to-close timeout


class HeldClock:
    """Business time that stands still until somebody moves it."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """The instant it was set to."""
        return self._at

    def set(self, at: datetime) -> None:
        """Move."""
        self._at = at


class RehearsedWalks:
    """Starts, signals and cancels walks of an engine, as `adapters.temporal.Walks` does on a server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def start(
        self, journey: str, enrollment: Enrollment, *, cause: str, priority: int, stage: str | None = None
    ) -> str | None:
        """Start an enrollment's workflow, once."""
        return self._engine.start(journey, enrollment, id=enrollment.id)

    async def signal(self, enrollment: str, name: str, payload: Mapping[str, Any] | None) -> str:
        """Signal a walk."""
        told = self._engine.signal(enrollment, name, *([] if payload is None else [payload]))
        return "told" if told else "closed"

    async def cancel(self, enrollment: str, reason: str) -> str:
        """Cancel a walk."""
        return "told" if self._engine.cancel(enrollment, reason) else "closed"


class Ground:
    """The house, the engine, and time, which passes only here."""

    def __init__(self, house: House, clock: HeldClock, *, also: Sequence[type[Journey]] = ()) -> None:
        """`house` was built with `clock`, at pace 1. `also` are journeys that the registry does not find.

        It begins now or later: what the database itself puts off, it puts off by its own clock.
        """
        self.house, self.clock = house, clock
        self.engine = Engine(
            workflows=[*journeys(), *also],
            activities=house.activities(),  # type: ignore[arg-type]  # bound methods
            perform=self._perform,
            start=clock.now(),
            runner=RUNNER,
        )
        walks = RehearsedWalks(self.engine)
        self._dispatcher = Dispatcher(house.database, walks, house.catalogue, house.surrogates, house.pace)
        self._loop = asyncio.get_running_loop()
        self._acted = False
        self._told_next: datetime | None = None

    async def settle(self) -> None:
        """Project, dispatch and walk, until nothing goes on at once."""
        while True:
            await self._pump()
            self._acted = False
            await asyncio.to_thread(self.engine.settle)
            self.clock.set(self.engine.time)
            if not self._acted:
                return

    @property
    def next(self) -> datetime | None:
        """When something happens next, if nobody does anything."""
        return min((each for each in (self.engine.next, self._told_next) if each), default=None)

    async def until(self, at: datetime) -> None:
        """Let time pass. What it brings, and whatever follows from that, happens at its own instant."""
        while (due := self.next) and due < at:
            await self._walk_to(due)
        await self._walk_to(at)

    def histories(self, enrollment: str) -> list[WorkflowHistory]:
        """The histories of a walk's runs: one, unless it continued as new; none before it is told to start."""
        return [run.recording.history() for run in self.engine.runs.get(enrollment, [])]

    async def history(self, enrollment: str) -> WorkflowHistory:
        """The history of a walk's latest run."""
        return self.engine.latest(enrollment).recording.history()

    async def closed(self, enrollment: str) -> str | None:
        """How a walk's latest run closed, as Temporal says it; None while it walks."""
        return self.engine.latest(enrollment).closed

    async def close(self) -> None:
        """Nothing goes on here by itself."""

    async def _walk_to(self, at: datetime) -> None:
        self._acted = False
        await asyncio.to_thread(self.engine.run, at)
        self.clock.set(self.engine.time)
        if self._acted or (self._told_next and self._told_next <= at):
            await self.settle()

    async def _pump(self) -> None:
        await self._hurry()
        while await self.house.projector.project_some() + await self._dispatcher.dispatch_some():
            pass

    async def _hurry(self) -> None:
        """What is to be told at a virtual instant that has come is due in real time, too."""
        async with self.house.database.transaction() as connection:
            found = await connection.execute(HURRY, {"now": self.clock.now()})
            self._told_next = found.scalar_one()

    def _perform(self, call: Call) -> Any:
        """An activity, on the loop of the house; the engine's thread waits for it."""
        self._acted = True
        self.clock.set(call.at)
        acting = asyncio.run_coroutine_threadsafe(self._act(call), self._loop)
        try:
            return acting.result(PATIENCE)
        except concurrent.futures.TimeoutError:
            if acting.done():  # its own
                raise
            acting.cancel()
            raise WalkBroke(call.workflow_type, call.workflow, f"{call.name} takes longer than a minute") from None

    async def _act(self, call: Call) -> Any:
        environment = ActivityEnvironment()
        environment.info = replace(
            environment.info,
            activity_type=call.name,
            attempt=call.attempt,
            started_time=call.at,
            workflow_id=call.workflow,
            workflow_run_id=call.run,
            workflow_type=call.workflow_type,
        )
        return await environment.run(call.activity, *call.arguments)


HURRY = text("""
    WITH hurried AS (
        UPDATE dispatches SET due_at = now() WHERE done_at IS NULL AND due_at > now() AND due_at <= :now
    )
    SELECT min(due_at) FROM dispatches WHERE done_at IS NULL AND due_at > now() AND due_at > :now
""")
