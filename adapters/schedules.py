"""What Temporal starts by the clock. The one schedule there is: the daily sweep."""

import contextlib
from dataclasses import replace
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError

from adapters.temporal import TASK_QUEUE
from domain.clock import Pace
from domain.durations import days
from domain.errors import Unavailable

DAILY_SWEEP = "daily-sweep"
HOUR = 4  # o'clock in the installation's zone: birthdays are known before the quiet hours end
SHORTEST = timedelta(seconds=1)  # Temporal's own


async def ensure_daily_sweep(client: Client, pace: Pace, zone: str, *, task_queue: str = TASK_QUEUE) -> None:
    """Have the sweep started each day of business time, and at once where it never was. Raises Unavailable.

    May be repeated: a schedule that is there is brought up to date, and stays paused if an operator paused it.
    """
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            "DailySweep", id=DAILY_SWEEP, task_queue=task_queue, static_summary="Daily sweep"
        ),
        spec=_each_day(pace, zone),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_catching_up(pace)),
    )

    async def renewed(known: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(replace(schedule, state=known.description.schedule.state))

    try:
        with contextlib.suppress(ScheduleAlreadyRunningError):
            await client.create_schedule(DAILY_SWEEP, schedule, trigger_immediately=True)
        await client.get_schedule_handle(DAILY_SWEEP).update(renewed)
    except RPCError as error:
        raise Unavailable(f"Temporal does not take the daily sweep's schedule ({error.status.name}).") from error


def _each_day(pace: Pace, zone: str) -> ScheduleSpec:
    if pace.pace == 1:
        return ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(HOUR)])], time_zone_name=zone)
    return ScheduleSpec(intervals=[ScheduleIntervalSpec(every=max(pace.lasting(days(1)), SHORTEST))])


def _catching_up(pace: Pace) -> timedelta:
    """Of the days that Temporal was down, one is made up for: the sweep finds the others' events, too."""
    return max(pace.lasting(days(1)), timedelta(seconds=10))
