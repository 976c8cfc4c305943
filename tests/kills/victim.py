"""The worker that is killed: the product's own, wired as in production, in a process of its own.

Forked from a server that has imported all this, so that the next one is there in a second.
"""

import asyncio
import multiprocessing
import os
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from temporalio import client, worker
from temporalio.worker import (
    StartActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle

import adapters.channels.twilio  # noqa: F401  imported where it is needed, which would be in every victim anew
import tropa.worker
from adapters.settings import Settings
from adapters.templates import MessageLibrary
from adapters.temporal import connect
from services import lost_answers, reconcile
from tests.kills.bugs import Bug
from tests.kills.bulk_trap import BulkDeath
from tests.kills.traps import Death, Freeze, Trap
from tests.support.factories import TEXTING
from tropa import beating
from tropa.wiring import build
from tropa.worker import build_worker, pumping


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What a worker works on. `hurry`: real seconds in place of each minute that production waits."""

    settings: Settings
    templates: Path
    temporal: str
    queue: str
    log: Path
    hurry: float | None = None
    trap: Death | Freeze | None = None
    bug: Bug | None = None
    bulk: BulkDeath | None = None


def work(orders: Orders) -> None:
    """The process: works until it is killed, or until whoever started it is gone."""
    with orders.log.open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    asyncio.run(_work(orders))


async def _work(orders: Orders) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    asyncio.get_running_loop().add_reader(parent.sentinel, os._exit, 1)
    if orders.bug:
        orders.bug.plant()
    if orders.bulk:
        orders.bulk.lay()
    if orders.trap:
        Trap(orders.trap).lay()
    temporal = await connect(orders.temporal)
    if orders.hurry:
        sooner = partial(worker.Worker, sticky_queue_schedule_to_start_timeout=timedelta(seconds=orders.hurry))
        patch.object(tropa.worker, "Worker", sooner).start()
        patch.object(beating, "BEAT", orders.hurry / 4).start()
        patch.object(lost_answers, "SURELY_OVER", timedelta(seconds=orders.hurry)).start()
        patch.object(reconcile, "ABANDONED", timedelta(seconds=orders.hurry)).start()
        hurried: Any = {**temporal.config(), "interceptors": [_Hurried(orders.hurry)]}
        temporal = client.Client(**hurried)
    house = await build(orders.settings, library=MessageLibrary(orders.templates), policy=TEXTING)
    every = orders.settings.reconcile_every
    async with (
        build_worker(house, temporal, task_queue=orders.queue),
        pumping(house, temporal, task_queue=orders.queue, reconcile_every=every),
    ):
        await asyncio.Event().wait()


class _Hurried(client.Interceptor, worker.Interceptor):
    """Has Temporal give up on a dead worker's activities sooner."""

    def __init__(self, patience: float) -> None:
        self._patience = timedelta(seconds=patience)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """The SDK asks for the class."""
        patience = self._patience

        class Calls(WorkflowOutboundInterceptor):
            def start_activity(self, input: StartActivityInput) -> ActivityHandle[object]:
                if input.heartbeat_timeout:
                    input.heartbeat_timeout = patience
                else:
                    input.start_to_close_timeout = patience
                return super().start_activity(input)

        class Walks(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Calls(outbound))

        return Walks
