"""The audiences for ads that the settings name, written anew: a schedule of its own starts it (S62)."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

from activities.audiences import AudienceActivities

LONGEST = timedelta(hours=2)
SILENCE = timedelta(minutes=1)  # without a heartbeat: its worker is gone
GIVES_UP = timedelta(hours=20)  # the next one writes all of it anew


@workflow.defn
class AudienceExport:
    """Writes each file in one step: whoever fetches one has all of it, of one moment."""

    @workflow.run
    async def run(self) -> int:
        workflow.set_current_details("**Now:** writing files. The activity's heartbeat says which.")
        files: int = await workflow.execute_activity_method(
            AudienceActivities.write_audiences,
            summary="audiences for ads",
            start_to_close_timeout=LONGEST,
            schedule_to_close_timeout=GIVES_UP,
            heartbeat_timeout=SILENCE,
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5)),
            cancellation_type=ActivityCancellationType.TRY_CANCEL,
        )
        workflow.set_current_details(f"{files} files were written.")
        return files
