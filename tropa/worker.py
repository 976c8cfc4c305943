"""The worker: walks, bulks and their activities, and the pumps: whatever goes on by itself in the database."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from adapters.database.connection import News
from adapters.temporal import TASK_QUEUE
from tropa.beating import BEAT, Beating
from tropa.pulse import PATIENCE, Pulse
from tropa.rehearsal.sdk import workflow_definition
from tropa.turn import Turn
from tropa.wiring import House
from workflows.operations.audience_export import AudienceExport
from workflows.operations.bulk_enrollment import BulkEnrollment
from workflows.operations.daily_sweep import DailySweep
from workflows.registry import journeys
from workflows.toolkit.endings import Endings
from workflows.toolkit.journey import Journey

POLL = 1.0  # seconds, besides wake-ups
RECONCILE_EVERY = 60.0
RECONCILE_WITHIN = 1800.0  # it may ask providers that do not answer about 200 sends
WOKEN = {News.EVENTS: ("project",), News.CONSEQUENCES: ("dispatch",)}  # the others look themselves, but for these:
THEN = {News.CONSEQUENCES: ("announce", "bulks")}  # a letter that somebody waits for goes first
THEN_AFTER = 0.05  # seconds
FEW = 4  # a round that did no more has left nothing, and whatever came meanwhile has woken its pump again
LAST_ROUND = 10.0  # seconds for a round that is under way when the worker stops

Work = Callable[[], Awaitable[int]]
OPERATIONS = (BulkEnrollment, DailySweep, AudienceExport)
"""Workflows about many customers: they are no journeys, so the registry does not find them."""

log = logging.getLogger(__name__)

# `domain` and `activities` never change between runs; `workflows` stays watched by the sandbox.
RUNNER = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules("domain", "activities")
)


def build_worker(
    house: House,
    client: Client,
    *,
    task_queue: str = TASK_QUEUE,
    release: str = "",
    also: tuple[type[Journey], ...] = (),
) -> Worker:
    """The Temporal worker, the same in production and in tests; `also` are journeys of the tests' own, and take the
    place of ours where they have the name of one.

    With a `release` it gets walks once that is current. They follow from release to release, but for those held on one.
    """
    deployment = WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=task_queue, build_id=release),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    )
    return Worker(
        client,
        task_queue=task_queue,
        workflows=list({workflow_definition(each).name: each for each in (*journeys(), *OPERATIONS, *also)}.values()),
        activities=house.activities(),  # type: ignore[arg-type]  # bound methods
        workflow_runner=RUNNER,
        interceptors=[Endings(), Beating()],
        max_heartbeat_throttle_interval=timedelta(seconds=BEAT),
        graceful_shutdown_timeout=timedelta(seconds=15),
        max_concurrent_activities=50,
        deployment_config=deployment if release else None,
    )


@contextlib.asynccontextmanager
async def pumping(
    house: House,
    client: Client,
    *,
    task_queue: str = TASK_QUEUE,
    reconcile_every: float | None = RECONCILE_EVERY,
    pulse: Pulse | None = None,
    turn: Turn | None = None,
) -> AsyncIterator[None]:
    """Project, dispatch, announce, grade clicks, escalate late tasks, tell staff and CRM, and (unless None) reconcile,
    for as long as the block runs, and rest while it is not their `turn`.

    A round that is under way at its end is finished, if that takes no longer than LAST_ROUND.
    """
    dispatcher = house.dispatcher(client, task_queue=task_queue)
    telling = house.bulk_telling(client, task_queue=task_queue)
    stopping, pulse = asyncio.Event(), pulse or Pulse()
    rounds: list[tuple[str, Work, float | None]] = [
        ("project", house.projector.project_some, None),
        ("dispatch", dispatcher.dispatch_some, None),
        ("announce", house.announcing.announce_some, None),
        ("tracking", house.tracking.settle_some, None),
        ("bulks", telling.tell_some, None),
        ("escalate", house.tasks.escalate_some, None),
        ("tell", house.telling.mail_some, None),
        ("crm", house.crm.push_some, None),
    ]
    if reconcile_every is not None:
        rounds.append(("reconcile", house.reconciler(client).reconcile, reconcile_every))
    wakes = {name: asyncio.Event() for name, _, _ in rounds}

    def wake(news: News) -> None:
        for name in WOKEN[news]:
            wakes[name].set()
        for name in THEN.get(news, ()):
            asyncio.get_running_loop().call_later(THEN_AFTER, wakes[name].set)

    await house.database.listen(wake)
    pumps = [
        asyncio.create_task(pump(name, work, wakes[name], stopping, pulse, every=every, turn=turn))
        for name, work, every in rounds
    ]
    try:
        yield
    finally:
        for event in (stopping, *wakes.values()):
            event.set()
        _, late = await asyncio.wait(pumps, timeout=LAST_ROUND)
        for each in late:
            each.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def pump(
    name: str,
    work: Work,
    wake: asyncio.Event,
    stopping: asyncio.Event,
    pulse: Pulse,
    *,
    every: float | None = None,
    turn: Turn | None = None,
) -> None:
    """Do a piece of work until there is hardly any, then sleep until woken, or for POLL; or, with `every`, do one piece
    each so many seconds; and nothing while it is not our turn. Survives every failure, and ends after the piece at
    which it is told to.
    """
    patience = RECONCILE_WITHIN if every else PATIENCE
    while not stopping.is_set():
        wake.clear()
        pulse.beat(name, patience=(every or POLL) + patience)
        if turn and not turn.ours:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), POLL)
            continue
        try:
            while await work() > FEW and not every and not stopping.is_set():
                pulse.beat(name)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("pump failed; trying again", extra={"pump": name})
            await asyncio.sleep(POLL)
            continue
        if not stopping.is_set():  # it may have been told meanwhile, before it cleared its wake-up
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), every or POLL)
