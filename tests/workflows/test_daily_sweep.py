"""The daily sweep as a workflow: one activity, whose heartbeats and the workflow's details say how far it is."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

import activities.sweeping
from activities.sweeping import SweepingActivities
from adapters.database import customers
from domain.sweep import Silent, Swept
from tropa.wiring import House
from tropa.worker import build_worker
from workflows.operations.daily_sweep import DailySweep

SWEPT = Swept(as_of=datetime(2026, 3, 2, tzinfo=UTC), silent=None, customers=3, told={}, silently=0, bought=0, moved=0)


async def test_it_sweeps_and_tells_what_it_did(time_skipping: WorkflowEnvironment, house: House) -> None:
    async with house.database.transaction() as connection:
        await customers.identify(connection, ["anna", "boris"], house.clock.now())
    queue = uuid4().hex
    async with build_worker(house, time_skipping.client, task_queue=queue):
        handle = await time_skipping.client.start_workflow(DailySweep.run, id=queue, task_queue=queue)

        swept = await handle.result()
        told: Any = await handle.query("__temporal_workflow_metadata")

    assert (swept.silent, swept.customers, swept.as_of) == (Silent.FIRST, 2, house.clock.now())
    assert swept.words() in str(told)


class Slow:
    """A sweep that says something and then takes its time."""

    async def sweep(self, tell: Callable[[str], None]) -> Swept:
        tell("half")
        await asyncio.sleep(0.1)
        return SWEPT


async def test_its_heartbeats_say_how_far_it_is_even_through_one_long_statement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(activities.sweeping, "BEAT", 0.01)
    environment, heard = ActivityEnvironment(), list[object]()
    environment.on_heartbeat = lambda *details: heard.extend(details)

    swept = await environment.run(SweepingActivities(Slow()).sweep)

    assert swept == SWEPT
    assert heard.count("half") > 3
