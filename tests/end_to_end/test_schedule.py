"""The schedules on a real Temporal: made once, kept up to date, and an operator's pause is honored."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client, ScheduleHandle
from temporalio.service import RPCError

from adapters.schedules import AUDIENCE_EXPORT, DAILY_SWEEP, ensure_audience_export, ensure_daily_sweep
from domain.clock import Pace
from domain.durations import days, hours
from tests.end_to_end.live import Live

FIVE_SECONDS = 86400 / 5


@pytest.fixture
async def schedule(client: Client) -> AsyncIterator[ScheduleHandle]:
    """The schedule, of which nothing is there before and after."""
    handle = client.get_schedule_handle(DAILY_SWEEP)
    with contextlib.suppress(RPCError):
        await handle.delete()
    yield handle
    await handle.delete()


async def test_a_new_installation_sweeps_at_once_and_then_each_day(
    live: Live, client: Client, database_url: str, schedule: ScheduleHandle
) -> None:
    queue, pace = f"live-{database_url[-8:]}", Pace(anchor=live.house.clock.now())

    for _ in range(2):
        await ensure_daily_sweep(client, pace, "Europe/Berlin", task_queue=queue)
    await live.until(lambda: live.rows("SELECT 1 FROM sweeps"))

    assert len(await live.rows("SELECT 1 FROM sweeps")) == 1
    described = await schedule.describe()
    spec = described.schedule.spec
    assert (spec.time_zone_name, [hour.start for hour in spec.calendars[0].hour]) == ("Europe/Berlin", [4])
    assert described.info.next_action_times[1] - described.info.next_action_times[0] == timedelta(days=1)


async def test_it_follows_the_pace_and_an_operators_pause_is_honored(
    live: Live, client: Client, schedule: ScheduleHandle
) -> None:
    now = live.house.clock.now()
    await ensure_daily_sweep(client, Pace(anchor=now), "UTC", task_queue="nobody's")
    await schedule.pause(note="we are moving")

    await ensure_daily_sweep(client, Pace(anchor=now, pace=FIVE_SECONDS), "UTC", task_queue="nobody's")

    described = (await schedule.describe()).schedule
    assert [interval.every for interval in described.spec.intervals] == [timedelta(seconds=5)]
    assert described.spec.calendars == []
    assert (described.state.paused, described.state.note) == (True, "we are moving")


async def test_audiences_have_a_schedule_of_their_own_for_as_long_as_there_are_any(live: Live, client: Client) -> None:
    handle, pace = client.get_schedule_handle(AUDIENCE_EXPORT), Pace(anchor=live.house.clock.now())
    await ensure_audience_export(client, pace, "Europe/Berlin", days(1), task_queue="nobody's")
    daily = (await handle.describe()).schedule.spec
    await ensure_audience_export(client, pace, "Europe/Berlin", hours(1), task_queue="nobody's")
    hourly = (await handle.describe()).schedule.spec
    for _ in range(2):
        await ensure_audience_export(client, pace, "Europe/Berlin", None)

    assert (daily.time_zone_name, [hour.start for hour in daily.calendars[0].hour]) == ("Europe/Berlin", [5])
    assert [interval.every for interval in hourly.intervals] == [hours(1)]
    with pytest.raises(RPCError, match="not found"):
        await handle.describe()
