"""The daily sweep: a schedule starts it, one activity does it, and whoever dies is followed by another worker."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

from activities.sweeping import SweepingActivities
from domain.sweep import Swept

LONGEST = timedelta(hours=2)
SILENCE = timedelta(minutes=1)  # without a heartbeat: its worker is gone
GIVES_UP = timedelta(hours=20)  # the next day's sweep finds all that this one would have


@workflow.defn
class DailySweep:
    """Finds what time has done to customers, once a day of business time."""

    @workflow.run
    async def run(self) -> Swept:
        workflow.set_current_details("**Now:** looking at everybody. The activity's heartbeat says how far it is.")
        swept: Swept = await workflow.execute_activity_method(
            SweepingActivities.sweep,
            summary="who fell silent, birthdays, RFM",
            start_to_close_timeout=LONGEST,
            schedule_to_close_timeout=GIVES_UP,
            heartbeat_timeout=SILENCE,
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5)),
            cancellation_type=ActivityCancellationType.TRY_CANCEL,
        )
        workflow.set_current_details(swept.words())
        return swept
