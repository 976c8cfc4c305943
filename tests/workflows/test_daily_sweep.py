"""The daily sweep as a workflow, whose details say what was done."""

from typing import Any
from uuid import uuid4

from temporalio.testing import WorkflowEnvironment

from adapters.database import customers
from domain.sweep import Silent
from tropa.wiring import House
from tropa.worker import build_worker
from workflows.operations.daily_sweep import DailySweep


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
