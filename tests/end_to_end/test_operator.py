"""What an operator sees in Temporal, and what he does there, is honored."""

from sqlalchemy import text
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus

from tests.end_to_end.live import Live


async def test_terminating_a_walk_stops_the_enrollment_and_says_who(live: Live) -> None:
    handle = await live.starts()

    await handle.terminate("enough")
    await live.reconciled()

    assert (await live.enrollment())["leaving"] == "stopped_by_operator"
    assert "Stopped by an operator" in await live.words()


async def test_cancelling_a_walk_is_told_at_once_by_the_walk_itself(live: Live) -> None:
    handle = await live.starts()

    await handle.cancel()

    async def left() -> bool:
        return bool((await live.enrollment())["leaving"] == "stopped_by_operator")

    await live.until(left)
    await live.until(lambda: _status(live, handle.id, WorkflowExecutionStatus.CANCELED))


async def test_a_reset_is_told_as_restarted_and_sends_nothing_again(live: Live) -> None:
    handle = await live.starts()
    began = (await live.enrollment())["run_id"]
    history = await handle.fetch_history()
    first_task = next(
        e.event_id for e in history.events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    )

    await live.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=live.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=began),
            reason="try again",
            workflow_task_finish_event_id=first_task,
            request_id="reset-1",
        )
    )
    await live.reconciled()

    enrollment = await live.enrollment()
    assert enrollment["ended_at"] is None
    assert enrollment["run_id"] != began
    assert "Restarted by an operator" in await live.words()
    await live.does("activated")
    await live.until(lambda: _status(live, handle.id, WorkflowExecutionStatus.COMPLETED))
    assert await live.sent() == ["greeting"]


async def test_resetting_what_was_terminated_opens_the_enrollment_again(live: Live) -> None:
    handle = await live.starts()
    began = (await live.enrollment())["run_id"]
    await handle.terminate("by mistake")
    await live.reconciled()

    await live.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=live.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=began),
            reason="that was a mistake",
            workflow_task_finish_event_id=4,
            request_id="reset-2",
        )
    )
    await live.reconciled()

    assert (await live.enrollment())["ended_at"] is None


async def test_a_letter_withdrawn_by_a_mistaken_terminate_goes_out_after_the_reset(live: Live) -> None:
    handle = await live.starts()
    began = (await live.enrollment())["run_id"]
    await handle.terminate("by mistake")
    await live.reconciled()
    async with live.house.database.transaction() as connection:  # as if the greeting had still been waiting
        await connection.execute(text("UPDATE sends SET state = 'withdrawn', rule = 'withdrawn'"))

    await live.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=live.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=began),
            reason="that was a mistake",
            workflow_task_finish_event_id=4,
            request_id="reset-3",
        )
    )
    await live.reconciled()

    assert await live.until(live.sent) == ["greeting"]


async def test_a_reset_after_an_opt_out_is_stopped_again(live: Live) -> None:
    handle = await live.starts()
    began = (await live.enrollment())["run_id"]
    await live.does("opted_out")
    await live.until(lambda: _status(live, handle.id, WorkflowExecutionStatus.CANCELED))

    await live.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=live.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=began),
            reason="curious",
            workflow_task_finish_event_id=4,
            request_id="reset-4",
        )
    )
    await live.reconciled()

    await live.until(lambda: _status(live, handle.id, WorkflowExecutionStatus.CANCELED))
    assert (await live.enrollment())["leaving"] == "opted_out"
    assert any(words.startswith("Restarted by an operator and stopped again") for words in await live.words())


async def test_an_opt_out_closes_the_walk_as_canceled_with_its_reason(live: Live) -> None:
    handle = await live.starts()

    await live.does("opted_out")

    await live.until(lambda: _status(live, handle.id, WorkflowExecutionStatus.CANCELED))
    assert (await live.enrollment())["leaving"] == "opted_out"


async def test_the_web_ui_tells_the_story(live: Live) -> None:
    handle = await live.starts()

    described = await handle.describe()
    metadata = await handle.query("__temporal_workflow_metadata")
    history = await handle.fetch_history()
    found = [e async for e in live.client.list_workflows(f"CustomerId = '{(await live.enrollment())['customer']}'")]

    assert await described.static_summary() == "WelcomeChain: started by order_placed"
    assert "“greeting” sent by email" in metadata.current_details
    assert "wait for setup_stuck" in str(metadata)
    summaries = [e.user_metadata.summary.data.decode() for e in history.events if e.HasField("user_metadata")]
    assert '"greeting"' in summaries
    assert any(summary.startswith('"wait for setup_stuck, until') for summary in summaries)
    assert [each.id for each in found] == [handle.id]


async def _status(live: Live, workflow: str, status: WorkflowExecutionStatus) -> bool:
    return (await live.client.get_workflow_handle(workflow).describe()).status is status
