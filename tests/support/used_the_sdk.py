"""A process that has used Temporal's SDK as the smoke test does, and leaves as it does: `python -m … ADDRESS`."""

import asyncio
import sys

from temporalio.worker import Worker

from adapters.temporal import connect
from tropa.leaving import leave
from tropa.worker import RUNNER
from workflows.registry import journeys


async def use(address: str) -> None:
    """Connect, work for a moment, stop."""
    client = await connect(address)
    async with Worker(client, task_queue="leaving", workflows=list(journeys()), workflow_runner=RUNNER):
        await client.count_workflows("WorkflowType = 'WelcomeChain'")


asyncio.run(use(sys.argv[1]))
leave(0)
