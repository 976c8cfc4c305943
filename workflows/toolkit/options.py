"""Timeouts and retries, decided once. A journey never mentions one."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType


class ActivityOptions(TypedDict):
    """What every activity call passes on."""

    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


# No schedule-to-close: a provider may be down for a day. A message's shelf life ends its tries, in `send` itself.
ACTIVITY: ActivityOptions = {
    "start_to_close_timeout": timedelta(seconds=60),
    # A worker that is gone is missed after this. What it had in hand is looked at again, and never called blindly.
    "heartbeat_timeout": timedelta(seconds=20),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
    # Waiting for the cancellation to complete swallowed it, where it was measured.
    "cancellation_type": ActivityCancellationType.TRY_CANCEL,
}
