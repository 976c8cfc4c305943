"""What Temporal starts by the clock: the daily sweep, and the export of audiences for ads."""

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
from temporalio.service import RPCError, RPCStatusCode

from adapters.temporal import TASK_QUEUE
from domain.clock import Pace
from domain.durations import days
from domain.errors import Unavailable

DAILY_SWEEP = "daily-sweep"
AUDIENCE_EXPORT = "audience-export"
SWEEPS_AT = 4  # o'clock in the installation's zone: birthdays are known before the quiet hours end
EXPORTS_AT = 5  # o'clock, when the sweep has found who fell silent
SHORTEST = timedelta(seconds=1)  # Temporal's own


async def ensure_daily_sweep(client: Client, pace: Pace, zone: str, *, task_queue: str = TASK_QUEUE) -> None:
    """Have the sweep started each day of business time, and at once where it never was. Raises Unavailable.

    May be repeated: a schedule that is there is brought up to date, and stays paused if an operator paused it.
    """
    spec = _each(days(1), pace, zone, SWEEPS_AT)
    await _ensure(client, DAILY_SWEEP, "DailySweep", "Daily sweep", spec, _catching_up(pace), task_queue)


async def ensure_audience_export(
    client: Client, pace: Pace, zone: str, every: timedelta | None, *, task_queue: str = TASK_QUEUE
) -> None:
    """Have the audiences for ads written each so long of business time, and at once where they never were; never any
    more, for None. Raises Unavailable. May be repeated, as `ensure_daily_sweep`.
    """
    if every is not None:
        spec = _each(every, pace, zone, EXPORTS_AT)
        named = AUDIENCE_EXPORT, "AudienceExport", "Audiences for ads"
        return await _ensure(client, *named, spec, _catching_up(pace), task_queue)
    try:
        await client.get_schedule_handle(AUDIENCE_EXPORT).delete()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise Unavailable(f"Temporal does not end the schedule {AUDIENCE_EXPORT} ({error.status.name}).") from error


async def _ensure(
    client: Client, id: str, workflow: str, summary: str, spec: ScheduleSpec, catching_up: timedelta, task_queue: str
) -> None:
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(workflow, id=id, task_queue=task_queue, static_summary=summary),
        spec=spec,
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=catching_up),
    )

    async def renewed(known: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(replace(schedule, state=known.description.schedule.state))

    try:
        with contextlib.suppress(ScheduleAlreadyRunningError):
            await client.create_schedule(id, schedule, trigger_immediately=True)
        await client.get_schedule_handle(id).update(renewed)
    except RPCError as error:
        raise Unavailable(f"Temporal does not take the schedule {id} ({error.status.name}).") from error


def _each(every: timedelta, pace: Pace, zone: str, hour: int) -> ScheduleSpec:
    """Each day at an hour of the zone; anything else counts from midnight, UTC."""
    if pace.pace == 1 and every == days(1):
        return ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(hour)])], time_zone_name=zone)
    return ScheduleSpec(intervals=[ScheduleIntervalSpec(every=max(pace.lasting(every), SHORTEST))])


def _catching_up(pace: Pace) -> timedelta:
    """Of the days that Temporal was down, one is made up for: what comes next finds the others' events, too."""
    return max(pace.lasting(days(1)), timedelta(seconds=10))
