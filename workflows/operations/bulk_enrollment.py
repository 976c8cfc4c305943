"""Bulk enrollment: many customers enter a journey, so many a second, with pauses when somebody wants to look.

The database says how the bulk stands; this workflow makes sure that somebody works on it, whoever dies.
"""

from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.workflow import ActivityCancellationType

from activities.bulk import BulkActivities, BulkProgress, BulkRequest
from domain.bulk import ENDED, BulkState

LONGEST = timedelta(minutes=15)  # the activity comes back by itself after five
BEHIND_WALKS = Priority(priority_key=5)
SILENCE = timedelta(seconds=30)  # without a heartbeat: its worker is gone


@workflow.defn
class BulkEnrollment:
    """One activity after another, until all have entered or it is cancelled."""

    def __init__(self) -> None:
        self._told = 0

    @workflow.signal
    def look(self) -> None:
        """The bulk was resumed or cancelled: look how it stands."""
        self._told += 1

    @workflow.run
    async def run(self, request: BulkRequest) -> BulkProgress:
        while True:
            told = self._told
            progress: BulkProgress = await workflow.execute_activity_method(
                BulkActivities.enter_some,
                request,
                summary="let customers enter",
                start_to_close_timeout=LONGEST,
                heartbeat_timeout=SILENCE,
                retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
                cancellation_type=ActivityCancellationType.TRY_CANCEL,
                priority=BEHIND_WALKS,
            )
            workflow.set_current_details(_words(progress))
            if progress.state in ENDED:
                return progress
            if progress.state is not BulkState.RUNNING:
                await workflow.wait_condition(self._told_after(told))
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(request)

    def _told_after(self, seen: int) -> Callable[[], bool]:
        return lambda: self._told > seen


def _words(progress: BulkProgress) -> str:
    return (
        f"**{progress.state.value}**\n\n- entered: {progress.entered}\n- did not enter: {progress.refused}\n"
        f"- remaining: {progress.remaining}"
    )
