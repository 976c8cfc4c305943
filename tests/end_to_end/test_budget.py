"""Many events of one customer: a few signals, then one catch-up an hour, and nothing is missed (design 4.6)."""

import contextlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory

from adapters.clock import PacedClock
from domain.clock import Pace
from services.timeline import Timeline
from tests.end_to_end.live import Live
from tests.support.factories import an_event, compiled, settings_for
from tropa.wiring import build
from tropa.worker import build_worker, pumping

AN_HOUR_A_SECOND = 3600.0
FLOOD, GOAL_AT, A_MINUTE = 10_000, 6_500, timedelta(minutes=1)


async def test_three_hundred_events_make_20_signals_and_one_catch_up_and_the_goal_still_ends_it(
    database_url: str, client: Client
) -> None:
    pace = Pace(anchor=datetime.now(UTC), pace=AN_HOUR_A_SECOND)
    house = await build(
        settings_for(database_url, journeys="WelcomeChain"), clock=PacedClock(pace), pace=pace, library=compiled()
    )
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(build_worker(house, client, task_queue="budget"))
        await stack.enter_async_context(pumping(house, client, task_queue="budget", reconcile_every=None))
        live = Live(house, client)
        await live.does("order_placed")
        enrollment = await live.until(lambda: live.rows("SELECT id FROM enrollments WHERE run_id IS NOT NULL"))
        now = house.clock.now()

        await house.ingest.accept([an_event("feature_used", live.customer_id, at=now) for _ in range(300)])
        handle = client.get_workflow_handle(enrollment[0]["id"])

        async def caught_up() -> bool:
            history = await handle.fetch_history()
            return any(_activity(event) == "catch_up" for event in history.events)

        # A later event of another name is told at once; the catch-up must still bring the 280 before it.
        await live.does("setup_stuck")
        await live.until(caught_up)
        await live.does("activated")
        await live.until(lambda: live.rows("SELECT 1 FROM enrollments WHERE outcome = 'converted'"))
        await handle.result()

        history = await handle.fetch_history()
        signals = Counter(
            event.workflow_execution_signaled_event_attributes.signal_name
            for event in history.events
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
        )
        assert signals == {"customer_event": 21, "catch_up": 1, "ended": 1}
        assert await _answered(history) == 100  # the newest hundred
        assert (await live.rows("SELECT count(*) AS stored FROM events WHERE number IS NOT NULL AND source = 'shop'"))[
            0
        ]["stored"] == 303
    await house.database.close()


async def test_ten_thousand_events_in_a_minute_leave_a_short_history_and_a_whole_timeline(
    database_url: str, client: Client
) -> None:
    pace = Pace(anchor=datetime.now(UTC), pace=1.0)
    house = await build(
        settings_for(database_url, journeys="WelcomeChain"), clock=PacedClock(pace), pace=pace, library=compiled()
    )
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(build_worker(house, client, task_queue="flood"))
        await stack.enter_async_context(pumping(house, client, task_queue="flood", reconcile_every=None))
        live = Live(house, client)
        await live.does("order_placed")
        walk = await live.until(lambda: live.rows("SELECT id FROM enrollments WHERE run_id IS NOT NULL"))

        began = house.clock.now()
        names = ["feature_used", "setup_stuck", "page_viewed", "product_viewed"]
        flood = [
            an_event(
                "activated" if number == GOAL_AT else names[number % len(names)],
                live.customer_id,
                at=began + number * A_MINUTE / FLOOD,
                place=number,
            )
            for number in range(FLOOD)
        ]
        for first in range(0, FLOOD, 1000):
            await house.ingest.accept(flood[first : first + 1000])
            if first <= GOAL_AT < first + 1000:  # the other thousands come later
                await live.until(lambda: live.rows("SELECT 1 FROM enrollments WHERE outcome = 'converted'"))
        assert await client.get_workflow_handle(walk[0]["id"]).result() == "converted"

        async def all_are_projected() -> bool:
            return bool(await live.rows(f"SELECT 1 FROM events WHERE number IS NOT NULL HAVING count(*) > {FLOOD}"))

        await live.until(all_are_projected)
        history = await client.get_workflow_handle(walk[0]["id"]).fetch_history()
        assert len(history.events) < 500
        assert await _places_told(live) == set(range(FLOOD))
    await house.database.close()


async def _places_told(live: Live) -> set[int]:
    """The places in the flood of those events that the timeline tells, read page by page."""
    timeline, cursor, told = Timeline("UTC"), None, set()
    while True:
        async with live.house.database.transaction() as connection:
            page = await timeline.read(connection, live.customer_id, locale="en", cursor=cursor, limit=1000)
        events = [entry.details["properties"] for entry in page.entries if entry.kind == "event"]
        told |= {properties["place"] for properties in events if "place" in properties}
        if (cursor := page.cursor) is None:
            return told


async def _answered(history: WorkflowHistory) -> int:
    """How many events the catch-up answered."""
    scheduled = {event.event_id for event in history.events if _activity(event) == "catch_up"}
    completed = next(
        event.activity_task_completed_event_attributes
        for event in history.events
        if event.activity_task_completed_event_attributes.scheduled_event_id in scheduled
    )
    return len(json.loads(completed.result.payloads[0].data))


def _activity(event: object) -> str:
    attributes = getattr(event, "activity_task_scheduled_event_attributes", None)
    return str(attributes.activity_type.name) if attributes else ""
