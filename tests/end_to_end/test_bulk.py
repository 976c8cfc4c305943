"""A bulk in Temporal: its workflow rests while somebody looks, and an operator may end it there."""

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus

from services.audiences import Asked
from tests.end_to_end.live import Live
from tests.support.factories import STAFF

SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED


async def drafted(live: Live, size: int) -> str:
    names = [f"c{number}" for number in range(size)]
    for name in names:
        await live.is_known(name)
    async with live.house.database.transaction() as connection:
        return await live.house.bulk_drafting.draft(
            connection,
            "WelcomeChain",
            Asked(customers=[(name, "") for name in names]),
            options={},
            per_second=100,
            actor=STAFF,
        )


async def do(live: Live, command: str, bulk: str, **how: object) -> None:
    async with live.house.database.transaction() as connection:
        await getattr(live.house.bulks, command)(connection, bulk, actor=STAFF, **how)
    live.house.database.wake()


async def stands(live: Live, bulk: str, state: str) -> bool:
    return bool(await live.rows(f"SELECT 1 FROM bulks WHERE id = '{bulk}' AND state = '{state}'"))


async def test_a_bulk_waits_for_a_look_and_goes_on(live: Live) -> None:
    bulk = await drafted(live, 6)
    await do(live, "start", bulk, canary_share=0.3)
    await live.until(lambda: stands(live, bulk, "looking"), within=30)
    handle = live.client.get_workflow_handle(bulk)

    entered = len(await live.rows("SELECT 1 FROM enrollments"))
    await do(live, "resume", bulk)
    result = await handle.result()

    assert (entered, result["entered"], result["state"]) == (2, 6, "done")
    assert len(await live.rows("SELECT DISTINCT customer FROM enrollments")) == 6


async def test_a_bulk_is_steered_before_all_walks_and_lets_in_behind_them(live: Live) -> None:
    bulk = await drafted(live, 1)
    await do(live, "start", bulk)
    await live.until(lambda: stands(live, bulk, "done"), within=30)
    handle = live.client.get_workflow_handle(bulk)

    told = (await handle.fetch_history()).events
    begun = [e.workflow_execution_started_event_attributes for e in told if e.event_id == 1]
    asked = [e.activity_task_scheduled_event_attributes for e in told if e.event_type == SCHEDULED]
    highest, lowest = 1, 5

    assert [each.priority.priority_key for each in begun] == [highest]
    assert {each.priority.priority_key for each in asked} == {lowest}


async def test_a_bulk_whose_workflow_an_operator_ends_is_cancelled(live: Live) -> None:
    bulk = await drafted(live, 4)
    await do(live, "start", bulk, canary_share=0.3)
    await live.until(lambda: stands(live, bulk, "looking"), within=30)

    await live.client.get_workflow_handle(bulk).terminate("enough")
    await live.reconciled()

    assert await live.rows("SELECT state, ended_by FROM bulks") == [{"state": "cancelled", "ended_by": "an operator"}]
    status = (await live.client.get_workflow_handle(bulk).describe()).status
    assert status is WorkflowExecutionStatus.TERMINATED
