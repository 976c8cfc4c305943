"""The worker: walks and their activities, and the pumps that project, dispatch, grade clicks and reconcile."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from adapters.temporal import TASK_QUEUE
from tropa.wiring import House
from workflows.registry import journeys
from workflows.toolkit.endings import Endings

POLL = 1.0  # seconds, besides wake-ups
RECONCILE_EVERY = 60.0

log = logging.getLogger(__name__)

# `domain` and `activities` never change between runs; `workflows` stays watched by the sandbox.
RUNNER = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules("domain", "activities")
)


def build_worker(house: House, client: Client, *, task_queue: str = TASK_QUEUE) -> Worker:
    """The Temporal worker, the same in production and in tests."""
    return Worker(
        client,
        task_queue=task_queue,
        workflows=list(journeys()),
        activities=house.activities(),  # type: ignore[arg-type]  # bound methods
        workflow_runner=RUNNER,
        interceptors=[Endings()],
        graceful_shutdown_timeout=timedelta(seconds=15),
        max_concurrent_activities=50,
    )


@contextlib.asynccontextmanager
async def pumping(
    house: House, client: Client, *, task_queue: str = TASK_QUEUE, reconcile_every: float | None = RECONCILE_EVERY
) -> AsyncIterator[None]:
    """Project, dispatch, grade clicks and (unless None) reconcile in the background, for as long as the block runs."""
    projector, dispatcher = house.projector, house.dispatcher(client, task_queue=task_queue)
    projecting, dispatching = asyncio.Event(), asyncio.Event()

    def wake() -> None:
        projecting.set()
        dispatching.set()

    await house.database.listen(wake)
    pumps = [
        asyncio.create_task(_pump("project", projector.project_some, projecting, POLL)),
        asyncio.create_task(_pump("dispatch", dispatcher.dispatch_some, dispatching, POLL)),
        asyncio.create_task(_pump("tracking", house.tracking.settle_some, asyncio.Event(), POLL)),
    ]
    if reconcile_every is not None:
        reconcile = house.reconciler(client).reconcile
        pumps.append(asyncio.create_task(_pump("reconcile", reconcile, asyncio.Event(), reconcile_every, once=True)))
    try:
        yield
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(
    name: str, work: Callable[[], Awaitable[int]], wake: asyncio.Event, poll: float, *, once: bool = False
) -> None:
    """Do a piece of work until there is none; then sleep until woken, or `poll` seconds. Survives every failure."""
    while True:
        wake.clear()
        try:
            while await work() and not once:
                pass
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("pump failed; trying again", extra={"pump": name})
            await asyncio.sleep(POLL)
            continue
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), poll)
