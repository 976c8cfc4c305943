"""Fresh runs on the real server: what is told at the very moment is not lost, and nobody takes it for a reset."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError

from adapters.temporal import CUSTOMER_ID
from domain.events import HeardEvent
from tests.end_to_end.live import Live, walking
from tests.services.bench import NO_LIMITS, write_messages
from tests.support.endless_journey import OFTEN, Trial
from tests.support.replaying import replay
from workflows.registry import declarations

Handle = WorkflowHandle[Any, Any]


@pytest.fixture
async def live(database_url: str, client: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    library = write_messages(Path(tmp_path_factory.mktemp("messages")) / "messages")
    declared = declarations((Trial,))
    async with walking(
        database_url, client, also=(Trial,), library=library, declared=declared, policy=NO_LIMITS
    ) as bench:
        yield bench


async def begin(live: Live) -> Handle:
    await live.does("trial_started")
    [row] = await live.until(lambda: live.rows("SELECT id FROM enrollments WHERE run_id IS NOT NULL"))
    return live.client.get_workflow_handle(row["id"])


async def look(live: Live, handle: Handle, times: int) -> None:
    now = live.house.clock.now()
    for number in range(times):
        event = HeardEvent(id=uuid4().hex, number=number, name="looked", at=now)
        await handle.signal("customer_event", event)


async def runs_of(live: Live, handle: Handle) -> list[str]:
    """All runs of a walk, the latest first."""
    found, run = [], (await handle.describe()).run_id
    while run:
        found.append(run)
        history = await live.client.get_workflow_handle(handle.id, run_id=run).fetch_history()
        assert await replay(f"run {len(found)}", history, [Trial]) is None
        run = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return found


async def test_no_event_is_lost_between_two_runs(live: Live) -> None:
    """Sixty end it by its own plan: one fewer, and it would wait for ever."""
    handle = await begin(live)

    await asyncio.gather(*(look(live, handle, OFTEN // 4) for _ in range(4)))

    assert await asyncio.wait_for(handle.result(), 20) == "lapsed"
    assert len(await runs_of(live, handle)) > 2


async def test_a_goal_told_between_two_runs_ends_it(live: Live) -> None:
    handle = await begin(live)

    async def goal() -> None:
        await asyncio.sleep(0.2)
        await live.does("bought")

    with_the_goal = asyncio.create_task(goal())
    with contextlib.suppress(RPCError):  # it has ended meanwhile
        await look(live, handle, OFTEN - 1)

    await with_the_goal
    assert await asyncio.wait_for(handle.result(), 20) == "converted"


async def test_a_fresh_run_is_no_reset_and_a_reset_of_it_is_one(live: Live) -> None:
    handle = await begin(live)
    first = (await live.enrollment())["run_id"]
    await look(live, handle, OFTEN // 2)

    async def went_on() -> bool:
        await live.house.reconciler(live.client).reconcile()
        return bool((await live.enrollment())["run_id"] != first)

    await live.until(went_on)
    assert "Restarted by an operator" not in await live.words()
    await live.until(lambda: rested(live, handle))
    described = await handle.describe()
    assert described.raw_description.workflow_execution_info.priority.priority_key == 3
    assert described.typed_search_attributes[CUSTOMER_ID] == (await live.enrollment())["customer"]
    task = await live.until(lambda: first_task(handle))
    await live.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=live.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=(await live.enrollment())["run_id"]),
            reason="try again",
            workflow_task_finish_event_id=task,
            request_id=uuid4().hex,
        )
    )
    await live.reconciled()

    assert "Restarted by an operator" in await live.words()
    assert (await live.enrollment())["ended_at"] is None


async def rested(live: Live, handle: Handle) -> bool:
    """Whether the ledger knows the latest run, and that runs."""
    await live.house.reconciler(live.client).reconcile()
    described = await handle.describe()
    assert described.status is WorkflowExecutionStatus.RUNNING
    return bool((await live.enrollment())["run_id"] == described.run_id)


async def first_task(handle: Handle) -> int | None:
    """The first task that the latest run has completed."""
    completed = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    return next((e.event_id for e in (await handle.fetch_history()).events if e.event_type == completed), None)
